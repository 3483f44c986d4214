"""Options that commands on a store share."""

from __future__ import annotations

from typing import Annotated

import typer

StoreOption = Annotated[
    str | None,
    typer.Option(
        metavar="STORE",
        envvar="MEDCAM_STORE",
        help="A folder, sqlite:///PATH or postgresql+psycopg://...",
        show_default="$XDG_DATA_HOME/medcam",
    ),
]
ANCHOR_MINUTES = 15.0
AnchorToOption = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Write the head of the audit trail to a file, or to syslog: at the start, now and then, and at the end.",
        show_default="nowhere",
    ),
]
AnchorMinutesOption = Annotated[float, typer.Option(metavar="MINUTES", help="Between two anchors.")]
