"""Support devices: pacemaker with leads, central line, endotracheal tube, gastric tube."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline

from medcam.phantom.case import LEFT, FindingSpec
from medcam.phantom.findings.base import draw_seed, draw_side
from medcam.phantom.grid import Image, dome
from medcam.phantom.thorax import Thorax
from medcam.phantom.tubes import add_tube

KINDS = ("pacemaker", "central line", "endotracheal tube", "gastric tube")
POINTS = 28


class SupportDevices:
    """One or more devices; the mask is their thin lines, dilated by one map cell when the truth is made."""

    footprint = 0.12

    def sample(self, rng: np.random.Generator, name: str) -> FindingSpec:
        """Draws which devices and how radio-opaque they are."""
        draws = rng.random(len(KINDS))
        kinds = [kind for kind, draw in zip(KINDS, draws, strict=True) if draw < 0.4]
        kinds = kinds or [KINDS[int(np.argmin(draws))]]
        return FindingSpec(
            name, draw_side(rng), {"opacity": float(rng.uniform(0.4, 1.2))}, draw_seed(rng), ", ".join(kinds)
        )

    def insert(self, thorax: Thorax, spec: FindingSpec) -> Image:
        """Adds metal and radio-opaque plastic; returns their chord length scaled to what they attenuate."""
        makers: dict[str, Callable[[Thorax, FindingSpec, np.random.Generator], Image]] = {
            "pacemaker": _pacemaker,
            "central line": _central_line,
            "endotracheal tube": _endotracheal_tube,
            "gastric tube": _gastric_tube,
        }
        total = thorax.grid.zeros()
        for kind in spec.kind.split(", "):
            rng = np.random.default_rng([spec.seed, KINDS.index(kind)])
            device = makers[kind](thorax, spec, rng)
            thorax.metal += device
            # A generator outshines its leads by far; in the mask they count alike.
            total = np.maximum(total, np.minimum(device / 0.35, 1.0))
        return total


def _curve(points: list[tuple[float, float]]) -> npt.NDArray[np.float64]:
    knots = np.linspace(0, 1, len(points))
    return np.asarray(CubicSpline(knots, np.array(points))(np.linspace(0, 1, POINTS)))


def _pacemaker(thorax: Thorax, spec: FindingSpec, rng: np.random.Generator) -> Image:
    patient, device = thorax.patient, thorax.grid.zeros()
    s = patient.scale
    side = LEFT if rng.random() < 0.75 else -LEFT
    x, y = side * (84 + rng.normal(0, 8)) * s, (64 + rng.normal(0, 7)) * s
    q = np.abs((thorax.grid.x - x) / (21 * s)) ** 3.2 + np.abs((thorax.grid.y - y) / (18 * s)) ** 3.2
    device += 2.2 * dome(q)
    tips = [(30 * s, patient.dome_left - 10 * s), (-14 * s, patient.dome_right - 52 * s)]
    for tip in tips[: int(rng.integers(1, 3))]:
        path = [(x - side * 18 * s, y), (side * 34 * s, 48 * s), (-10 * s, 82 * s), (-17 * s, 150 * s), tip]
        add_tube(thorax.grid, device, _curve(path), [0.75] * POINTS, strength=1.1)
    return device


def _central_line(thorax: Thorax, spec: FindingSpec, rng: np.random.Generator) -> Image:
    s, device = thorax.patient.scale, thorax.grid.zeros()
    entry = (spec.side * (88 + rng.normal(0, 12)) * s, (24 + rng.normal(0, 8)) * s)
    tip = (-17 * s, (135 + rng.normal(0, 14)) * s)
    path = [entry, (spec.side * 45 * s, 46 * s), (-8 * s, 72 * s), (-16 * s, tip[1] - 22 * s), tip]
    add_tube(thorax.grid, device, _curve(path), [1.0] * POINTS, strength=0.32 * spec["opacity"])
    return device


def _endotracheal_tube(thorax: Thorax, spec: FindingSpec, rng: np.random.Generator) -> Image:
    s, device = thorax.patient.scale, thorax.grid.zeros()
    middle, tip = 0.4 * thorax.patient.rotation, (68 + rng.normal(0, 9)) * s
    line = [(middle, -25.0), (middle - 1, 20.0), (middle - 2, tip)]
    add_tube(thorax.grid, device, line, [3.6 * s] * 3, hollow=0.6, strength=0.075 * spec["opacity"])
    stripe = [(middle + 2, -25.0), (middle + 1, 20.0), (middle, tip - 3)]
    add_tube(thorax.grid, device, stripe, [0.6] * 3, strength=0.4 * spec["opacity"])
    return device


def _gastric_tube(thorax: Thorax, spec: FindingSpec, rng: np.random.Generator) -> Image:
    patient, device = thorax.patient, thorax.grid.zeros()
    s, middle, floor = patient.scale, 0.4 * patient.rotation, patient.dome_left
    end = (rng.uniform(60, 80) * s, floor + rng.uniform(28, 40) * s)
    path = [(middle + 3, -25.0), (middle + 6, 60 * s), (middle + 8, 140 * s), (12 * s, floor - 4 * s)]
    path += [(46 * s, floor + 26 * s), end]
    add_tube(thorax.grid, device, _curve(path), [1.6] * POINTS, strength=0.2 * spec["opacity"])
    return device
