"""An explanation as a table for notebooks: self-contained HTML without scripts and without patient data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape

from medcam.core.arrays import ByteArray
from medcam.core.card import PAPER_RULE, ModelCard
from medcam.core.explanation import RESEARCH_USE, Explanation
from medcam.core.finding import Finding
from medcam.core.radiograph import Radiograph
from medcam.core.resample import Sampler
from medcam.core.threshold import region_threshold
from medcam.overlay.blend import Shading
from medcam.overlay.film import Film
from medcam.overlay.marks import draw_regions
from medcam.overlay.png import encode_png
from medcam.overlay.sheet import side_gutter
from medcam.service.annotate.pictures import findings_to_draw

THUMBNAIL = 224
"""Pixels along the longer side of a film under the table."""

_MOST_PICTURES = 4
_CELL = 'style="text-align:left;padding:2px 10px;white-space:nowrap"'
_HEADINGS = (
    "Finding",
    "Says",
    "Probability",
    "Threshold",
    "Logit",
    "= bias",
    "+ evidence for",
    "+ evidence against",
)


def explanation_html(explanation: Explanation, radiograph: Radiograph, card: ModelCard) -> str:
    """The table of findings, thumbnails of the first of `findings_to_draw`, the warnings and the model.

    Args:
        explanation: What was found.
        radiograph: Its film.
        card: Of the model, for rules and colour scales.

    Returns:
        HTML. All texts are escaped; UIDs and attributes of the file are left out, the film is named by its digest.
    """
    film = Film.of(radiograph, THUMBNAIL)
    drawn = findings_to_draw(explanation, ())
    figures = "".join(_figure(film, finding, card) for finding in drawn[:_MOST_PICTURES])
    more = f"<span>and {len(drawn) - _MOST_PICTURES} more</span>" if len(drawn) > _MOST_PICTURES else ""
    ranked = sorted(explanation.findings, key=lambda finding: -finding.probability)
    head = "".join(f"<th {_CELL}>{escape(text)}</th>" for text in _HEADINGS)
    return (
        f"<div><p><b>{escape(_title(explanation))}</b></p>{_warnings(explanation.warnings)}"
        f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_row, ranked))}</tbody></table>"
        f'<div style="display:flex;flex-wrap:wrap;gap:12px;margin:10px 0">{figures}{more}</div>'
        f"<p><small>{escape(_foot(explanation))}<br>"
        f"<b>{RESEARCH_USE}</b> A map highlights; it never proves.</small></p></div>"
    )


def _title(explanation: Explanation) -> str:
    source, model = explanation.source, explanation.model
    return f"{model.name} {model.version} on a film of {source.columns} × {source.rows} pixels, view {source.view}"


def _warnings(warnings: Sequence[str]) -> str:
    items = "".join(f"<li>{escape(warning)}</li>" for warning in warnings)
    return f"<ul>{items}</ul>" if items else ""


def _row(finding: Finding) -> str:
    says = {True: "present", False: "absent", None: "withheld"}[finding.present]
    figures = [f"{finding.probability:.3f}", f"{finding.threshold:.3f}", f"{finding.logit:+.2f}"]
    ledger = finding.evidence
    figures += (
        ["", "", ""]
        if ledger is None
        else [f"{ledger.bias:+.2f}", f"{ledger.total_positive:+.2f}", f"{ledger.total_negative:+.2f}"]
    )
    cells = "".join(f"<td {_CELL}>{escape(text)}</td>" for text in (finding.name, says, *figures))
    return f"<tr>{cells}</tr>"


def _foot(explanation: Explanation) -> str:
    model = explanation.model
    weights = f"weights {model.weights_sha256[:12]}, " if model.weights_sha256 else ""
    grid = explanation.findings[0].map
    return (
        f"{weights}maps by {explanation.method} of layer {grid.layer or 'unnamed'}, "
        f"{grid.height} × {grid.width} cells; film {explanation.source.sha256[:12]}. "
        "The method overlay(name) draws a finding large, with its colour scale."
    )


def _figure(film: Film, finding: Finding, card: ModelCard) -> str:
    picture = _thumbnail(film, finding, card)
    data = base64.b64encode(encode_png(picture)).decode("ascii")
    size = f'width="{picture.shape[1]}" height="{picture.shape[0]}"'
    name = escape(finding.name, quote=True)
    image = f'<img alt="Map of {name} over the film" {size} src="data:image/png;base64,{data}">'
    return f'<figure style="margin:0">{image}<figcaption>{name}</figcaption></figure>'


def _thumbnail(film: Film, finding: Finding, card: ModelCard) -> ByteArray:
    """The film with the map and its outlines, and the patient's sides over it: uint8 RGB."""
    entry = {known.name: known for known in card.findings}.get(finding.name)
    method = finding.map.method
    rule = entry.rule_for(method) if entry else PAPER_RULE
    values = Sampler.to_source(finding.map.transform, film.height, film.width).apply(finding.map.values)
    highest = float(values.max()) if finding.map.values.max() > 0.0 else 0.0
    common = entry.scale_for(method) if entry else None
    full_scale = max(highest, 1e-6) if common is None else common
    picture = Shading(full_scale, region_threshold(rule, highest)).blend(film.grey, values)
    shown = [region for region in finding.regions if region.rule == rule.name]
    draw_regions(picture, film, shown, 1, quiet=not finding.present)
    return side_gutter(picture, film.letters, 0.5)
