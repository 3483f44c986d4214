"""Fits a probe: features of a frozen model, a linear detector, calibration, figures, a small folder on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from medcam.core.card import PAPER_RULE, FindingCard, Interval
from medcam.core.codes import slug
from medcam.core.errors import UsageError
from medcam.evaluate.classification import auc_interval, youden_threshold
from medcam.models.cards import probe_names
from medcam.models.known import model_names, user_folder
from medcam.models.loaded import LoadedModel
from medcam.models.probes.card import ProbeCard
from medcam.models.probes.combined import JOIN, LONGEST_NAME
from medcam.models.probes.files import save_probe
from medcam.models.probes.layers import default_layer, forward_layers
from medcam.models.probes.linear import LinearFit, LinearSettings, fit_linear, outer_folds
from medcam.models.probes.probe import Probe
from medcam.models.probes.probed import require_ledger
from medcam.models.registry import load_model
from medcam.service.probes.films import FilmFeatures, NamedFilm, Progress, film_features, read_film
from medcam.service.training.finish_model import FULL_SCALE_QUANTILE

FEWEST = 4
"""Patients with the finding, and without it: fewer cannot be held back twice, once to choose and once to measure."""

SCALE_FILMS = 64
"""Films with the finding by which the overlay's colour scale is set."""

VERSION = "1"
LIMITS = (
    "A probe finds what its positive films have in common and its negative films lack, whatever that is.",
    "Its figures are those of cross-validation on its own films; other hospitals' films may differ.",
)

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """What is to be fitted.

    Args:
        name: The finding's name, and the probe's.
        model: Name or folder of the frozen model.
        layer: The layer to read; empty for the backbone's last.
        method: "svm" or "logistic".
        rounds: Of hard negatives; 0 takes all negatives.
        phrase: Of the reports that told positives from negatives; empty where people did.
        seed: Of folds and of negatives drawn.
        command: The recorded command.
        replace: Whether a probe of that name may be replaced.
    """

    name: str
    model: str = "phantom"
    layer: str = ""
    method: str = "svm"
    rounds: int = 0
    phrase: str = ""
    seed: int = 0
    command: str = ""
    replace: bool = False


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """What came of it.

    Args:
        card: As saved.
        folder: Where.
        skipped: Codes of films that could not be read, by name.
    """

    card: ProbeCard
    folder: Path
    skipped: Mapping[str, str]


def fit_probe(
    positives: Sequence[NamedFilm],
    negatives: Sequence[NamedFilm],
    request: ProbeRequest,
    progress: Progress = lambda *_: None,
) -> ProbeReport:
    """Fits a probe to films and saves it in the user's model folder (Zhou et al. 2015, section 4).

    C is chosen and the scores are calibrated by cross-validation; the AUC on the card is that of a second one around
    the first. Patients never straddle a fold.

    Args:
        positives: Films with the finding.
        negatives: Films without.
        request: What.
        progress: Called after each film.

    Raises:
        UsageError: The name cannot be used (`probe-name`), a film is named on both sides (`probe-films`), or too few
            patients are left (`probe-films`).
        ModelError: There is no such model or layer, or the model takes no probes.
    """
    model = load_model(request.model)
    require_ledger(model)
    check_name(request.name, model, may_replace=request.replace)
    both = {film.path.resolve() for film in positives} & {film.path.resolve() for film in negatives}
    if both:
        raise UsageError(
            f"{min(both).name} is named with the finding and without it ({len(both)} such)",
            code="probe-films",
            next_step="Name each film on one side.",
        )
    layer = request.layer or default_layer(model.network)
    with torch.inference_mode():  # a layer that the model lacks is refused before any film is read
        forward_layers(model.network, _blank(model), {layer})
    films = [*positives, *negatives]
    features = film_features(films, model, [layer], progress)
    named = {film.path for film in positives}
    labels = np.array([film.path in named for film in features.films], dtype=np.int64)
    card, probe = fitted(features, labels, layer, model, request)
    folder = user_folder() / request.name
    return ProbeReport(save_probe(folder, replace(probe, card=card)), folder, features.skipped)


def check_name(name: str, model: LoadedModel, *, may_replace: bool) -> None:
    """Refuses a name that would clash, or that could not be a folder's or part of `model+name`.

    Raises:
        UsageError: With code `probe-name`.
    """
    taken = {slug(finding) for finding in model.card.finding_names} | {slug(other) for other in model_names()}
    problem = ""
    if not _is_folder_name(name):
        problem = "is no name for a folder"
    elif len(f"{model.card.name}{JOIN}{name}") > LONGEST_NAME:
        problem = f"is too long beside {model.card.name}: {LONGEST_NAME} characters in all"
    elif slug(name) in taken:
        problem = "is taken by a model, or by a finding of the model itself"
    elif name in probe_names() and not may_replace:
        problem = "is taken by a probe; --replace fits it anew"
    if problem:
        raise UsageError(f"{name!r} {problem}", code="probe-name", next_step="Choose another name.")


def _is_folder_name(name: str) -> bool:
    """Whether a name has a letter or digit, and nothing that means something in a path or between probes."""
    if not any(letter.isascii() and letter.isalnum() for letter in name):
        return False
    return not any(part in name for part in (JOIN, "/", "\\", "\0")) and name == name.strip() and name[0] != "."


def fitted(
    features: FilmFeatures, labels: npt.NDArray[np.int64], layer: str, model: LoadedModel, request: ProbeRequest
) -> tuple[ProbeCard, Probe]:
    """Trains and measures the detector on features in hand; see `fit_probe`.

    Args:
        features: Of all films.
        labels: [n], 1 with the finding.
        layer: Whose features are taken.
        model: They come from it.
        request: How.
    """
    x, patients = features.pooled[layer], np.array(features.patients)
    counts = [len(set(patients[labels == kind])) for kind in (1, 0)]
    if min(counts) < FEWEST:
        raise UsageError(
            f"{counts[0]} patients with the finding and {counts[1]} without are left; {FEWEST} of each are needed",
            code="probe-films",
            next_step="Name more films; a few dozen of each are a good start.",
        )
    settings = LinearSettings(method=request.method, rounds=request.rounds, seed=request.seed)
    fit, held = fit_linear(x, labels, patients, settings), held_logits(x, labels, patients, settings)
    card = _card(fit, held, labels, patients, layer, model, request)
    probe = Probe(card, fit.weights.astype(np.float32), fit.bias)
    shown = [film for film, label in zip(features.films, labels, strict=True) if label][:SCALE_FILMS]
    scale = _full_scale(probe, shown, layer, model)
    card = replace(card, finding=replace(card.finding, map_scale=scale))
    return card, replace(probe, card=card)


def held_logits(
    x: npt.ArrayLike, labels: npt.NDArray[np.int64], patients: npt.NDArray[np.str_], settings: LinearSettings
) -> Floats:
    """Logits [n] by detectors that saw nothing of a film's patient: neither to train, to choose C, nor to calibrate."""
    values = np.asarray(x, dtype=np.float64)
    held = np.zeros(len(labels))
    for train, left in outer_folds(labels, patients, settings):
        held[left] = fit_linear(values[train], labels[train], patients[train], settings).logits(values[left])
    return held


def _card(
    fit: LinearFit,
    held: Floats,
    labels: npt.NDArray[np.int64],
    patients: npt.NDArray[np.str_],
    layer: str,
    model: LoadedModel,
    request: ProbeRequest,
) -> ProbeCard:
    probabilities = 1.0 / (1.0 + np.exp(-np.clip(held, -80.0, 80.0)))
    numbers = np.unique(patients, return_inverse=True)[1]
    figures: dict[str, Interval] = {"auc": auc_interval(labels, held, numbers)}
    finding = FindingCard(
        name=request.name,
        threshold=youden_threshold(labels, probabilities),
        region_rule=replace(PAPER_RULE, name="calibrated"),
        performance=figures,
    )
    return ProbeCard(
        finding=finding,
        model=model.card.name,
        model_sha256=model.card.weights_sha256,
        layer=layer,
        version=VERSION,
        method=request.method,
        strength=fit.strength,
        scale=fit.scale,
        shift=fit.shift,
        positives=int((labels == 1).sum()),
        negatives=int((labels == 0).sum()),
        patients=len(np.unique(patients)),
        phrase=request.phrase,
        rounds=request.rounds,
        seed=request.seed,
        training_command=request.command,
        limits=LIMITS,
    )


@torch.inference_mode()
def _full_scale(probe: Probe, films: Sequence[NamedFilm], layer: str, model: LoadedModel) -> float:
    """Upper end of the colour scale: a quantile of the peaks of films with the finding."""
    peaks = []
    for film in films:
        inputs = torch.from_numpy(np.array(model.prepare(read_film(film)).values))[None]
        _, found = forward_layers(model.network, inputs, {layer})
        peaks.append(float(probe.maps(found[layer].float().numpy()).max()))
    return max(float(np.quantile(peaks, FULL_SCALE_QUANTILE)), 1e-3)


def _blank(model: LoadedModel) -> torch.Tensor:
    recipe = model.card.input
    return torch.zeros(1, recipe.channels, recipe.height, recipe.width)
