"""A checkpoint of others becomes a model of the user's own: read safely, mapped, written as safetensors with a card."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from medcam.core.card import FindingCard, ModelCard
from medcam.core.errors import ModelError, UsageError
from medcam.models.exchange.bundle import WEIGHTS, Bundle, read_bundle
from medcam.models.exchange.onnx_file import read_onnx
from medcam.models.exchange.own import CARD_KEY, from_own
from medcam.models.files import load_folder, save_model
from medcam.models.published.build import Meaning, build_model
from medcam.models.published.catalogue import Published, known_by_file
from medcam.models.published.checkpoint import Checkpoint, read_checkpoint
from medcam.models.published.layouts import AUTO, BUNDLE, NAMES, Layout, guess_layout, layout, map_checkpoint
from medcam.models.published.mapped import Mapped
from medcam.service.explanations.finding_codes import finding_code
from medcam.service.published.names import new_model_folder

UNNAMED = "-"
"""In the place of a finding: an output that means nothing and is left out."""
NOT_MEASURED = "Nobody measured it here: no figures, no calibrated regions or colours, no gate for strange films."
_ONNX = ".onnx"
XRV = "torchxrayvision"


@dataclass(frozen=True, slots=True)
class Request:
    """What the user says of a file.

    Args:
        name: Under which name the model is kept.
        layout: A name of `medcam.models.published.layouts.NAMES`.
        findings: Of the outputs in order, `UNNAMED` for one that is left out; empty for those of layout or file.
        side: Rows and columns of the input; None for those of layout or file.
        mean: Of each channel, for brightness 0..1; empty for that of the layout.
        std: Of each channel.
        activation: What stands between several linear layers of the tail.
        replace: Whether a model of that name may be replaced.
        published: What the catalogue knows of the file.
    """

    name: str
    layout: str = AUTO
    findings: tuple[str, ...] = ()
    side: int | None = None
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    activation: str | None = None
    replace: bool = False
    published: Published | None = None


@dataclass(frozen=True)
class _Known:
    """What file and layout say together."""

    findings: Sequence[str]
    thresholds: Sequence[float | None]
    side: int
    mean: Sequence[float]
    std: Sequence[float]
    limits: tuple[str, ...] = ()
    about: dict[str, str] = field(default_factory=dict)


def import_model(path: Path, request: Request) -> ModelCard:
    """Brings a file or bundle in as a model of the user's own.

    Args:
        path: What torch.save or safetensors wrote, the folder of a MONAI bundle, or what `medcam models export` wrote.
            A file of torchxrayvision that has the name it has upstream is taken for what the catalogue knows.
        request: What the user says of it.

    Returns:
        The card as saved; the model is in the user's model folder.

    Raises:
        UsageError: The name cannot be used ("model-name"), the layout is unknown or cannot be told
            ("unknown-import-layout"), or the findings do not fit ("checkpoint-findings").
        ModelError: The file is refused; see `medcam.models.published.checkpoint.read_checkpoint` and
            `medcam.models.published.build.build_model`.
    """
    if request.layout not in NAMES:
        layout(request.layout)
    folder = new_model_folder(request.name, replace=request.replace)
    if not request.findings and not request.published and request.layout in (AUTO, XRV):
        request = replace(request, published=known_by_file(path.name))
    if path.is_dir() or request.layout == BUNDLE:
        bundle = read_bundle(path)
        return _own(bundle.card, bundle.checkpoint, folder) if bundle.card else _foreign(path, bundle, request, folder)
    checkpoint = read_onnx(path) if path.suffix == _ONNX else read_checkpoint(path)
    if CARD_KEY in checkpoint.metadata:
        return _own(checkpoint.metadata[CARD_KEY], checkpoint, folder)
    return _foreign(path, Bundle(checkpoint), request, folder)


def _own(card: str, checkpoint: Checkpoint, folder: Path) -> ModelCard:
    """What medcam exported, as it was but for its name."""
    network, own, gate = from_own(card, checkpoint.tensors)
    return save_model(folder, network, replace(own, name=folder.name), gate, half=False)


def _foreign(path: Path, bundle: Bundle, request: Request, folder: Path) -> ModelCard:
    mapped = map_checkpoint(bundle.checkpoint)
    known = _known(bundle, mapped, request)
    digest = _digest(path)
    meaning = Meaning(
        findings=[_card(name, threshold) for name, threshold in zip(known.findings, known.thresholds, strict=True)],
        side=known.side,
        mean=known.mean,
        std=known.std,
        activation=request.activation,
        about={
            "name": request.name,
            "version": bundle.version or digest[:12],
            "origin": f"{request.published.url if request.published else path.name}, SHA-256 {digest}",
            "limits": known.limits,
            **known.about,
        },
    )
    network, card = build_model(mapped, bundle.checkpoint.kinds, meaning)
    saved = save_model(folder, network, card, half=False)
    load_folder(folder)
    return saved


def _known(bundle: Bundle, mapped: Mapped, request: Request) -> _Known:
    one = request.published
    chosen = _layout(bundle, mapped, request)
    findings, thresholds = _findings(bundle, chosen, request)
    mean = request.mean or (one.mean if one else ()) or chosen.mean
    std = request.std or (one.std if one else ()) or chosen.std
    if not mean or not std:
        raise UsageError(
            "the file does not tell which values its network wants",
            code="unknown-import-layout",
            next_step="Give --mean and --std of each channel, for brightness from 0 (black) to 1 (white).",
        )
    notes = [NOT_MEASURED, chosen.note, one.note if one else ""]
    about = {"weights_licence": bundle.licence}
    if chosen.findings:
        about["intended_use"] = f"Frontal chest films: findings of {chosen.name}. Research. Not a medical device."
    if one:
        about |= {"weights_licence": one.weights_licence, "citation": one.citation, "training_data": one.training_data}
        about |= {"measured_on": one.measured_on, "intended_use": f"{one.purpose} Research. Not a medical device."}
    side = request.side or (one.side if one else None) or bundle.side or chosen.side
    limits = tuple(note for note in notes if note)
    return _Known(findings, thresholds, side, mean, std, limits, {key: text for key, text in about.items() if text})


def _layout(bundle: Bundle, mapped: Mapped, request: Request) -> Layout:
    if request.published:
        return layout(request.published.layout)
    if request.layout == BUNDLE or (request.layout == AUTO and bundle.findings):
        return Layout(BUNDLE, bundle.findings)
    return guess_layout(bundle.checkpoint, mapped) if request.layout == AUTO else layout(request.layout)


def _findings(bundle: Bundle, chosen: Layout, request: Request) -> tuple[Sequence[str], Sequence[float | None]]:
    """Names, "" for an output that is left out, and operating thresholds."""
    if request.findings:
        names = ["" if name == UNNAMED else name for name in request.findings]
        return names, [None] * len(names)
    if request.published and request.published.outputs:
        outputs = request.published.outputs
        return [output.name for output in outputs], [output.threshold for output in outputs]
    names = list(bundle.findings or chosen.findings)
    if not names:
        raise UsageError(
            "nobody says what the outputs of this network mean",
            code="checkpoint-findings",
            next_step=f'Name each output in order with --finding, "{UNNAMED}" for one that means nothing.',
        )
    return names, [None] * len(names)


def _card(name: str, threshold: float | None) -> FindingCard | None:
    if not name:
        return None
    return FindingCard(name, finding_code(name), threshold=0.5 if threshold is None else threshold)


def _digest(path: Path) -> str:
    """SHA-256 of a file; of a bundle, that of its weights."""
    digest = hashlib.sha256()
    try:
        with (path / WEIGHTS if path.is_dir() else path).open("rb") as file:
            while piece := file.read(2**20):
                digest.update(piece)
    except OSError as error:
        raise ModelError(
            f"{path.name} cannot be read", code="unknown-checkpoint", next_step="Check the path."
        ) from error
    return digest.hexdigest()
