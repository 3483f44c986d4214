"""All experiments, in the order of the lecture."""

from __future__ import annotations

from collections.abc import Sequence

from medcam.core.errors import UsageError
from medcam.experiments.anatomy import ANATOMY
from medcam.experiments.drift import DRIFT
from medcam.experiments.errors import ERRORS
from medcam.experiments.experiment import Experiment
from medcam.experiments.faithfulness import FAITHFULNESS
from medcam.experiments.heads import HEADS
from medcam.experiments.ledger import LEDGER
from medcam.experiments.mixed import MIXED
from medcam.experiments.nih_opacity import NIH_OPACITY
from medcam.experiments.nih_regions import NIH_REGIONS
from medcam.experiments.phrases import PHRASES
from medcam.experiments.probes import PROBES
from medcam.experiments.sanity import SANITY
from medcam.experiments.shortcuts import SHORTCUTS
from medcam.experiments.supervision import SUPERVISION
from medcam.experiments.tails import TAILS
from medcam.experiments.text import TEXT
from medcam.experiments.units import UNITS_EXPERIMENT

EXPERIMENTS: tuple[Experiment, ...] = (
    LEDGER,
    TAILS,
    HEADS,
    SUPERVISION,
    MIXED,
    PROBES,
    ANATOMY,
    PHRASES,
    TEXT,
    UNITS_EXPERIMENT,
    ERRORS,
    SHORTCUTS,
    FAITHFULNESS,
    SANITY,
    DRIFT,
)

ON_REAL_FILMS: tuple[Experiment, ...] = (NIH_OPACITY, NIH_REGIONS)
"""Experiments that need a folder of real films; they run when they are named."""


def chosen(names: Sequence[str]) -> tuple[Experiment, ...]:
    """The experiments of some names; where none is given, all that need no real films.

    Raises:
        UsageError: There is no such experiment.
    """
    known = {experiment.name: experiment for experiment in (*EXPERIMENTS, *ON_REAL_FILMS)}
    for name in names:
        if name not in known:
            raise UsageError(f"there is no experiment {name!r}", next_step=f"Choose from {', '.join(known)}.")
    return tuple(known[name] for name in names) or EXPERIMENTS
