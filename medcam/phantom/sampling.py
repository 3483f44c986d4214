"""Drawing cases at random: everything by seed and index, each concern from its own stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from medcam.core.errors import UsageError
from medcam.phantom.case import FINDINGS, Acquisition, Case, Distractor, Patient
from medcam.phantom.findings import INSERTERS

NORMAL_SHARE = 0.25
PREVALENCE = 0.25
"""Of each finding among cases that are not normal: about 19 % of all."""

WORDS = ("PORTABLE", "AP ERECT", "SUPINE", "ERECT", "PORT AP", "CHEST")


def sample_case(
    seed: int, index: int, *, prevalence: float | None = None, findings: Sequence[str] | None = None
) -> Case:
    """Draws one case, the same for the same seed and index, whatever else is drawn.

    Args:
        seed: At least 0.
        index: At least 0; cases of one seed are independent of each other.
        prevalence: Probability of each finding; by default a quarter of the cases is normal and each finding is present
            in about 19 %.
        findings: Exactly these findings instead of random ones.

    Raises:
        UsageError: A finding's name is unknown, or seed or index is negative.
    """
    if seed < 0 or index < 0:
        raise UsageError("seed and index must be at least 0")
    unknown = set(findings or ()) - set(FINDINGS)
    if unknown:
        raise UsageError(f"phantoms have no finding {sorted(unknown)}", next_step=f"They know: {', '.join(FINDINGS)}.")
    streams = [np.random.default_rng(part) for part in np.random.SeedSequence([seed, index]).spawn(5 + len(FINDINGS))]
    patient = _patient(streams[0])
    chosen = set(findings) if findings is not None else _presence(streams[1], prevalence)
    specs = tuple(
        INSERTERS[name].sample(stream, name)
        for name, stream in zip(FINDINGS, streams[5:], strict=True)
        if name in chosen
    )
    acquisition = _acquisition(streams[2], patient)
    return Case(seed, index, patient, specs, acquisition, _distractors(streams[3], patient))


def _presence(rng: np.random.Generator, prevalence: float | None) -> set[str]:
    draws = rng.random(len(FINDINGS) + 1)
    if prevalence is None and draws[0] < NORMAL_SHARE:
        return set()
    limit = PREVALENCE if prevalence is None else prevalence
    return {name for name, draw in zip(FINDINGS, draws[1:], strict=True) if draw < limit}


def _patient(rng: np.random.Generator) -> Patient:
    sex = "F" if rng.random() < 0.47 else "M"
    age = int(rng.uniform(20, 89))
    view = "AP" if rng.random() < 0.4 else "PA"
    scale = (0.93 if sex == "F" else 1.03) * float(np.clip(rng.normal(1.0, 0.045), 0.88, 1.12))
    air = float(rng.normal(-14 if view == "AP" else 0, 9))
    dome = (240 + air) * scale
    return Patient(
        sex=sex,
        age_years=age,
        view=view,
        scale=scale,
        thorax=136 * scale * float(np.clip(rng.normal(1.0, 0.03), 0.9, 1.1)),
        apex=36 + float(np.clip(rng.normal(0, 6), -12, 14)),
        dome_right=dome,
        dome_left=dome + abs(float(rng.normal(11, 5))) * scale,
        heart_ratio=float(rng.uniform(0.385, 0.485)),
        rotation=float(np.clip(rng.normal(0, 3.5), -9, 9)),
        depth=float(np.clip(rng.normal(205, 22), 150, 270)) * scale,
        fat=max(0.0, float(rng.normal(18, 11))),
        aorta=float(np.clip((age - 40) / 45, 0, 1) * 8 + rng.normal(0, 2)),
        markings=float(rng.uniform(0.7, 1.4)),
        rib_density=float(rng.uniform(0.75, 1.25)) * (0.8 if age > 65 else 1.1),
        seed=int(rng.integers(2**31)),
    )


def _acquisition(rng: np.random.Generator, patient: Patient) -> Acquisition:
    portable = patient.view == "AP"
    return Acquisition(
        field=2 * patient.thorax + float(rng.uniform(60, 120)),
        shift_x=float(np.clip(rng.normal(0, 7), -20, 20)),
        shift_y=float(rng.uniform(-14, 8)),
        photons=float(np.exp(rng.uniform(np.log(1500), np.log(9000)))),
        scatter=float(rng.uniform(0.4, 0.9) if portable else rng.uniform(0.15, 0.5)),
        unsharpness=float(rng.uniform(0.18, 0.45)),
        edge=float(rng.uniform(0.3, 1.0)),
        equalise=float(rng.uniform(0.05, 0.45)),
        gamma=float(rng.uniform(0.8, 1.3)),
        bits_stored=int(rng.choice([10, 12, 12, 14])),
        photometric="MONOCHROME1" if rng.random() < 0.35 else "MONOCHROME2",
        voi=str(rng.choice(["window", "narrow", "sigmoid", "table"])),
        seed=int(rng.integers(2**31)),
    )


def _distractors(rng: np.random.Generator, patient: Patient) -> tuple[Distractor, ...]:
    items: list[Distractor] = []
    if rng.random() < 0.8:
        left = rng.random() < 0.6
        x = float(rng.uniform(0.86, 0.95) if left else rng.uniform(0.05, 0.14))
        y, size = float(rng.uniform(0.05, 0.3)), float(rng.uniform(0.035, 0.06))
        items.append(Distractor("marker", x, y, "L" if left else "R", size, float(rng.uniform(0.8, 1.0))))
    if rng.random() < 0.35:
        words = str(rng.choice(WORDS[:5] if patient.view == "AP" else WORDS[3:]))
        x, y = float(rng.uniform(0.05, 0.7)), float(rng.choice([rng.uniform(0.02, 0.08), rng.uniform(0.9, 0.95)]))
        items.append(Distractor("text", x, y, words, float(rng.uniform(0.022, 0.034)), 1.0))
    if rng.random() < 0.12:
        for _ in range(int(rng.integers(1, 5))):
            x, y = float(rng.uniform(0.3, 0.7)), float(rng.uniform(0.2, 0.9))
            items.append(Distractor("button", x, y, "", float(rng.uniform(0.018, 0.03)), float(rng.uniform(0.1, 0.3))))
    if rng.random() < (0.45 if patient.view == "AP" else 0.08):
        for _ in range(int(rng.integers(2, 5))):
            x, y = float(rng.uniform(0.15, 0.85)), float(rng.uniform(0.15, 0.75))
            size, strength = float(rng.uniform(0.02, 0.035)), float(rng.uniform(0.15, 0.4))
            items.append(Distractor("electrode", x, y, "", size, strength, float(rng.uniform(0.3, 2.8))))
    return tuple(items)
