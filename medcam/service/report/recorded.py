"""Sections on records of other measurements: faithfulness, sanity, shortcuts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from medcam.core.errors import InvalidValueError
from medcam.evaluate.shortcuts.rule import ShortcutRule
from medcam.service.report.document import Block, Paragraph, Section, Status, Verdict, not_assessed
from medcam.service.report.figures import cell
from medcam.service.report.inputs import ReportInputs
from medcam.service.report.record_tables import record_blocks, rows_of

_MOST_ROWS = 40
_COMMANDS = {
    "faithfulness": "medcam evaluate faithfulness --data FILMS --out faithfulness.json",
    "sanity": "medcam evaluate sanity --data FILMS --out sanity.json",
    "shortcuts": "medcam evaluate shortcuts --data FILMS --out shortcuts.json",
}
_RULES = {
    "faithfulness": "erasing what the map points at changes the score further than erasing at random: the lower end of "
    "the 95 % interval of the difference is above 0",
    "sanity": "the map is lost where it must be and kept where it must be: the interval of its similarity lies on that "
    "side of the threshold, which comes from maps of unrelated films",
    "shortcuts": "no effect is told, by the rule of the record",
}


def record_section(inputs: ReportInputs, name: str) -> Section:
    """A record of another measurement: its tables, and what its rule says of the method and model that are audited."""
    title, rule = name.capitalize(), _RULES[name]
    record = inputs.records.get(name)
    if record is None:
        why = f"{name}.json is of another model" if name in inputs.strange else "no record of it was given"
        how = "Write its record, and give the folder of records with --records"
        return not_assessed(name, title, why, [_COMMANDS[name]], rule, how)
    films, patients = record.get("films", "-"), record.get("patients", "-")
    blocks: list[Block] = [Paragraph(f"{name}.json: {films} films of {patients} patients ({record.get('data', '-')}).")]
    if "rule" in record:
        blocks.append(Paragraph(f"Rule of the record: {_in_words(record['rule'])}"))
    blocks += [Paragraph(f"Note: {note}.") for note in record.get("notes") or ()]
    blocks += record_blocks(name, record, inputs.observed.method)
    judged = {"faithfulness": _faithful, "sanity": _sane, "shortcuts": _shortcuts}[name]
    verdicts = tuple(judged(record, inputs.observed.method, rule))
    open_one = Verdict(title, Status.UNJUDGED, f"the record says nothing of the method {inputs.observed.method}", rule)
    return Section(name, title, tuple(blocks), verdicts or (open_one,))


def _faithful(record: Mapping[str, Any], method: str, rule: str) -> Iterator[Verdict]:
    for row in rows_of(record, "curves"):
        figure = row.get("beyond_random")
        if row.get("method") == method and not row.get("finding") and isinstance(figure, Mapping):
            low = figure.get("low")
            status = Status.UNJUDGED if low is None else Status.MEETS if low > 0.0 else Status.FAILS
            yield Verdict(f"{method}, fill: {row.get('fill', '-')}", status, cell(figure), rule)


def _sane(record: Mapping[str, Any], method: str, rule: str) -> Iterator[Verdict]:
    statuses = {"passed": Status.MEETS, "failed": Status.FAILS}
    for row in rows_of(record, "rows"):
        if row.get("method") == method and row.get("decides"):
            what = ", ".join(str(row.get(key)) for key in ("test", "detail") if row.get(key))
            side = {"lose": "below", "keep": "above"}.get(str(row.get("must")), "beyond")
            number = f"similarity {cell(row.get('similarity'))}, must be {side} {cell(row.get('threshold'))}"
            yield Verdict(what, statuses.get(str(row.get("verdict")), Status.UNJUDGED), number, rule)


def _shortcuts(record: Mapping[str, Any], _method: str, rule: str) -> Iterator[Verdict]:
    """Every effect that is told, and a line for those that are not."""
    rows = [*rows_of(record, "erasing"), *rows_of(record, "associations")]
    told = [row for row in rows if row.get("severity") in ("low", "moderate", "high")]
    for row in told[:_MOST_ROWS]:
        keys = ("finding", "place", "attribute", "contrast")
        what = ", ".join(str(row[key]) for key in keys if row.get(key))
        yield Verdict(what, Status.FAILS, f"{row['severity']}: {row.get('reason', '-')}", rule)
    quiet = sum(row.get("severity") == "none" for row in rows)
    if quiet and not told:
        yield Verdict("Shortcuts", Status.MEETS, f"{quiet} effects judged, none told", rule)
    if open_ones := len(rows) - len(told) - quiet:
        yield Verdict("Shortcuts, the others", Status.UNJUDGED, f"{open_ones} effects on too few films", rule)


def _in_words(rule: object) -> str:
    """A rule as its command prints it."""
    if not isinstance(rule, Mapping):
        return str(rule)
    try:
        return ShortcutRule(**rule).words
    except (TypeError, InvalidValueError):
        return "; ".join(f"{key.replace('_', ' ')} {cell(each)}" for key, each in rule.items())
