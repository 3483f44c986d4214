"""Makes a folder of synthetic radiographs: DX files, masks and `truth.json`, the same bytes for the same plan.

Every film is finished before the next begins and leaves a record, so that a run that was stopped goes on where it was.
`truth.json` is written last: its presence means that the folder is complete.
"""

from __future__ import annotations

import json
import shutil
import signal
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import asdict, dataclass
from enum import StrEnum
from itertools import repeat
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from medcam.core.codes import slug
from medcam.core.errors import MedcamError, UsageError
from medcam.dicom import Codec
from medcam.phantom import FINDINGS, render, sample_case
from medcam.service.atomic import write_text
from medcam.service.output_errors import writing
from medcam.service.phantoms.phantom_files import save_phantom
from medcam.service.phantoms.truth import TRUTH_NAME
from medcam.service.workers import one_blas_thread

PLAN_NAME = "plan.json"
PARTS_NAME = ".parts"
SMALLEST, LARGEST = 64, 4096
MOST_WORKERS = 256


class CodecChoice(StrEnum):
    """How pixels are stored: one lossless codec for all films, or all four in turn."""

    MIX = "mix"
    UNCOMPRESSED = Codec.UNCOMPRESSED.value
    RLE = Codec.RLE.value
    JPEG_LS = Codec.JPEG_LS.value
    JPEG_2000 = Codec.JPEG_2000.value

    def of(self, index: int) -> Codec:
        """The codec of one film."""
        return tuple(Codec)[index % len(Codec)] if self is CodecChoice.MIX else Codec(self.value)


@dataclass(frozen=True, slots=True)
class PhantomPlan:
    """Everything that the bytes of a folder of phantoms depend on.

    Args:
        count: Films, at least 1.
        seed: Of the patients, at least 0.
        size: Pixels per side, 64 to 4096.
        prevalence: Probability of each finding, 0 to 1; None keeps the phantom's own mixture.
        findings: Exactly these findings on every film; empty for random ones.
        codec: How pixels are stored.
        masks: Whether to write masks of findings, zones and spine.
    """

    count: int
    seed: int
    size: int = 512
    prevalence: float | None = None
    findings: tuple[str, ...] = ()
    codec: CodecChoice = CodecChoice.MIX
    masks: bool = True

    def __post_init__(self) -> None:
        _check(self.count >= 1, "at least one phantom must be asked for")
        _check(self.seed >= 0, "a seed is at least 0")
        _check(SMALLEST <= self.size <= LARGEST, f"a phantom has {SMALLEST} to {LARGEST} pixels per side")
        _check(self.prevalence is None or 0.0 <= self.prevalence <= 1.0, "a prevalence lies between 0 and 1")
        _check(self.prevalence is None or not self.findings, "give either a prevalence or findings, not both")
        object.__setattr__(self, "findings", finding_names(self.findings))


def make_phantoms(
    out: Path | str,
    count: int,
    seed: int,
    *,
    size: int = 512,
    prevalence: float | None = None,
    findings: Sequence[str] = (),
    codec: CodecChoice | str = CodecChoice.MIX,
    masks: bool = True,
    workers: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Path:
    """Makes phantoms as DX files with truth beside them, or goes on with a run that was stopped.

    Args:
        out: A folder that is new, holds no phantoms yet, or holds part of the same plan.
        count: See `PhantomPlan`, as for the next six.
        seed: The same seed gives the same patients.
        size: Pixels per side.
        prevalence: Probability of each finding.
        findings: Exactly these findings, in any spelling that has the same letters.
        codec: A `CodecChoice`.
        masks: Whether to write masks.
        workers: Processes that render; the files do not depend on it.
        progress: Called with (films done, films in all).

    Returns:
        The path of `truth.json`; `medcam.service.phantoms.truth.read_truth` reads it.

    Raises:
        UsageError: An argument is wrong, or the folder holds something else.
        OutputError: The disk refuses a file.
        MedcamError: A worker process was killed (code `worker-lost`).
    """
    _check(1 <= workers <= MOST_WORKERS, f"workers are 1 to {MOST_WORKERS}")
    plan = PhantomPlan(count, seed, size, prevalence, tuple(findings), _codec_choice(codec), masks)
    out = Path(out)
    _open_folder(out, plan)
    target = out / TRUTH_NAME
    missing = [] if target.is_file() else [index for index in range(count) if not _part(out, index).is_file()]
    before = count - len(missing)
    progress(before, count)
    # Closed here, not by the garbage collector: an interrupt must stop the workers at once.
    with closing(_make_all(plan, out, missing, workers)) as made:
        for done, _ in enumerate(made, start=before + 1):
            progress(done, count)
    if not target.is_file():
        with writing():
            write_text(target, _truth(_read_part(out, index) for index in range(count)))
    shutil.rmtree(out / PARTS_NAME, ignore_errors=True)
    return target


def finding_names(names: Iterable[str]) -> tuple[str, ...]:
    """Names of findings as phantoms spell them, in their order, each once.

    Args:
        names: Such as "Pleural Effusion" or "pleural-effusion".

    Raises:
        UsageError: A name is unknown.
    """
    known = {slug(name): name for name in FINDINGS}
    chosen = set()
    for name in names:
        folded = slug(name) if any(letter.isalnum() for letter in name) else ""
        if folded not in known:
            raise UsageError(f"phantoms have no finding {name!r}", next_step=f"They know: {', '.join(FINDINGS)}.")
        chosen.add(known[folded])
    return tuple(name for name in FINDINGS if name in chosen)


def _codec_choice(codec: CodecChoice | str) -> CodecChoice:
    try:
        return CodecChoice(codec)
    except ValueError as error:
        raise UsageError(f"there is no codec {codec!r}", next_step=f"Take one of {', '.join(CodecChoice)}.") from error


def _open_folder(out: Path, plan: PhantomPlan) -> None:
    """Makes the folder, or makes sure that what it holds belongs to the plan."""
    record = out / PLAN_NAME
    wanted = json.dumps(asdict(plan), indent=2, sort_keys=True) + "\n"
    with writing():
        out.mkdir(parents=True, exist_ok=True)
        found = record.read_bytes() if record.is_file() else None
        foreign = found is None and ((out / TRUTH_NAME).exists() or any(out.glob("*.dcm")))
        if foreign or found not in (None, wanted.encode("utf-8")):
            raise UsageError(
                f"{out} holds films that were not made with these options",
                code="folder-in-use",
                next_step=f"Choose another folder, or give the options in its {PLAN_NAME}.",
            )
        (out / PARTS_NAME).mkdir(exist_ok=True)
        write_text(record, wanted)


def _make_all(plan: PhantomPlan, out: Path, indices: Sequence[int], workers: int) -> Generator[int, None, None]:
    if workers == 1 or len(indices) < 2:
        with threadpool_limits(1, user_api="blas"):
            yield from (_make_one(plan, out, index) for index in indices)
        return
    # Fresh interpreters: forking would copy the locks of libraries that run threads.
    pool = ProcessPoolExecutor(min(workers, len(indices)), mp_context=get_context("spawn"), initializer=_start_worker)
    try:
        yield from pool.map(_make_one, repeat(plan), repeat(out), indices)
    except BrokenProcessPool as error:
        raise MedcamError(
            "a worker process was killed",
            code="worker-lost",
            next_step="Run the command again: it goes on where it was. Fewer workers need less memory.",
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _start_worker() -> None:
    one_blas_thread()
    # Interrupts are left to the parent.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _make_one(plan: PhantomPlan, out: Path, index: int) -> int:
    case = sample_case(plan.seed, index, prevalence=plan.prevalence, findings=plan.findings or None)
    with writing():
        record = save_phantom(out, render(case, plan.size), case, plan.codec.of(index), masks=plan.masks)
        write_text(_part(out, index), json.dumps(record))
    return index


def _part(out: Path, index: int) -> Path:
    return out / PARTS_NAME / f"{index:05d}.json"


def _read_part(out: Path, index: int) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(_part(out, index).read_text(encoding="utf-8"))
    return record


def _truth(records: Iterable[dict[str, Any]]) -> str:
    films = {record.pop("sop_instance_uid"): record for record in records}
    return json.dumps(films, indent=1) + "\n"


def _check(holds: bool, message: str) -> None:
    if not holds:
        raise UsageError(message)
