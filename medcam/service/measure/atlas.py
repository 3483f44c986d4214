"""Builds the atlas that ships with `medcam.anatomy` from phantoms without findings.

    python -m medcam.service.measure.atlas

writes `medcam/anatomy/atlas.npz` again, the same bytes for the same phantoms. Rerun it whenever the phantom's anatomy
changes; `python -m medcam.service.measure.anatomy` then measures what the zones are worth.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import medcam.anatomy
from medcam.anatomy import Atlas, build_atlas, with_sight
from medcam.core.arrays import BoolArray, FloatArray
from medcam.phantom import render, sample_case

SEED = 8_675_309
COUNT = 400
SIZE = 256
TARGET = Path(medcam.anatomy.__file__).with_name("atlas.npz")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class AtlasPlan:
    """Which phantoms make the atlas: `count` patients of `seed`, rendered at `size` pixels, without findings."""

    seed: int = SEED
    count: int = COUNT
    size: int = SIZE


def phantom_atlas(plan: AtlasPlan) -> Atlas:
    """Builds an atlas of phantoms, one at a time in memory; they are drawn twice, to be averaged and looked at."""
    origin = f"{plan.count} phantoms of seed {plan.seed} without findings at {plan.size} px"
    return with_sight(build_atlas(_cases(plan), origin=origin), _cases(plan))


def _cases(plan: AtlasPlan) -> Iterator[tuple[FloatArray, Mapping[str, BoolArray]]]:
    for index in range(plan.count):
        phantom = render(sample_case(plan.seed, index, prevalence=0.0), plan.size)
        yield phantom.linear, phantom.zones


def main(arguments: list[str] | None = None) -> None:
    """Command line of the module."""
    parser = argparse.ArgumentParser(description="Build the anatomy atlas from phantoms.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--count", type=int, default=COUNT)
    parser.add_argument("--size", type=int, default=SIZE)
    parser.add_argument("--out", type=Path, default=TARGET)
    given = parser.parse_args(arguments)
    atlas = phantom_atlas(AtlasPlan(given.seed, given.count, given.size))
    atlas.save(given.out)
    _log.info("%s: %s, lungs' height over width %.3f", given.out, atlas.origin, atlas.aspect)


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    main()
