"""How much burned-in text `medcam deidentify --clean-pixels` finds, and how much film it takes by mistake.

    python -m medcam.service.measure.clean_pixels --count 45 --seed 7

renders phantoms without side markers and text, and looks for text on each of them as it is, and again with one to three
lines burned in: names, dates, numbers and markers in several fonts, sizes and polarities, anywhere on the film. What
is readable is not asked: ink that has the value of the film behind it counts as missed too. Figures over lines tell
apart how much the ink stands out, since that decides most. Intervals are 95 %, over films.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from medcam.core.arrays import BoolArray
from medcam.core.card import Interval
from medcam.core.errors import UsageError
from medcam.dicom.deidentify import find_burned_in
from medcam.evaluate.localisation import mean_interval, share_interval
from medcam.phantom import render, sample_case
from medcam.service.measure.burned_lines import BITMAP, OUTLINE, REFERENCE, Line, burn_at_random, random_print

MOST_LINES = 3
TEXT = ("marker", "text")
"""Distractors of the phantom that are text themselves."""
FAINT, PLAIN = 0.15, 0.35
"""Contrast of the ink below which it is hard to read, and from which on it is plain."""

_KINDS: dict[str, Callable[[Line], bool]] = {
    "bright, no box": lambda line: line.style.bright and not line.style.boxed,
    "dark, no box": lambda line: not line.style.bright and not line.style.boxed,
    "bright on a dark box": lambda line: line.style.bright and line.style.boxed,
    "dark on a bright box": lambda line: not line.style.bright and line.style.boxed,
    "Pillow's outlines": lambda line: line.style.font == OUTLINE,
    "Pillow's dots": lambda line: line.style.font == BITMAP,
    "OpenCV's fonts": lambda line: line.style.font not in (OUTLINE, BITMAP),
    "single letters": lambda line: len(line.style.text) == 1,
    f"contrast below {FAINT}": lambda line: line.contrast < FAINT,
    f"contrast {FAINT} to {PLAIN}": lambda line: FAINT <= line.contrast < PLAIN,
    f"contrast from {PLAIN} on": lambda line: line.contrast >= PLAIN,
    "bright, no box, contrast below 0.35": lambda line: (
        line.style.bright and not line.style.boxed and line.contrast < PLAIN
    ),
    "bright, no box, contrast from 0.35 on": lambda line: (
        line.style.bright and not line.style.boxed and line.contrast >= PLAIN
    ),
}


@dataclass(frozen=True, slots=True)
class FilmScore:
    """What was found on one phantom.

    Args:
        lines: The lines burned in, each with the share of its ink that was covered.
        recall: Share of all ink covered.
        outside: Share of the film that was covered away from text, with text on it.
        text: Share of the film that lines with their surroundings take up.
        false: Share of the film that was covered without any text on it.
    """

    lines: tuple[tuple[Line, float], ...]
    recall: float
    outside: float
    text: float
    false: float


def measure_clean_pixels(count: int, seed: int, side: int = REFERENCE) -> dict[str, object]:
    """Burns text into phantoms and looks for it.

    Args:
        count: Phantoms.
        seed: Of the phantoms and of the text.
        side: Of the films in pixels.

    Returns:
        Plain values for JSON; see `summary`.

    Raises:
        UsageError: There is no phantom.
    """
    if count < 1:
        raise UsageError("text is looked for on at least one phantom")
    return {"count": count, "seed": seed, "size": side, **summary([score(seed, index, side) for index in range(count)])}


def score(seed: int, index: int, side: int) -> FilmScore:
    """Looks for text on one phantom, without and with text."""
    case = sample_case(seed, index)
    case = replace(case, distractors=tuple(item for item in case.distractors if item.kind not in TEXT))
    film = render(case, side, truth=False).linear
    false = float(find_burned_in(film).mean())
    random = np.random.default_rng([seed, index])
    lines: list[Line] = []
    while not lines:
        written = film.copy()
        styles = [random_print(random, side) for _ in range(random.integers(1, MOST_LINES + 1))]
        lines = burn_at_random(written, styles, random)
    return judged(find_burned_in(written), lines, false)


def judged(found: BoolArray, lines: Sequence[Line], false: float) -> FilmScore:
    """Compares what was found with where text is.

    Args:
        found: bool [height, width].
        lines: At least one.
        false: Share of the film that was found before the text was there.
    """
    ink, text = np.zeros(found.shape, np.bool_), np.zeros(found.shape, np.bool_)
    for line in lines:
        ink |= line.ink
        text[line.place] = True
    return FilmScore(
        lines=tuple((line, float(found[line.ink].mean())) for line in lines),
        recall=float(found[ink].mean()),
        outside=float((found & ~text).mean()),
        text=float(text.mean()),
        false=false,
    )


def summary(scores: Sequence[FilmScore]) -> dict[str, object]:
    """Means and shares with n and 95 % intervals.

    Returns:
        Over films: recall of the ink's area, share with all ink covered, share of the film covered outside text, the
        same without text, share of films without text that were left alone. Over lines by kind: recall and share with
        all ink covered.
    """
    recall = [item.recall for item in scores]
    return {
        "with text": {
            "recall of the characters' area": _told(mean_interval(recall), len(scores)),
            "films with every character covered": _told(share_interval([value == 1 for value in recall]), len(scores)),
            "share of the film that text takes up": _told(mean_interval([item.text for item in scores]), len(scores)),
            "share of the film covered outside text": _told(
                mean_interval([item.outside for item in scores]), len(scores)
            ),
        },
        "without text": {
            "share of the film covered": _told(mean_interval([item.false for item in scores]), len(scores)),
            "films left alone": _told(share_interval([item.false == 0 for item in scores]), len(scores)),
        },
        "lines": {"all": _over_lines(scores, lambda _: True)}
        | {name: _over_lines(scores, belongs) for name, belongs in _KINDS.items()},
    }


def _over_lines(scores: Sequence[FilmScore], belongs: Callable[[Line], bool]) -> dict[str, object]:
    """Lines of one film are one patient to the mean; lines that lie apart are taken as independent for the share."""
    chosen = [(film, recall) for film, item in enumerate(scores) for line, recall in item.lines if belongs(line)]
    if not chosen:
        return {"n": 0}
    films, recalls = zip(*chosen, strict=True)
    return {
        "recall of the characters' area": _told(mean_interval(recalls, films), len(chosen)),
        "every character covered": _told(share_interval([recall == 1 for recall in recalls]), len(chosen)),
    }


def _told(interval: Interval, count: int) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high, "n": count}


def main() -> None:
    """Reads the command line and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=45)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--size", type=int, default=REFERENCE)
    given = parser.parse_args()
    sys.stdout.write(json.dumps(measure_clean_pixels(given.count, given.seed, given.size), indent=1) + "\n")


if __name__ == "__main__":
    main()
