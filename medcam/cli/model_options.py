"""Options by which every command chooses a model, how it is explained, and what computes the maps."""

from __future__ import annotations

from typing import Annotated

import typer

ModelOption = Annotated[str, typer.Option(metavar="NAME", help="A name of `medcam models list`, or a model's folder.")]
MethodOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Attribution method, a name of `medcam models methods`.",
        show_default="cam, the exact map; hirescam for a network without one",
    ),
]
EngineOption = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="What computes the maps: auto (the fastest within the error budget), torch (fp32) or openvino; "
        "with :fp32 or :bf16 behind the last two to ask for a precision.",
    ),
]
