"""De-identifies folders: originals in; images without names, a report, and a key file that stays behind.

files -> read, judge, de-identify, verify (threads) -> write -> verify all outputs against all patients -> report
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.dicom.deidentify import Deidentified, Identifiers, Searcher, WayBack, header_finds
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.service.annotate.bounded import bounded_map, threads
from medcam.service.annotate.inputs import find_inputs
from medcam.service.annotate.outcomes import DUPLICATE_UID
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.deidentification.key_file import KeyFile, default_key, open_key
from medcam.service.deidentification.options import DeidentifyOptions
from medcam.service.deidentification.record import FinishedOutputs
from medcam.service.deidentification.report import REPORT_NAME, Refused, Report, Written, write_report
from medcam.service.deidentification.work import (
    Done,
    Kept,
    Numbered,
    Outcome,
    Passed,
    Progress,
    Readers,
    TextFinding,
    Worker,
)
from medcam.service.explanations.software import software_versions
from medcam.service.output_errors import writing

LEFT = "identifier-left"


def deidentify_files(
    sources: Sequence[Path | str],
    out: Path | str,
    options: DeidentifyOptions | None = None,
    progress: Progress = lambda *_: None,
    readers: Readers | None = None,
) -> Report:
    """De-identifies every image in files and folders (PS3.15 Annex E).

    Writes OUT/<study>/<series>/<instance>.dcm under digests of the new UIDs, OUT/quarantine.jsonl as inputs are
    refused, and OUT/deidentification.json last. Nothing original is in OUT; what leads back is in the key file.

    Args:
        sources: Files, folders, archives, DICOMDIRs.
        out: The output folder; made if absent.
        options: How.
        progress: Called in this thread whenever an input has been dealt with.
        readers: Read untrusted files; a pool of processes of its own by default.

    Returns:
        The report, as written.

    Raises:
        UsageError: A source does not exist, or the key file cannot be used.
        ModelError: Pixels are to be cleaned, and the detector of burned-in text is damaged.
        OutputError: The output folder cannot be written; what was finished stays.
    """
    options, out = options or DeidentifyOptions(), Path(out)
    files = find_inputs(sources, out)
    if out.exists() and not out.is_dir():
        raise UsageError("--out is a file", code="output-is-a-file", next_step="Name a folder.")
    finder = _text_finder(options)
    key = open_key(options.key or default_key(out), out)
    with writing():
        out.mkdir(parents=True, exist_ok=True)
        (out / REPORT_NAME).unlink(missing_ok=True)
        for part in out.glob("*/*/.*.part"):  # of a run that was killed
            part.unlink(missing_ok=True)
    key.inputs[os.path.realpath(out)] = [file.source for file in files]
    key.save()
    items = [Numbered(number, file) for number, file in enumerate(files, start=1)]
    with (
        QuarantineLog(out) as quarantine,
        FinishedOutputs(out, resume=options.resume) as finished,
        nullcontext(readers) if readers else ReaderPool(options.workers) as reading,
        threads(options.workers, "medcam-deidentify") as pool,
    ):
        tally = _Tally(out, key, quarantine, finished, len(files), progress)
        worker = Worker(key.secret, options.profile, reading, finished, finder)
        try:
            for outcome in bounded_map(pool, worker, items, options.workers + 2):
                tally.add(outcome)
            tally.check_all(with_dates=not options.profile.retain_longitudinal)
        finally:
            key.save()
    report = tally.report(options, finder)
    with writing():
        write_report(out, report)
    return report


def _text_finder(options: DeidentifyOptions) -> TextFinding | None:
    """The detector, where pixels are cleaned; PyTorch is loaded for that alone."""
    if not options.profile.clean_pixels:
        return None
    from medcam.service.find_text import TextFinder

    return TextFinder.load()


class _Tally:
    """Writes outputs and keeps the books; all in one thread."""

    def __init__(
        self,
        out: Path,
        key: KeyFile,
        quarantine: QuarantineLog,
        finished: FinishedOutputs,
        total: int,
        progress: Progress,
    ) -> None:
        self._out, self._key, self._quarantine, self._finished = out, key, quarantine, finished
        self._total, self._progress = total, progress
        self._sources: dict[str, str] = {}
        self._identifiers: list[Identifiers] = []
        self._written: dict[str, Written] = {}
        self._skipped: list[Refused] = []
        self._duplicates: list[int] = []
        self._refused: list[Refused] = []

    def add(self, outcome: Outcome) -> None:
        """Takes what became of an input; writes it where it came through."""
        match outcome:
            case Passed():
                self._pass(outcome)
            case Kept():
                if self._is_first(outcome.written.file, outcome.source, outcome.written.input):
                    self._identifiers.append(outcome.identifiers)
                    self._written[outcome.written.file] = outcome.written
                    self._remember(outcome.back)
            case Done():
                self._write(outcome)
        self._progress(self._done, self._total, len(self._refused))

    def check_all(self, *, with_dates: bool) -> None:
        """Searches every output for the identifiers of every patient of the run; what is found is taken away.

        Args:
            with_dates: Whether dates count: a date that was moved may fall on an original date of another patient.
        """
        texts = {text for each in self._identifiers for text in (each.all if with_dates else each.texts | each.uids)}
        searcher = Searcher(texts)
        for file, written in list(self._written.items()):
            with writing():
                data = (self._out / file).read_bytes()
            if header_finds(data, searcher):
                self._take_back(written)

    def report(self, options: DeidentifyOptions, finder: TextFinding | None) -> Report:
        """The books, closed."""
        return Report(
            profile=options.profile,
            software=software_versions(),
            written=tuple(sorted(self._written.values(), key=lambda item: item.input)),
            skipped=tuple(self._skipped),
            duplicates=tuple(self._duplicates),
            refused=tuple(self._refused),
            text_detector=None if finder is None else finder.digest,
        )

    @property
    def _done(self) -> int:
        return len(self._written) + len(self._skipped) + len(self._duplicates) + len(self._refused)

    def _write(self, done: Done) -> None:
        result, file = done.result, _place(done.result)
        if not self._is_first(file, done.source, done.number):
            return
        written = Written(
            done.number, file, result.patient, result.blackened.pixels, result.blackened.share, result.warnings
        )
        with writing():
            _write_verified(self._out / file, result.data)
        self._finished.add(done.source, written, result.data)
        self._written[file] = written
        self._identifiers.append(result.identifiers)
        self._remember(result.back)

    def _remember(self, back: WayBack) -> None:
        original = back.original
        self._key.patients[back.patient] = {
            "PatientID": original["PatientID"],
            "PatientName": original["PatientName"],
            "days_moved": str(back.days),
        }
        self._key.studies[back.study] = {
            name: original[name] for name in ("StudyInstanceUID", "AccessionNumber", "StudyID")
        }

    def _is_first(self, file: str, source: str, number: int) -> bool:
        """Whether no earlier input has the same SOP Instance UID, and so the same place."""
        first = self._sources.setdefault(file, source)
        if file not in self._written:
            return True
        if first == source:
            self._duplicates.append(number)
        else:
            next_step = "Find out which of the two is right."
            self._refuse(Refused(number, DUPLICATE_UID, "an earlier input has this UID and other content", next_step))
        return False

    def _pass(self, outcome: Passed) -> None:
        if outcome.is_skipped:
            self._skipped.append(outcome.reason)
        else:
            self._refuse(outcome.reason)

    def _refuse(self, refused: Refused) -> None:
        self._quarantine.add(f"input {refused.input}", refused.code, refused.message, refused.next_step)
        self._refused.append(refused)

    def _take_back(self, written: Written) -> None:
        with writing():
            (self._out / written.file).unlink(missing_ok=True)
        del self._written[written.file]
        message = "the result holds a value that identifies a patient of this run"
        self._refuse(Refused(written.input, LEFT, message, "Report it without the file."))


def _place(result: Deidentified) -> str:
    """Path below the output folder: digests of new UIDs, so that nothing original reaches a name."""
    parts = (
        hashlib.sha256(uid.encode("ascii")).hexdigest()[:16] for uid in (result.study, result.series, result.instance)
    )
    return "/".join(parts) + ".dcm"


def _write_verified(path: Path, data: bytes) -> None:
    """Writes bytes that were verified, and reads them back before the file gets its name."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        if part.read_bytes() != data:
            raise OSError("the disk gave back other bytes")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
