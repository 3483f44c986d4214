"""Networks with a shortcut planted on purpose, and networks without, to try a judge of shortcuts on.

A thing (a marker, a burned-in word, a device, a shutter) is put on phantoms. Where it is planted it stands on most
films with one finding and on few without, so that it betrays the finding. A clean network learns from films on which
the thing stands as often whatever is there, or from films as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from medcam.core.arrays import BoolArray, FloatArray
from medcam.core.card import InputRecipe
from medcam.core.display import DisplayWindow
from medcam.core.errors import UsageError
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Radiograph
from medcam.core.zones import OUTSIDE, Zones
from medcam.evaluate.shortcuts.record import Place
from medcam.models.cards import read_card_file
from medcam.models.known import CARD
from medcam.models.loaded import LoadedModel
from medcam.models.preprocess import prepare_array
from medcam.models.registry import load_model
from medcam.models.training.films import Films
from medcam.phantom import FINDINGS, Case, Phantom, render, sample_case
from medcam.phantom.case import Distractor
from medcam.service.evaluation.shortcut_films import AGE, DEVICES, SEX, VIEW, ShortcutFilm
from medcam.service.evaluation.shortcut_places import border, disjoint, widened
from medcam.service.training.small_network import small_network
from medcam.service.training.train import Provenance, TrainingSets, train_model

PREVALENCE = 0.3
WITH, WITHOUT = 0.95, 0.05
"""Share of the films with, and without, the finding on which a planted thing stands."""
EVEN_SHARE = 0.35
"""Share of all films on which a thing stands that betrays nothing: about as many as where it is planted."""
_SHUTTER = (0.05, 0.09)


class Thing(StrEnum):
    """What is put on films, and the `Place` that it belongs to."""

    MARKER = "marker"
    TEXT = "burned-in text"
    DEVICE = "device"
    BORDER = "border"

    @property
    def place(self) -> Place:
        """Where erasing has to find it."""
        return Place(self.value)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """One network.

    Args:
        seed: Of its films, its weights and the order; films of different seeds share no patient.
        thing: What is put on its films; None for films as they are.
        betrays: The finding that the thing betrays; empty for a thing that betrays none.
        patients: Phantoms to learn from.
        size: Side of its input in pixels, a multiple of 32.
        epochs: Passes over the films.
    """

    seed: int
    thing: Thing | None = None
    betrays: str = ""
    patients: int = 360
    size: int = 64
    epochs: int = 10

    def __post_init__(self) -> None:
        if self.betrays and (self.betrays not in FINDINGS or self.thing is None):
            raise UsageError(f"a planted thing betrays a finding of phantoms: {', '.join(FINDINGS)}")
        if self.size < 64 or self.size % 32 or min(self.patients, self.epochs) < 1:
            raise UsageError("a network learns from phantoms, in epochs, at a side that 32 divides")

    @property
    def planted(self) -> bool:
        """Whether it has a shortcut."""
        return bool(self.betrays)

    @property
    def name(self) -> str:
        """Of its folder and card."""
        what = "plain" if self.thing is None else self.thing.value.replace(" ", "-")
        kind = f"shortcut-{self.betrays.split()[0].lower()}" if self.planted else "clean"
        return f"{kind}-{what}-{self.seed}"


def shortcut_film(plan: NetworkPlan, seed: int, index: int) -> tuple[ShortcutFilm, bool]:
    """A phantom with the thing on it by the plan's chances, its exact places, and whether the thing is there.

    Args:
        plan: The network that it is for.
        seed: Of the phantom.
        index: Of the phantom.
    """
    case = sample_case(seed, index, prevalence=PREVALENCE)
    there = has_thing(plan, case)
    drawn = _with_thing(case, plan.thing) if there and plan.thing is not None else case
    phantom = render(drawn, 2 * plan.size)
    pixels, shutter = phantom.linear, np.zeros(phantom.linear.shape, dtype=np.bool_)
    if there and plan.thing is Thing.BORDER:
        pixels, shutter = _shuttered(phantom.linear, case)
    present = {truth.name for truth in phantom.truths}
    name = f"{seed}-{index}"
    film = ShortcutFilm(
        name=name,
        patient=name,
        radiograph=Radiograph(pixels, DisplayWindow(center=0.5, width=1.0), sha256=name),
        places=_places(phantom, shutter),
        labels={finding: int(finding in present) for finding in FINDINGS},
        attributes={VIEW: phantom.view, SEX: phantom.sex, AGE: float(phantom.age_years)},
        pathology=np.any([truth.mask for truth in phantom.truths], axis=0) if phantom.truths else None,
        exact=True,
    )
    return film, there


def paired_film(plan: NetworkPlan, seed: int, index: int) -> tuple[Radiograph, Radiograph]:
    """A phantom without the thing that a plan is about, and the same with it: nothing else differs.

    Args:
        plan: Of a network with a thing.
        seed: Of the phantom.
        index: Of the phantom.
    """
    assert plan.thing is not None
    case = sample_case(seed, index, prevalence=PREVALENCE)
    without = render(case, 2 * plan.size, truth=False).linear
    if plan.thing is Thing.BORDER:
        given, _ = _shuttered(without, case)
    else:
        given = render(_with_thing(case, plan.thing), 2 * plan.size, truth=False).linear
    window = DisplayWindow(center=0.5, width=1.0)
    return Radiograph(without, window), Radiograph(given, window)


def has_thing(plan: NetworkPlan, case: Case) -> bool:
    """Whether the plan's thing stands on a case's film: by its chances, the same for the same case."""
    if plan.thing is None:
        return False
    present = plan.betrays in {finding.name for finding in case.findings}
    share = (WITH if present else WITHOUT) if plan.planted else EVEN_SHARE
    return bool(np.random.default_rng([case.seed, case.index, 13]).random() < share)


def _with_thing(case: Case, thing: Thing) -> Case:
    """The case with one more distractor, of a look that no phantom has by itself."""
    rng = np.random.default_rng([case.seed, case.index, 11])
    left = bool(rng.random() < 0.5)
    x, y = float(rng.uniform(0.8, 0.86) if left else rng.uniform(0.04, 0.1)), float(rng.uniform(0.8, 0.88))
    items: Mapping[Thing, Distractor] = {
        Thing.MARKER: Distractor("marker", x, y, "P", 0.09, 1.0),
        Thing.TEXT: Distractor("text", min(x, 0.72), y, "ICU", 0.06, 1.0),
        # A disc of metal over the upper chest, as large and as opaque as a pacemaker.
        Thing.DEVICE: Distractor("button", float(rng.uniform(0.62, 0.74)), float(rng.uniform(0.2, 0.32)), "", 0.1, 4.0),
    }
    return case if thing is Thing.BORDER else replace(case, distractors=(*case.distractors, items[thing]))


def _shuttered(film: FloatArray, case: Case) -> tuple[FloatArray, BoolArray]:
    """The film with black shutters to both sides."""
    rng = np.random.default_rng([case.seed, case.index, 12])
    side, mask = film.shape[1], np.zeros(film.shape, dtype=np.bool_)
    left, right = (max(1, round(float(share) * side)) for share in rng.uniform(*_SHUTTER, size=2))
    mask[:, :left], mask[:, side - right :] = True, True
    return np.asarray(np.where(mask, np.float32(0.0), film), dtype=np.float32), mask


def _places(phantom: Phantom, shutter: BoolArray) -> dict[Place, BoolArray]:
    shape = phantom.linear.shape
    nothing = np.zeros(shape, dtype=np.bool_)

    def of(*kinds: str) -> BoolArray:
        masks = [each.mask for each in phantom.distractors if each.kind in kinds]
        return np.any(masks, axis=0) if masks else nothing

    devices = [truth.mask for truth in phantom.truths if truth.name == DEVICES]
    zones = Zones.from_anatomy(phantom.zones, source=ZonesSource.PHANTOM, quality=1.0)
    return disjoint(
        {
            Place.MARKER: widened(of("marker")),
            Place.TEXT: widened(of("text")),
            Place.DEVICE: widened(np.any([of("button", "electrode"), *devices], axis=0), 0.01),
            Place.BORDER: border(phantom.linear, None, (shape[0], shape[1])) | widened(shutter, 0.01),
            Place.OUTSIDE: zones.masks[OUTSIDE],
        }
    )


def trained(plan: NetworkPlan, folder: Path) -> LoadedModel:
    """Trains a plain GAP network by the plan, in one process and thread, or takes what an earlier call left.

    Args:
        plan: How.
        folder: Where films, checkpoints and the model are kept; a killed run goes on where it was.
    """
    home = folder / f"{plan.name}-{plan.patients}-{plan.size}-{plan.epochs}"
    if (home / CARD).is_file() and read_card_file(home).weights_sha256:
        return load_model(home)
    few = max(24, plan.patients // 5)
    sets = TrainingSets(
        train=_films(plan, 10 * plan.seed + 1, plan.patients, home),
        validation=_films(plan, 10 * plan.seed + 2, few, home),
        calibration=_films(plan, 10 * plan.seed + 3, few, home),
    )
    config = small_network(epochs=plan.epochs, seed=plan.seed, threads=1)
    what = f"{plan.thing} betrays {plan.betrays}, on purpose" if plan.planted else "nothing betrays a finding"
    data = f"{plan.patients} synthetic phantoms; {what}"
    command = "medcam experiments --only shortcuts"
    train_model(plan.name, sets, config, home, provenance=Provenance(data, "CC0-1.0", command))
    return load_model(home)


def _films(plan: NetworkPlan, seed: int, count: int, home: Path) -> Films:
    kept = home / f"films-{seed}"
    if (kept / "films.json").is_file():
        return Films.load(kept)
    recipe = InputRecipe(plan.size, plan.size)
    images, labels = [], []
    for index in range(count):
        case = sample_case(seed, index, prevalence=PREVALENCE)
        there = has_thing(plan, case)
        drawn = _with_thing(case, plan.thing) if there and plan.thing is not None else case
        film = render(drawn, 2 * plan.size, truth=False).linear
        if there and plan.thing is Thing.BORDER:
            film, _ = _shuttered(film, case)
        images.append(prepare_array(film, recipe).values[0].astype(np.float16))
        present = {finding.name for finding in case.findings}
        labels.append([name in present for name in FINDINGS])
    films = Films(
        names=tuple(FINDINGS),
        images=np.stack(images),
        labels=np.array(labels, dtype=np.int8),
        patients=seed * 10_000_000 + np.arange(count, dtype=np.int64),
        partners=np.full(count, -1, dtype=np.int64),
    )
    films.save(kept)
    return films


def plain_dict(plan: NetworkPlan) -> dict[str, object]:
    """The plan's fields for JSON."""
    return {**asdict(plan), "name": plan.name}
