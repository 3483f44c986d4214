"""The film with the map of one finding laid over it, as `medcam annotate` drew it."""

from __future__ import annotations

import shlex
from pathlib import Path

import streamlit as st

from components.markup import markdown_text, spoken
from medcam.core.codes import slug
from medcam.core.errors import InputError
from medcam.core.explanation import Explanation
from medcam.core.finding import Finding
from results import FilmFile, read_overlay


def heading(file: FilmFile, explanation: Explanation) -> None:
    """Which film this is."""
    source = explanation.source
    view = "" if source.view == "unknown" else f" · {markdown_text(source.view)}"
    st.subheader(f"Film {file.instance}", anchor=False)
    st.caption(f"Study {file.study}{view} · {source.columns} × {source.rows} pixels")


def overlay(file: FilmFile, finding: Finding, out: Path) -> None:
    """The picture of a finding, or the command that draws it."""
    try:
        picture = read_overlay(file, finding.name)
    except InputError as error:
        st.error(markdown_text(str(error)), icon=":material/broken_image:")
        return
    if picture is None:
        _not_drawn(finding, out)
        return
    words = f"Chest radiograph with the map of {spoken(finding.name).lower()} laid over it"
    st.image(picture, width="stretch", output_format="PNG", alt=words)


def _not_drawn(finding: Finding, out: Path) -> None:
    st.info(
        f"No picture of **{markdown_text(spoken(finding.name).lower())}** was drawn for this film; its numbers are "
        "shown all the same. This draws it, in a folder of its own; SOURCE is what was annotated before:",
        icon=":material/visibility_off:",
    )
    name = slug(finding.name)
    command = ["medcam", "annotate", "SOURCE", "--out", f"{out}-{name}", "--finding", name]
    st.code(shlex.join(command), language="sh", wrap_lines=True)
