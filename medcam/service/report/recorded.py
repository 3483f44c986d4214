"""Sections on records of other measurements: faithfulness, sanity, shortcuts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from medcam.service.report.document import Block, Paragraph, Section, Status, Table, Verdict, not_assessed
from medcam.service.report.figures import cell
from medcam.service.report.inputs import ReportInputs

_MOST_ROWS = 40
_MOST_COLUMNS = 9
_COMMANDS = {
    "faithfulness": "medcam evaluate faithfulness --data FILMS --out faithfulness.json",
    "sanity": "medcam evaluate sanity --data FILMS --out sanity.json",
    "shortcuts": "medcam evaluate shortcuts --data FILMS --out shortcuts.json",
}
_RULES = {
    "faithfulness": "erasing what the map points at changes the score further than erasing at random: the lower end of "
    "the 95 % interval of the difference is above 0",
    "sanity": "all deciding tests of this method pass, by the rule of the record",
    "shortcuts": "no effect is told, by the rule of the record",
}


def record_section(inputs: ReportInputs, name: str) -> Section:
    """A record of another measurement: its tables, and what its rule says of the method and model that are audited."""
    title, rule = name.capitalize(), _RULES[name]
    record = inputs.records.get(name)
    if record is None:
        why = f"{name}.json is of another model" if name in inputs.strange else "no record of it was given"
        return not_assessed(name, title, why, [_COMMANDS[name]], rule)
    films, patients = record.get("films", "-"), record.get("patients", "-")
    blocks: list[Block] = [Paragraph(f"{name}.json: {films} films of {patients} patients ({record.get('data', '-')}).")]
    if "rule" in record:
        blocks.append(Paragraph(f"Rule of the record: {_flat(record['rule'])}"))
    blocks += [Paragraph(str(note)) for note in record.get("notes") or ()]
    for key, value in record.items():
        rows = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        if rows:
            blocks.append(_record_table(key, _own_first(rows, inputs.observed.method)))
    judged = {"faithfulness": _faithful, "sanity": _sane, "shortcuts": _shortcuts}[name]
    verdicts = tuple(judged(record, inputs.observed.method, rule))
    open_one = Verdict(title, Status.UNJUDGED, f"the record says nothing of the method {inputs.observed.method}", rule)
    return Section(name, title, tuple(blocks), verdicts or (open_one,))


def _faithful(record: Mapping[str, Any], method: str, rule: str) -> Iterator[Verdict]:
    for row in _rows(record, "curves"):
        figure = row.get("beyond_random")
        if row.get("method") == method and not row.get("finding") and isinstance(figure, Mapping):
            low = figure.get("low")
            status = Status.UNJUDGED if low is None else Status.MEETS if low > 0.0 else Status.FAILS
            yield Verdict(f"{method}, fill: {row.get('fill', '-')}", status, cell(figure), rule)


def _sane(record: Mapping[str, Any], method: str, rule: str) -> Iterator[Verdict]:
    statuses = {"passed": Status.MEETS, "failed": Status.FAILS}
    for row in _rows(record, "rows"):
        if row.get("method") == method and row.get("decides"):
            what = ", ".join(str(row.get(key)) for key in ("test", "detail", "measure") if row.get(key))
            number = f"similarity {cell(row.get('similarity'))}, threshold {cell(row.get('threshold'))}"
            yield Verdict(what, statuses.get(str(row.get("verdict")), Status.UNJUDGED), number, rule)


def _shortcuts(record: Mapping[str, Any], _method: str, rule: str) -> Iterator[Verdict]:
    """Every effect that is told, and a line for those that are not."""
    rows = [*_rows(record, "erasing"), *_rows(record, "associations")]
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


def _rows(record: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    value = record.get(key)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _own_first(rows: list[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: row.get("method", method) != method)


def _record_table(key: str, rows: list[dict[str, Any]]) -> Table:
    plain = [name for name, value in rows[0].items() if not isinstance(value, list | dict) or "value" in value]
    head = [name for name in plain if name not in ("reason", "rule")][:_MOST_COLUMNS]
    shown = tuple(tuple(cell(row.get(name)) for name in head) for row in rows[:_MOST_ROWS])
    more = f", the first {_MOST_ROWS} of {len(rows)}; the JSON has all" if len(rows) > _MOST_ROWS else ""
    return Table(tuple(name.replace("_", " ") for name in head), shown, f"{key.replace('_', ' ')}{more}")


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{key.replace('_', ' ')} {cell(each)}" for key, each in value.items())
    return str(value)
