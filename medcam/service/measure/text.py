"""How well burned-in print is found: by the detector that learnt it, by the hand-made one, and by both together.

    python -m medcam.service.measure.text --work runs/text-measure

prints names, dates, numbers and markers on phantoms that no detector has seen, and looks for print on each film with it
and on the same film without. Beside that, where they are there: real films of which someone has said whether they show
print, and DICOM files that say so themselves. Intervals are 95 %, over films.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from scipy import ndimage

from medcam.core.arrays import BoolArray
from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.evaluate.localisation import mean_interval, share_interval
from medcam.service.atomic import write_text
from medcam.service.find_text import MODEL, TextFinder
from medcam.service.measure.burned_lines import Line, burn_at_random, random_print
from medcam.service.measure.clean_pixels import FAINT, MOST_LINES, PLAIN
from medcam.service.measure.text_real import LABELLED, NAMES, Detectors, RealFigures, attribute_figures, real_figures
from medcam.service.training.text_pictures import FULL, clean_phantom
from medcam.service.training.text_print import UNSEEN_FONTS

TEST_SEED = 4545
"""Phantom seed of the films that are measured on; the detector has not seen it."""

_KINDS: Mapping[str, Callable[[Line], bool]] = {
    "all": lambda line: True,
    "bright, no box": lambda line: line.style.bright and not line.style.boxed,
    f"bright, no box, contrast below {PLAIN}": lambda line: (
        line.style.bright and not line.style.boxed and line.contrast < PLAIN
    ),
    "dark, no box": lambda line: not line.style.bright and not line.style.boxed,
    "in a box": lambda line: line.style.boxed,
    "single letters": lambda line: len(line.style.text) == 1,
    "letters of 14 pixels and less": lambda line: line.style.height <= 14,
    f"contrast below {FAINT}": lambda line: line.contrast < FAINT,
    "fonts that were not learnt": lambda line: line.style.font in UNSEEN_FONTS,
}


@dataclass(frozen=True, slots=True)
class TextPlan:
    """How much is measured.

    Args:
        films: Phantoms.
        side: Of the films in pixels.
        seed: Of the phantoms and of the print.
        real: Most real films, of those that are labelled.
    """

    films: int = 50
    side: int = FULL
    seed: int = TEST_SEED
    real: int = 200

    def __post_init__(self) -> None:
        if self.films < 1 or self.side < 64 or self.real < 0:
            raise UsageError("print is looked for on at least one phantom of at least 64 pixels")


@dataclass(frozen=True, slots=True)
class FilmFound:
    """What one detector found on one phantom.

    Args:
        ink: Share of all ink covered.
        outside: Share of the film covered away from print, with print on it.
        alarms: Boxes that touch no print, with print on the film.
        clean: Share of the film covered without print.
        clean_alarms: Boxes without print.
        lines: Share of the ink covered, line by line.
    """

    ink: float
    outside: float
    alarms: int
    clean: float
    clean_alarms: int
    lines: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class FilmLines:
    """Which kinds each line of a phantom belongs to, and what each detector found there."""

    kinds: tuple[tuple[str, ...], ...]
    found: Mapping[str, FilmFound]


@dataclass(frozen=True, slots=True)
class TextFigures:
    """What was measured.

    Args:
        plan: How much.
        model: Name and version of the detector.
        weights: Digest of its weights.
        phantoms: By detector: figures over films, and over lines by kind, each with n and its 95 % interval.
        real: By detector, on real films; None where they are absent.
        attribute: By detector, beside Burned In Annotation; None where there are no DICOM files.
    """

    plan: TextPlan
    model: str
    weights: str
    phantoms: Mapping[str, Mapping[str, object]] = field(repr=False)
    real: Mapping[str, RealFigures] | None = None
    attribute: Mapping[str, object] | None = None

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def text_figures(
    plan: TextPlan,
    folder: Path,
    *,
    model: str | Path = MODEL,
    radiographs: Path | None = None,
    dicom: Path | None = None,
    labels: Path = LABELLED,
    threads: int = 1,
    report: Callable[[str], None] = lambda _: None,
) -> TextFigures:
    """Measures the detectors.

    Args:
        plan: How much.
        folder: Where finished phantoms are kept; a killed run goes on where it was.
        model: The detector, by name or folder.
        radiographs: Folder with the real films that `labels` names; None, or where it is absent, measures none.
        dicom: Folder with DICOM files; the sample data are measured in any case.
        labels: Table of real films and of what was seen on them.
        threads: CPU threads of the detector.
        report: Called with what has been done.
    """
    torch.set_num_threads(threads)
    finder = TextFinder.load(model)
    detectors = Detectors(finder)
    films = []
    for index in range(plan.films):
        films.append(_kept(plan, index, detectors, folder / finder.digest[:16]))
        report(f"phantom {index + 1} of {plan.films}")
    known = radiographs is not None and radiographs.is_dir()
    return TextFigures(
        plan=plan,
        model=f"{finder.card.name} {finder.card.version}",
        weights=finder.digest,
        phantoms={name: _summary(films, name) for name in NAMES},
        real=real_figures(radiographs, labels, plan.real, detectors) if known and radiographs and plan.real else None,
        attribute=attribute_figures(dicom, detectors) if plan.real else None,
    )


def look(plan: TextPlan, index: int, detectors: Detectors) -> FilmLines:
    """Prints on one phantom and lets every detector look at it, with print and without."""
    film = clean_phantom(plan.seed, index, plan.side)
    random = np.random.default_rng([plan.seed, index])
    lines: list[Line] = []
    while not lines:
        written = film.copy()
        styles = [random_print(random, plan.side) for _ in range(random.integers(1, MOST_LINES + 1))]
        lines = burn_at_random(written, styles, random)
    kinds = tuple(tuple(name for name, belongs in _KINDS.items() if belongs(line)) for line in lines)
    found, clean = detectors(written), detectors(film)
    return FilmLines(kinds, {name: judged(found[name], clean[name], lines) for name in NAMES})


def judged(found: BoolArray, on_clean: BoolArray, lines: Sequence[Line]) -> FilmFound:
    """Compares what was found with where the print is.

    Args:
        found: bool [height, width], with print on the film.
        on_clean: The same without.
        lines: At least one.
    """
    ink, place = np.zeros(found.shape, np.bool_), np.zeros(found.shape, np.bool_)
    for line in lines:
        ink |= line.ink
        place[line.place] = True
    parts, count = ndimage.label(found, np.ones((3, 3)))
    return FilmFound(
        ink=float(found[ink].mean()),
        outside=float((found & ~place).mean()),
        alarms=int(count - np.count_nonzero(np.unique(parts[place]))),
        clean=float(on_clean.mean()),
        clean_alarms=int(ndimage.label(on_clean, np.ones((3, 3)))[1]),
        lines=tuple(float(found[line.ink].mean()) for line in lines),
    )


def _kept(plan: TextPlan, index: int, detectors: Detectors, folder: Path) -> FilmLines:
    path = folder / f"{plan.seed}-{plan.side}-{index}.json"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        write_text(path, json.dumps(asdict(look(plan, index, detectors))))
    told = json.loads(path.read_text(encoding="utf-8"))
    found = {name: FilmFound(**{**each, "lines": tuple(each["lines"])}) for name, each in told["found"].items()}
    return FilmLines(tuple(tuple(kinds) for kinds in told["kinds"]), found)


def _summary(films: Sequence[FilmLines], name: str) -> dict[str, object]:
    found = [film.found[name] for film in films]
    count = len(films)
    return {
        "films": {
            "recall of the characters' area": _told(mean_interval([each.ink for each in found]), count),
            "every character covered": _told(share_interval([min(each.lines) == 1 for each in found]), count),
            "film covered outside print": _told(mean_interval([each.outside for each in found]), count),
            "false alarms": _told(mean_interval([each.alarms for each in found]), count),
            "film covered without print": _told(mean_interval([each.clean for each in found]), count),
            "false alarms without print": _told(mean_interval([each.clean_alarms for each in found]), count),
            "films without print left alone": _told(share_interval([not each.clean_alarms for each in found]), count),
        },
        "lines": {kind: _over_lines(films, name, kind) for kind in _KINDS},
    }


def _over_lines(films: Sequence[FilmLines], name: str, kind: str) -> dict[str, object]:
    chosen = [
        (number, recall)
        for number, film in enumerate(films)
        for kinds, recall in zip(film.kinds, film.found[name].lines, strict=True)
        if kind in kinds
    ]
    if not chosen:
        return {"n": 0}
    patients, recalls = zip(*chosen, strict=True)
    return {
        "recall of the characters' area": _told(mean_interval(recalls, patients), len(chosen)),
        "touched": _told(share_interval([recall > 0 for recall in recalls]), len(chosen)),
        "every character covered": _told(share_interval([recall == 1 for recall in recalls]), len(chosen)),
    }


def _told(interval: Interval, count: int) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high, "n": count}


def main() -> None:
    """Reads the command line and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--films", type=int, default=TextPlan().films)
    parser.add_argument("--seed", type=int, default=TEST_SEED)
    parser.add_argument("--size", type=int, default=FULL)
    parser.add_argument("--radiographs", type=Path)
    parser.add_argument("--dicom", type=Path)
    given = parser.parse_args()
    plan = TextPlan(given.films, given.size, given.seed)
    figures = text_figures(plan, given.work, model=given.model, radiographs=given.radiographs, dicom=given.dicom)
    sys.stdout.write(json.dumps(figures.as_dict(), indent=1) + "\n")


if __name__ == "__main__":
    main()
