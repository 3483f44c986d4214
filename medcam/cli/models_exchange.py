"""`medcam models fetch`, `import` and `export`: models of others brought in, and models handed out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import progress, say, tell
from medcam.cli.models import app
from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from medcam.core.card import ModelCard
    from medcam.service.published.bring import Request

_Findings = Annotated[
    list[str] | None,
    typer.Option("--finding", help='Name of an output; repeat for each, in order, "-" for one that means nothing.'),
]
_Size = Annotated[int | None, typer.Option("--size", help="Rows and columns of the input.", min=16, max=4096)]
_Mean = Annotated[str, typer.Option("--mean", help="Of each channel for brightness 0 to 1, such as 0.485,0.456,0.406.")]
_Std = Annotated[str, typer.Option("--std", help="Standard deviation of each channel.")]
_Tail = Annotated[
    str | None,
    typer.Option("--tail", help="What stands between several linear layers: relu, tanh, ...; no exact maps then."),
]
_Replace = Annotated[bool, typer.Option("--replace", help="Replace what has that name.")]


@app.command("fetch")
def fetch(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A published model, or hf:OWNER/REPOSITORY.")],
    alias: Annotated[str, typer.Option("--as", metavar="NAME", help="Under which name it is kept.")] = "",
    finding: _Findings = None,
    size: _Size = None,
    mean: _Mean = "",
    std: _Std = "",
    tail: _Tail = None,
    replace: _Replace = False,
) -> None:
    """Download a published model, check it, and import it. Nothing is downloaded by any other command."""
    from medcam.models.published.catalogue import published
    from medcam.service.published.fetch import fetch_model

    entry = published(name)
    tell(f"{entry.name} from {entry.url}")
    tell(f"Licence of the weights: {entry.weights_licence or 'not known here; read it at ' + entry.source}")
    request = _request(alias, "auto", finding, size, mean, std, tail, replace=replace)
    with progress("bytes") as step:
        fetched = fetch_model(name, request, lambda here, total: step(here, max(here, total), ""))
    if fetched.first_time:
        say(f"Its publisher names no digest: SHA-256 {fetched.seen.sha256} is on record from now on.")
    _show(fetched.card)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A checkpoint, or the folder of a MONAI bundle.")],
    alias: Annotated[str, typer.Option("--as", metavar="NAME", help="Under which name it is kept.")],
    layout: Annotated[
        str, typer.Option(help="torchxrayvision, chexnet, torchvision, timm, monai-bundle, or auto to tell by itself.")
    ] = "auto",
    finding: _Findings = None,
    size: _Size = None,
    mean: _Mean = "",
    std: _Std = "",
    tail: _Tail = None,
    replace: _Replace = False,
) -> None:
    """Import a checkpoint of others: tensors are read, nothing of it is run."""
    from medcam.service.published.bring import import_model

    _show(import_model(file, _request(alias, layout, finding, size, mean, std, tail, replace=replace)))


@app.command("export")
def export(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A name of `medcam models list`, or a model's folder.")],
    format: Annotated[str, typer.Option(help="monai-bundle, onnx (logits and maps), or safetensors.")],
    out: Annotated[Path | None, typer.Option(help="File, or folder of a bundle; by default the model's name.")] = None,
    replace: _Replace = False,
) -> None:
    """Export a model so that other programs can run it; `medcam models import` brings it back."""
    from medcam.service.published.give import Format, export_model

    if format not in tuple(Format):
        raise UsageError(f"there is no format {format!r}", next_step=f"Choose one of {', '.join(Format)}.")
    say(f"{export_model(name, Format(format), out, replace=replace)}")


def _request(
    alias: str,
    layout: str,
    finding: list[str] | None,
    size: int | None,
    mean: str,
    std: str,
    tail: str | None,
    *,
    replace: bool,
) -> Request:
    from medcam.service.published.bring import Request

    return Request(alias, layout, tuple(finding or ()), size, _numbers(mean), _numbers(std), tail, replace)


def _numbers(text: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in text.split(",")) if text else ()
    except ValueError as error:
        raise UsageError(f"{text!r} is no list of numbers", next_step="Write them with commas: 0.485,0.456") from error


def _show(card: ModelCard) -> None:
    say(f"{card.name} {card.version}: {', '.join(card.finding_names)}")
    say(f"{card.backbone}, weights SHA-256 {card.weights_sha256}")
    say("Maps are exact." if card.head == "gap" else "It has no exact maps; an attribution method explains it.")
    for limit in card.limits:
        say(f"Limit: {limit}")
