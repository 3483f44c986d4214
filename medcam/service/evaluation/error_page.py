"""The wrong answers over a cohort as a page of Markdown: a table, then each with its picture and its ledger."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from medcam.core.explanation import RESEARCH_USE
from medcam.evaluate.triage import Cause, Mistake
from medcam.service.evaluation.error_figures import ErrorFigures

_SHOWN_ZONES = 3


def index_page(figures: ErrorFigures) -> str:
    """Markdown with links to the pictures beside it."""
    wrong = len(figures.errors)
    lines = [
        f"# Wrong answers of {figures.model}",
        "",
        f"{wrong} wrong answers on {figures.films} films, by the films' labels. {RESEARCH_USE}",
        "",
        "A reason says where to look first, by rules on where the evidence for the answer lay: what speaks for a",
        "finding that was called present, what speaks against one that was called absent. It proves nothing: the label",
        "or the model may be wrong, and a cell of a map sees beyond itself.",
        "",
        *_table(figures),
    ]
    for cause in Cause:
        own = [error for error in figures.errors if error["cause"] == cause]
        if own:
            lines += ["", f"## {cause.value[0].upper()}{cause.value[1:]} ({len(own)})"]
            lines += [line for error in own for line in _entry(error)]
    if figures.skipped:
        lines += ["", f"{len(figures.skipped)} files were passed over; `errors.json` names them."]
    return "\n".join(lines) + "\n"


def _table(figures: ErrorFigures) -> list[str]:
    columns = ["finding", "films", "with it", "false positives", "false negatives", *(cause.value for cause in Cause)]
    lines = [_row(columns), _row(["---", *["---:"] * (len(columns) - 1)])]
    for name, row in figures.findings.items():
        counts = [row.films, row.present, row.false_positives, row.false_negatives]
        counts += [row.causes.get(cause.value, 0) for cause in Cause]
        lines.append(_row([name, *(str(count) for count in counts)]))
    return lines


def _entry(error: Mapping[str, Any]) -> list[str]:
    places, ledger = error["places"], error["evidence"]
    spoken = "for" if error["mistake"] == Mistake.FALSE_POSITIVE else "against"
    lines = [
        "",
        f"### {_plain(error['film'])}: {error['finding']}, {error['mistake']}",
        "",
        f"Probability {error['probability']:.3f}, threshold {error['threshold']:.3f}: the logit lies "
        f"{abs(error['margin']):.2f} {'above' if error['margin'] >= 0 else 'below'} the threshold's.",
        f"Marker and text ({error['marks']}): {places['marks_logit']:.2f} logit units {spoken} the finding, "
        f"{places['marks']:.0%} of all that speaks {spoken} it, in {places['marks_area']:.0%} of the cells.",
        _zones(ledger),
    ]
    if error["mistake"] == Mistake.FALSE_POSITIVE:
        lines.append(f"Half of the evidence for it takes {places['half_area']:.1%} of the cells.")
    if error["picture"]:
        lines += ["", f"![{error['finding']}]({error['picture']})"]
    return lines


def _zones(ledger: Mapping[str, Any]) -> str:
    total = f"Ledger: bias {ledger['bias']:+.2f}, for {ledger['total_positive']:+.2f}, "
    total += f"against {ledger['total_negative']:+.2f}"
    if ledger["zones"] is None:
        return f"{total}; the zones of this film are too poor to split it."
    largest = sorted(ledger["zones"].items(), key=lambda item: -abs(item[1]))[:_SHOWN_ZONES]
    return f"{total}; most in {', '.join(f'{name} {value:+.2f}' for name, value in largest)}."


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _plain(name: str) -> str:
    """A file's name within a heading: nothing in it starts a mark of Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|#" else letter for letter in name)
