"""Reads classes of files with medcam and with other readers, and tells which of them are right.

    python -m medcam.service.measure.reading_peers
    python -m medcam.service.measure.reading_peers --write docs/explanation/reading.md
    python -m medcam.service.measure.reading_peers --files FOLDER...

The classes are those of `medcam.dicom.file_classes`, each with its values by the standard's formulas; files that
contradict themselves are left out. Before they are compared, values are scaled between their own minimum and maximum:
units do not matter. Three channels become their luminance. A class of display is judged on brightness, the others on
values. Where there is padding the film is judged without it, and the padding must not be brighter than the film's
darkest value. Real files have no known values: it is told whether they are read, and whether the others agree.
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from monai.data import ImageReader, ITKReader, PydicomReader

from medcam.core.errors import MedcamError
from medcam.dicom import load_radiograph
from medcam.dicom.file_classes import FileClass, file_classes
from medcam.dicom.file_classes.peers import Pixels, Reader, answer, dicom_readers

CLOSE = 0.0035
"""Of the range: less than one of 256 levels, which some readers round to."""

_CHANNELS = 3
_LUMA = np.array([0.299, 0.587, 0.114])
_log = logging.getLogger(__name__)

RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one reader made of one class.

    Args:
        reader: Its name.
        name: The class.
        group: The class's group.
        outcome: "right", "wrong", or the name of the exception.
    """

    reader: str
    name: str
    group: str
    outcome: str


def readers() -> Mapping[str, Reader]:
    """All readers by name; MONAI's ITKReader only where itk is installed."""
    monai = f"MONAI {version('monai')}"
    known = dict(dicom_readers())
    found: dict[str, Reader] = {"medcam": known.pop("medcam")}
    found[f"{monai} PydicomReader"] = _through_monai(PydicomReader(swap_ij=False, affine_lps_to_ras=False))
    if find_spec("itk") is None:
        _log.warning("itk is not installed: MONAI's ITKReader is left out")
    else:
        found[f"{monai} ITKReader (itk {version('itk')})"] = _through_monai(ITKReader(reverse_indexing=True))
    return found | known


def compare(cases: Iterable[FileClass], folder: Path) -> list[Verdict]:
    """Reads every class with every reader.

    Args:
        cases: The classes; those that the standard does not settle are passed over.
        folder: Where their files are written.

    Returns:
        A verdict for each reader and class; for a class to be refused, "right" is an exception.
    """
    verdicts, known = [], readers()
    path = folder / "film.dcm"
    for case in (case for case in cases if case.settled):
        path.write_bytes(case.data)
        for name, reader in known.items():
            made = answer(reader, str(path), shown=case.needs_display)
            verdicts.append(Verdict(name, case.name, case.group, _judge(case, made)))
    return verdicts


def score_table(verdicts: list[Verdict]) -> str:
    """Markdown: how many classes of each group each reader gets right."""
    names = list(dict.fromkeys(verdict.reader for verdict in verdicts))
    groups = list(dict.fromkeys(verdict.group for verdict in verdicts if verdict.group != "refused"))
    lines = [_row(["classes", "n", *names]), _row(["---", "---:", *["---:"] * len(names)])]
    for group in [*groups, "all"]:
        chosen = [verdict for verdict in verdicts if verdict.group in (groups if group == "all" else [group])]
        counts = Counter(verdict.reader for verdict in chosen if verdict.outcome == RIGHT)
        lines.append(_row([group, str(len(chosen) // len(names)), *(str(counts[name]) for name in names)]))
    return "\n".join(lines)


def detail_table(verdicts: list[Verdict]) -> str:
    """Markdown: every class that not all readers get right."""
    names = list(dict.fromkeys(verdict.reader for verdict in verdicts))
    lines = [_row(["class", *names]), _row(["---", *["---"] * len(names)])]
    by_class: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        by_class.setdefault(verdict.name, []).append(verdict)
    for name, row in by_class.items():
        if any(verdict.outcome != RIGHT for verdict in row):
            lines.append(_row([name, *(_cell(verdict) for verdict in row)]))
    return "\n".join(lines)


def real_files(folders: Iterable[Path]) -> str:
    """Markdown: how many files of some folders are read here, with which codes others are refused, and who agrees."""
    counts, agree, total = Counter[str](), Counter[str](), 0
    known = readers()
    for path in sorted(path for folder in folders for path in folder.rglob("*") if path.is_file()):
        total += 1
        try:
            ours = load_radiograph(path)
        except MedcamError as error:
            counts[error.code] += 1
            continue
        counts["read"] += 1
        for name, reader in known.items():
            made = answer(reader, str(path), shown=False)
            kept = None if ours.padding is None else ~ours.padding
            agree[name] += int(not isinstance(made, str) and _close(made, ours.pixels, kept, 0.0))
    lines = [f"{total} files.", "", _row(["outcome here", "files"]), _row(["---", "---:"])]
    lines += [_row([name, str(count)]) for name, count in counts.most_common()]
    lines += ["", _row(["reader", "agrees with medcam on the values"]), _row(["---", "---:"])]
    lines += [_row([name, f"{agree[name]} of {counts['read']}"]) for name in known if name != "medcam"]
    return "\n".join(lines)


def _through_monai(reader: ImageReader) -> Reader:
    def read(path: str, shown: bool) -> Pixels:  # neither of MONAI's readers knows windows
        image = reader.read(path)
        values = np.array(reader.get_data(image)[0])  # a copy: ITK's array ends with its image
        if values.ndim == 4:  # colour: channels come first or last, and a frame axis with them
            values = np.squeeze(values)
        if values.ndim == 3 and values.shape[0] == _CHANNELS:
            values = np.moveaxis(values, 0, -1)
        return values[0] if values.ndim == 3 and values.shape[0] == 1 else values

    return read


def _judge(case: FileClass, made: Pixels | str) -> str:
    if case.refused:
        return RIGHT if isinstance(made, str) else "an image"
    if isinstance(made, str):
        return made
    wanted = case.shown if case.needs_display else case.values
    assert wanted is not None
    kept = None if case.padding is None else ~case.padding
    extent = float(np.ptp(wanted)) or 1.0
    if not _close(made, wanted, kept, case.tolerance / extent):
        return WRONG
    if kept is not None and _grey(made)[~kept].max() > _grey(made)[kept].min():
        return WRONG
    return RIGHT


def _close(made: Pixels, wanted: Pixels, kept: npt.NDArray[np.bool_] | None, allowed: float) -> bool:
    grey = _grey(made)
    if grey.shape != wanted.shape:
        return False
    pair = [values if kept is None else values[kept] for values in (grey, np.asarray(wanted, dtype=np.float64))]
    return bool(np.abs(_scaled(pair[0]) - _scaled(pair[1])).max() <= CLOSE + 2 * allowed)


def _grey(values: Pixels) -> npt.NDArray[np.floating[Any]]:
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim == 3 and numbers.shape[-1] == 3:
        numbers = numbers @ _LUMA
    return numbers


def _scaled(values: npt.NDArray[np.floating[Any]]) -> npt.NDArray[np.floating[Any]]:
    extent = np.ptp(values)
    return np.asarray((values - values.min()) / (extent if extent > 0 else 1.0))


def _cell(verdict: Verdict) -> str:
    return verdict.outcome if verdict.outcome in (RIGHT, WRONG, "an image") else f"raises {verdict.outcome}"


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _between(text: str, name: str, body: str) -> str:
    start, end = f"<!-- figures: {name} -->", "<!-- end of figures -->"
    head, rest = text.split(start, 1)
    return f"{head}{start}\n{body}\n{end}{rest.split(end, 1)[1]}"


def main() -> None:
    """Command line of this module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=Path, nargs="*", default=[], help="folders of real files to read as well")
    parser.add_argument("--write", type=Path, help="a page whose figures are to be replaced")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        verdicts = compare(file_classes(), Path(folder))
    parts = {"readers": score_table(verdicts), "classes": detail_table(verdicts)}
    if options.files:
        parts["files"] = real_files(options.files)
    for name, body in parts.items():
        sys.stdout.write(f"{body}\n\n")
        if options.write:
            options.write.write_text(_between(options.write.read_text(), name, body))


if __name__ == "__main__":
    main()
