"""What happens to one input: read, judged within limits, de-identified, verified."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from medcam.core.arrays import BoolArray
from medcam.core.errors import MedcamError, NotAnImageError
from medcam.core.radiograph import Radiograph
from medcam.dicom.deidentify import (
    Deidentified,
    Identifiers,
    Profile,
    Secret,
    WayBack,
    deidentify,
    identifiers_of,
    way_back,
)
from medcam.dicom.read import read_bytes, read_file
from medcam.service.annotate.inputs import Input
from medcam.service.annotate.outcomes import INTERNAL_ERROR
from medcam.service.deidentification.record import FinishedOutputs
from medcam.service.deidentification.report import Refused, Written
from medcam.service.explanations.software import software_versions
from medcam.service.output_errors import OutputError


class TextFinding(Protocol):
    """Finds burned-in text beside the hand-made detector; see `medcam.service.find_text`."""

    @property
    def digest(self) -> str:
        """What decides about its answers."""
        ...

    def __call__(self, film: npt.NDArray[np.floating], padding: BoolArray | None = None) -> BoolArray:
        """Where print lies."""
        ...


class Readers(Protocol):
    """Decodes files that are not trusted; see `medcam.dicom.sandbox.pool`."""

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        """Decodes a file, or refuses it."""
        ...


@dataclass(frozen=True, eq=False)
class Numbered:
    """An input and its number in the run, from 1 on."""

    number: int
    file: Input


@dataclass(frozen=True, eq=False)
class Done:
    """An input that came through.

    Args:
        number: Of the input.
        source: Digest of the source and of all that decides about its output.
        result: What is to be written.
    """

    number: int
    source: str
    result: Deidentified = field(repr=False)


@dataclass(frozen=True, eq=False)
class Kept:
    """An input whose output an earlier run has written.

    Args:
        written: As the report tells it.
        source: Digest of the source and of all that decides about its output.
        identifiers: What identified the original.
        back: For the key file, which a run that was killed did not complete.
    """

    written: Written
    source: str
    identifiers: Identifiers = field(repr=False)
    back: WayBack = field(repr=False)


@dataclass(frozen=True, eq=False)
class Passed:
    """An input that is not passed on."""

    reason: Refused
    is_skipped: bool


Outcome = Done | Kept | Passed


@dataclass(frozen=True, eq=False)
class Worker:
    """Does the work on one input at a time; may be called from several threads.

    Args:
        secret: Of the run.
        profile: The options.
        readers: Read each file first, in processes of their own: a file that would fill the memory or never end is
            refused there.
        finished: What an earlier run has done.
        find_text: Finds burned-in text, where pixels are cleaned; None for the hand-made detector alone.
    """

    secret: Secret = field(repr=False)
    profile: Profile
    readers: Readers
    finished: FinishedOutputs
    find_text: TextFinding | None = None

    def __call__(self, item: Numbered) -> Outcome:
        """Never raises for what one file holds.

        Raises:
            OutputError: The output folder refuses.
        """
        try:
            return self._work(item)
        except OutputError:
            raise
        except NotAnImageError as error:
            return Passed(Refused(item.number, error.code, error.message, error.next_step), is_skipped=True)
        except MedcamError as error:
            return Passed(Refused(item.number, error.code, error.message, error.next_step), is_skipped=False)
        except Exception as error:  # noqa: BLE001 - one broken film never stops the rest
            message = f"medcam failed on this file ({type(error).__name__})"
            return Passed(Refused(item.number, INTERNAL_ERROR, message, "Report it without patient data."), False)

    def _work(self, item: Numbered) -> Outcome:
        data = item.file.read()
        source = self._digest(data)
        kept = self.finished.find(source, item.number)
        if kept is not None:
            original = read_bytes(data, item.file.name).dataset
            output = read_file(self.finished.folder / kept.file).dataset
            back = way_back(original, output, self.secret, self.profile)
            return Kept(kept, source, identifiers_of(original), back)
        self.readers.radiograph(data, item.file.name)
        original = read_bytes(data, item.file.name).dataset
        return Done(item.number, source, deidentify(original, self.secret, self.profile, self.find_text))

    def _digest(self, data: bytes) -> str:
        weights = () if self.find_text is None else (self.find_text.digest,)
        what = (hashlib.sha256(data).hexdigest(), software_versions()["medcam"], *sorted(self.profile.codes), *weights)
        return self.secret.digest("SOURCE", repr(what).encode("utf-8"))


Progress = Callable[[int, int, int], None]
"""Called with inputs done, inputs in all, and how many were refused."""
