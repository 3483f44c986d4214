"""Tables and charts of what `medcam evaluate faithfulness`, `sanity` and `shortcuts` wrote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from medcam.service.report.document import Block, Forest, Mark, Paragraph, Table
from medcam.service.report.figures import cell

Row = Mapping[str, Any]
Column = tuple[str, Callable[[Row], str]]
"""A heading and what stands below it."""
_MOST_ROWS = 40
_MOST_MARKS = 24


def record_blocks(name: str, record: Mapping[str, Any], method: str) -> Iterator[Block]:
    """What a record found, in tables and charts.

    Args:
        name: "faithfulness", "sanity" or "shortcuts".
        record: Its JSON; what is missing in it is left out.
        method: Of the decisions that are audited: its rows come first.
    """
    yield from {"faithfulness": _faithfulness, "sanity": _sanity, "shortcuts": _shortcuts}[name](record, method)


def rows_of(record: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    """The rows of a list of the record; none where it has no such list."""
    value = record.get(key)
    return [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []


def _faithfulness(record: Mapping[str, Any], method: str) -> Iterator[Block]:
    curves = _own_first([row for row in rows_of(record, "curves") if not row.get("finding")], method)
    others = [row for row in curves if row.get("method") != "random"]
    marks = [_mark(f"{row.get('method')}, {row.get('fill')}", row.get("beyond_random")) for row in others]
    yield from _forest("Beyond a random map of the same film", "gain over it, area under the probability", marks, -1.0)
    columns = (_method(), _text("cells filled with", "fill"), _figure("deletion"), _figure("insertion"))
    more = (_figure("difference"), _figure("beyond random", "beyond_random"), _figure("beyond centre", "beyond_centre"))
    yield from _table("Deletion and insertion: areas under the probability", (*columns, *more), curves)
    linear = _own_first(rows_of(record, "linear"), method)
    sizes = list(linear[0].get("sensitivity") or ()) if linear else []
    sums = (_method(), *(_size(size) for size in sizes), _figure("infidelity, 1 is a map of zeros", "infidelity"))
    yield from _table("Do the map's values add up to what erasing does?", sums, linear)
    ledger = (
        _text("erased", "region"),
        _text("filled with", "fill"),
        _figure("predicted by the ledger", "predicted"),
        _figure("true change", "true"),
        _figure("mean error", "error"),
        _figure("true / predicted", "slope"),
    )
    yield from _table("Change of the logit by erasing", ledger, rows_of(record, "ledger"))


def _sanity(record: Mapping[str, Any], method: str) -> Iterator[Block]:
    rows = [row for row in rows_of(record, "rows") if row.get("measure", "spearman") == "spearman"]
    own = [row for row in rows if row.get("method") == method and (row.get("decides") or row.get("test") == "flip")]
    marks = [_mark(f"{row.get('test')} (must {row.get('must', '-')})", row.get("similarity")) for row in own]
    yield from _forest(f"Maps of {method}: alike after the change", "Spearman correlation", marks, -0.5)
    columns = (
        _text("test", "test"),
        _text("how far", "detail"),
        _figure("similarity"),
        _figure("unrelated films", "unrelated"),
        ("must be", _must),
        ("verdict", lambda row: f"{row.get('verdict')}{'' if row.get('decides') else ', does not count'}"),
    )
    yield from _table(f"Tests of {method}, by Spearman correlation with the untouched map", columns, own)
    verdicts: dict[str, set[str]] = {}
    for row in rows:
        if row.get("decides"):
            verdicts.setdefault(_name(row), set()).add(str(row.get("verdict")))
    told = tuple((name, _worst(found)) for name, found in verdicts.items())
    if told:
        yield Table(("method", "all tests that count"), told, "All methods that were tested")
    if any(row.get("control") and row.get("verdict") == "failed" and row.get("decides") for row in rows):
        yield Paragraph("The known-bad control fails, as it must: these tests can tell a bad map from a good one.")


def _shortcuts(record: Mapping[str, Any], _method: str) -> Iterator[Block]:
    both = (_text("finding", "finding"), _text("place", "place"), _text("films", "films"))
    evidence = (*both, _share("share of the evidence", "share"), _share("share of the area", "area"))
    yield from _table("Positive evidence in places that are no anatomy", evidence, rows_of(record, "evidence"))
    tail = (_figure("effect, SD", "effect"), ("q", lambda row: _p(row.get("q"))), _text("told", "severity"))
    changes = (_figure("change of the logit", "change"), _figure("as large elsewhere", "control"))
    erasing = (*both, *changes, _text("effect on", "basis"), *tail)
    yield from _table("Erasing those places", erasing, _told_first(rows_of(record, "erasing")))
    attributes = (_text("finding", "finding"), _text("attribute", "attribute"), _text("contrast", "contrast"))
    columns = (*attributes, _text("films", "films"), _figure("difference of the logit", "difference"), *tail)
    yield from _table("Scores and attributes of the film", columns, _told_first(rows_of(record, "associations")))


def _table(caption: str, columns: Sequence[Column], rows: Sequence[Row]) -> Iterator[Table]:
    if rows:
        more = f" (the first {_MOST_ROWS} of {len(rows)}; the JSON has all)" if len(rows) > _MOST_ROWS else ""
        head = tuple(title for title, _ in columns)
        yield Table(head, tuple(tuple(at(row) for _, at in columns) for row in rows[:_MOST_ROWS]), caption + more)


def _forest(title: str, label: str, marks: Sequence[Mark | None], low: float) -> Iterator[Forest]:
    shown = tuple(mark for mark in marks if mark is not None)[:_MOST_MARKS]
    if shown:
        ends = [end for mark in shown for end in (mark.value, mark.low, mark.high) if end is not None]
        yield Forest(title, label, shown, reference=0.0, low=min(low, *ends), high=max(1.0, *ends))


def _mark(label: str, figure: object) -> Mark | None:
    if not isinstance(figure, Mapping) or figure.get("value") is None:
        return None
    low, high = figure.get("low"), figure.get("high")
    return Mark(label, figure["value"], low, high, faint=low is None)


def _name(row: Row) -> str:
    return str(row.get("method", "-")) + (" (control)" if row.get("control") else "")


def _method() -> Column:
    return "method", _name


def _text(title: str, key: str) -> Column:
    return title, lambda row: cell(row.get(key))


def _figure(title: str, key: str | None = None) -> Column:
    return title, lambda row: _two(row.get(key or title))


def _size(size: str) -> Column:
    return f"sensitivity-{size}", lambda row: _two((row.get("sensitivity") or {}).get(size))


def _share(title: str, key: str) -> Column:
    def percent(value: object) -> str:
        if not isinstance(value, int | float):
            return "-"
        return "under 0.1 %" if 0.0 < value < 0.001 else f"{100.0 * value:.1f} %"

    def shown(row: Row) -> str:
        value = row.get(key)
        if not isinstance(value, Mapping):
            return percent(value)
        mean, high = percent(value.get("value")), percent(value.get("high"))
        return mean if high in ("-", mean) else f"{mean} (up to {high})"

    return title, shown


def _two(value: object) -> str:
    """A figure with its interval, to two digits after the point."""
    if isinstance(value, Mapping):
        low, high = value.get("low"), value.get("high")
        return _two(value.get("value")) + ("" if low is None or high is None else f" ({_two(low)} to {_two(high)})")
    if isinstance(value, int | float):
        return f"{value:.2f}".replace("-0.00", "0.00")
    return "-"


def _p(value: object) -> str:
    if not isinstance(value, int | float):
        return "-"
    return "under 0.001" if value < 0.001 else f"{value:.{3 if value < 0.1 else 2}f}"


def _must(row: Row) -> str:
    return f"{'below' if row.get('must') == 'lose' else 'above'} {_two(row.get('threshold'))}"


def _worst(found: set[str]) -> str:
    return next((one for one in ("failed", "undecided", "passed") if one in found), "-")


def _own_first(rows: Sequence[dict[str, Any]], method: str) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda row: (row.get("method", method) != method, bool(row.get("control"))))


def _told_first(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    order = ("high", "moderate", "low")
    return sorted(rows, key=lambda row: order.index(row["severity"]) if row.get("severity") in order else len(order))
