"""How much an experiment may take."""

from __future__ import annotations

from enum import StrEnum

from medcam.service.comparison.films import TEST_SEED, ComparisonPlan


class Budget(StrEnum):
    """SLICE is for tests, QUICK for a first look, FULL for the figures that the documentation holds."""

    SLICE = "slice"
    QUICK = "quick"
    FULL = "full"

    def comparison(self, seed: int) -> ComparisonPlan:
        """The plan of experiments that train networks on phantoms.

        Args:
            seed: Added to the phantom seed of the films that are measured on: other films for every seed.
        """
        test = TEST_SEED + seed
        if self is Budget.SLICE:
            return ComparisonPlan(patients=24, held=16, side=64, epochs=1, seeds=(0,), test_seed=test)
        if self is Budget.QUICK:
            return ComparisonPlan(patients=150, held=80, side=96, epochs=3, seeds=(0,), test_seed=test)
        return ComparisonPlan(test_seed=test)

    def of(self, slice_: int, quick: int, full: int) -> int:
        """One of three numbers."""
        return {Budget.SLICE: slice_, Budget.QUICK: quick, Budget.FULL: full}[self]
