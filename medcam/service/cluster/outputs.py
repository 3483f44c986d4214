"""Where a run of many machines writes: a folder that all of them share, or object storage."""

from __future__ import annotations

import fnmatch
import re
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

from medcam.core.radiograph import Identity
from medcam.service.annotate.instance_output import OBJECTS, RECEIPT_NAME, InstanceFolder, Receipt, read_receipt
from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.annotate.quarantine import QUARANTINE_NAME
from medcam.service.annotate.run_output import open_output
from medcam.service.annotate.several_index import INDEX_NAME, one_model, refuse_one
from medcam.service.cluster.storage import is_object_url, key_of, storage
from medcam.service.explanations.explanation_json import FILE_NAME
from medcam.service.output_errors import OutputError, writing

_OURS = (FILE_NAME, RECEIPT_NAME, *OBJECTS, "overlay-*.png")
_RECORDS = (QUARANTINE_NAME, MANIFEST_NAME, INDEX_NAME)
"""What the driver writes; of the last two one stands, and says that the run is complete."""
_STUDY = re.compile(r"[0-9a-f]{16}")


class ClusterOutput(Protocol):
    """The output of a run, as the driver and the worker processes see it."""

    folder: Path
    """Where `Stages` and the driver's records write on this machine."""

    def begin(self, mark: str) -> None:
        """The driver's: makes the output ready, and takes away the file that marks an earlier run as complete."""
        ...

    def refuse_one(self) -> None:
        """The driver's: refuses a place that holds the results of one model, where those of several go."""
        ...

    def check(self) -> None:
        """A worker process's: whether this is the place that the driver has made ready."""
        ...

    def finished(self, identity: Identity, request: str) -> Receipt | None:
        """The receipt of complete results for a request digest."""
        ...

    def forget(self, identity: Identity) -> None:
        """Makes complete results incomplete, so that they are made anew."""
        ...

    def fetch(self, identity: Identity) -> None:
        """Before a film is written: what stands already and may be kept."""
        ...

    def hand_over(self, identity: Identity) -> None:
        """After a film is written: `explanation.json` last."""
        ...

    def finish(self) -> None:
        """The driver's: its records, the manifest or the list of models last."""
        ...


def below(out: str, folder: str) -> str:
    """A folder in an output; the output itself where the name is empty."""
    return f"{out.rstrip('/')}/{folder}" if folder else out


@contextmanager
def cluster_output(out: str) -> Iterator[ClusterOutput]:
    """The output of a run; what it needs on this machine is gone when the block ends.

    Args:
        out: Absolute path of a folder, or URL.

    Raises:
        UsageError: The kind of storage is not known.
    """
    if not is_object_url(out):
        yield SharedFolder(Path(out))
        return
    with tempfile.TemporaryDirectory(prefix="medcam-", ignore_cleanup_errors=True) as folder:
        yield ObjectOutput(out, Path(folder))


def checked_outputs(out: str, folders: Sequence[str], until_exit: ExitStack) -> list[ClusterOutput]:
    """A worker process's output of each model.

    Args:
        out: The output of the run.
        folders: Of each model in it.
        until_exit: Takes what each needs on this machine.

    Raises:
        OutputError: One is not the place that the driver has made ready (code `output-not-shared`).
    """
    outputs = [until_exit.enter_context(cluster_output(below(out, folder))) for folder in folders]
    for output in outputs:
        output.check()
    return outputs


class SharedFolder:
    """A folder that every machine sees under the same path.

    Args:
        folder: That path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, mark: str) -> None:
        """Makes the folder and takes away what marks an earlier run as complete; raises as `open_output`."""
        open_output(self.folder)
        with writing():
            (self.folder / mark).unlink(missing_ok=True)

    def refuse_one(self) -> None:
        """Raises as `medcam.service.annotate.several_index.refuse_one`."""
        refuse_one(self.folder)

    def check(self) -> None:
        """Whether the folder is here.

        Raises:
            OutputError: The driver's list of refused inputs is not here (code `output-not-shared`).
        """
        if not (self.folder / QUARANTINE_NAME).is_file():
            raise OutputError(
                "a machine of the cluster does not see the output folder",
                code="output-not-shared",
                next_step="Name a folder that all machines share under the same path, or a place such as s3://....",
            )

    def finished(self, identity: Identity, request: str) -> Receipt | None:
        """As `InstanceFolder.receipt`."""
        return InstanceFolder(self.folder, identity).receipt(request)

    def forget(self, identity: Identity) -> None:
        """Takes away `explanation.json`."""
        with writing():
            (InstanceFolder(self.folder, identity).path / FILE_NAME).unlink(missing_ok=True)

    def fetch(self, identity: Identity) -> None:
        """Nothing: `InstanceFolder.begin` sees what stands."""

    def hand_over(self, identity: Identity) -> None:
        """Nothing: the film is where it belongs."""

    def finish(self) -> None:
        """Nothing: the records are where they belong."""


class ObjectOutput:
    """A place in object storage; each film is written to a folder of this machine's own, and from there handed over.

    Args:
        url: Such as s3://bucket/results.
        folder: A folder of this process's own.
    """

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self._system, self._root = storage(url)

    def begin(self, mark: str) -> None:
        """Takes away what marks an earlier run as complete, and then its list of refused inputs."""
        for name in (mark, QUARANTINE_NAME):
            self._remove(f"{self._root}/{name}")

    def refuse_one(self) -> None:
        """Raises as `medcam.service.annotate.several_index.refuse_one`."""
        if any(name == MANIFEST_NAME or _STUDY.fullmatch(name) for name in self._listed(self._root)):
            raise one_model(self._root.rpartition("/")[2])

    def check(self) -> None:
        """Nothing: every machine sees the same place, or fails aloud when it writes."""

    def finished(self, identity: Identity, request: str) -> Receipt | None:
        """As `InstanceFolder.receipt`; raises OutputError where the storage cannot be asked."""
        place, names = self._at(identity), self._names(identity)
        if not {FILE_NAME, RECEIPT_NAME} <= names:
            return None
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            copy = Path(folder) / RECEIPT_NAME
            self._get(f"{place}/{RECEIPT_NAME}", copy)
            receipt = read_receipt(copy)
        if receipt is None or receipt.request != request or not names.issuperset(receipt.files):
            return None
        return receipt

    def forget(self, identity: Identity) -> None:
        """Takes away `explanation.json`."""
        self._remove(f"{self._at(identity)}/{FILE_NAME}")

    def fetch(self, identity: Identity) -> None:
        """Copies DICOM objects and the receipt that vouches for them here: objects are not made a second time."""
        kept = {RECEIPT_NAME, *OBJECTS} & self._names(identity)
        if not kept & set(OBJECTS):
            return
        local = InstanceFolder(self.folder, identity).path
        with writing():
            local.mkdir(parents=True, exist_ok=True)
        for name in kept:
            self._get(f"{self._at(identity)}/{name}", local / name)

    def hand_over(self, identity: Identity) -> None:
        """Puts the film's files there, `explanation.json` last, and takes them away here.

        Raises:
            OutputError: The storage refuses them (code `output-failed`).
        """
        local, place = InstanceFolder(self.folder, identity).path, self._at(identity)
        made = sorted(path.name for path in local.iterdir())
        stale = {name for name in self._names(identity) for ours in _OURS if fnmatch.fnmatchcase(name, ours)}
        if FILE_NAME in stale:
            self._remove(f"{place}/{FILE_NAME}")
        for name in sorted(stale - set(made)):
            self._remove(f"{place}/{name}")
        for name in sorted(made, key=lambda name: name == FILE_NAME):
            self._put(local / name, f"{place}/{name}")
        shutil.rmtree(local)

    def finish(self) -> None:
        """Puts the list of refused inputs there, and then the manifest or the list of models."""
        for name in _RECORDS:
            if (self.folder / name).is_file():
                self._put(self.folder / name, f"{self._root}/{name}")

    def _at(self, identity: Identity) -> str:
        return f"{self._root}/{InstanceFolder(self.folder, identity).name}"

    def _names(self, identity: Identity) -> set[str]:
        """What lies there of a film."""
        return self._listed(self._at(identity))

    def _listed(self, place: str) -> set[str]:
        """Names of what lies right below a place."""
        try:
            listed: list[Any] = self._system.ls(place, detail=False)
        except FileNotFoundError:
            return set()
        except Exception as error:
            raise _refusing(error) from error
        return {str(path).rstrip("/").rpartition("/")[2] for path in listed}

    def _get(self, place: str, local: Path) -> None:
        try:
            local.write_bytes(self._system.cat_file(place))
        except Exception as error:
            raise _refusing(error) from error

    def _put(self, local: Path, place: str) -> None:
        try:
            self._system.pipe_file(place, local.read_bytes())
        except Exception as error:
            raise _refusing(error) from error

    def _remove(self, place: str) -> None:
        try:
            self._system.rm_file(place)
        except FileNotFoundError:
            pass
        except Exception as error:
            raise _refusing(error) from error


def _refusing(error: Exception) -> OutputError:
    return OutputError(
        f"the object storage of the output refuses ({key_of(error)})",
        next_step="Check bucket, endpoint and credentials on every machine, and run the same command again.",
    )
