"""The page on the load test, written from what was measured alone."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from textwrap import fill

from medcam.experiments.bench.dashboard.figures import QUERY_MS, RERUN_MS, WARM
from medcam.experiments.bench.dashboard.load import LoadRecord
from medcam.experiments.bench.dashboard.run import DashboardBench, Measured
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.statistics import quantile
from medcam.experiments.tables import table
from medcam.service.atomic import write_text

_NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_MANY = 20_000
"""Reruns for which the memory's drift is told."""
_FLAT = 0.05


def write_page(bench: DashboardBench, path: Path, command: str) -> None:
    """Writes the page.

    Args:
        bench: What was measured.
        path: Of the page.
        command: How it is measured again.
    """
    write_text(path, page_of(bench, command))


def page_of(bench: DashboardBench, command: str) -> str:
    """The page as Markdown; arguments as `write_page`."""
    figures = {figure.name: figure for figure in bench.figures}
    parts = [_head(bench), _verdicts(bench, figures), _waiting(bench, figures)]
    parts += [_memory(one, figures) for one in bench.measured]
    parts += [_queries(bench, figures), _origin(bench, command)]
    return "\n\n".join(parts) + "\n"


def _head(bench: DashboardBench) -> str:
    plan = bench.plan
    first = f"""`medcam bench dashboard` fills an empty store with {plan.studies:,} studies, starts the server of
    `medcam review` on this computer alone, and lets {plan.readers} simulated readers at it, each signed in by
    name, over the websocket that a browser would use. They open the worklist, search, filter and turn it, open
    studies and fetch their films and maps, choose findings, answer them and go on to the next study. {plan.openable:,}
    of the studies have a film and an explanation, those of the sample data in turn; the others are rows for the
    worklist. Half of the readers may read everything, the others what is assigned to them."""
    second = """A rerun counts from the message that a reader sends to the message that the page is drawn. What a
    browser then does with it is not in the figures, nor are the static files that it loads once, nor a film and its
    maps, which it fetches beside the page, once. The simulated readers run on the same processor cores as the server
    and the database, and take their share. One reader's first pages, for which the server loads what it needs, are
    not measured."""
    return "\n\n".join(("# How fast the review pages are", _prose(first), _prose(second)))


def _verdicts(bench: DashboardBench, figures: dict[str, Figure]) -> str:
    rows, notes = [], []
    for one in bench.measured:
        name = _NAMES[one.name]
        waited = figures[f"rerun/{one.name}/thinking/p95"]
        rows.append((f"95 % of reruns, thinking readers, {name}", f"< {RERUN_MS:.0f} ms", _told(waited), _met(waited)))
        slowest = max(
            (figure for key, figure in figures.items() if key.startswith(f"worklist/{one.name}/") and figure.baseline),
            key=lambda figure: figure.value,
        )
        words = f"95 % of the slowest question to the worklist, {name}"
        rows.append((words, f"< {QUERY_MS:.0f} ms", _told(slowest), _met(slowest)))
        errors = sum(int(figure.value) for key, figure in figures.items() if f"/{one.name}/" in key and "errors" in key)
        rows.append((f"errors, {name}", "0", str(errors), "yes" if errors == 0 else "**no**"))
        told = {key: figure.note for key, figure in figures.items() if f"/{one.name}/" in key and "errors" in key}
        notes += [f"- `{key}`: {note}" for key, note in told.items() if note]
        drift = figures.get(f"memory/{one.name}/slope")
        if drift is not None:
            rows.append(
                (
                    f"memory over reruns, {name}",
                    f"< {_FLAT:.0%} more per {_MANY:,}",
                    _drift_words(drift),
                    _flat(drift, figures.get(f"memory/{one.name}/warm"), one.hurried.reruns),
                )
            )
    if bench.missing:
        rows.append((bench.missing, "", "", "not measured"))
    verdicts = table(("what", "target", "measured (95 % interval)", "reached"), rows, words=True)
    return "\n\n".join(["## Targets", verdicts, *(["The commonest errors:", "\n".join(notes)] if notes else [])])


def _waiting(bench: DashboardBench, figures: dict[str, Figure]) -> str:
    rows = []
    for one in bench.measured:
        for kind, record in (("thinking", one.thinking), ("hurried", one.hurried)):
            begin = f"rerun/{one.name}/{kind}"
            cells = [_told(figures[f"{begin}/p{percent}"]) for percent in (50, 95, 99)]
            processor = figures.get(f"{begin}/processor")
            rate = f"{figures[f'{begin}/rate'].value:.1f}"
            used = "-" if processor is None else f"{processor.value:.0f}"
            rows.append((f"{_NAMES[one.name]}, {kind}", str(record.reruns), *cells, rate, used))
    header = ("readers", "reruns", "median ms", "95 % ms", "99 % ms", "reruns/s", "server ms/rerun")
    first = bench.measured[0]
    told = f"""Thinking readers wait {bench.plan.think:g} s on average before each act (exponentially
    distributed), as somebody does who looks at a film; hurried ones not at all, which no reader does: what they
    wait for is the queue that they make, and their rate is how much the server can do. The last column is the
    server's own time of the processor. Intervals are from drawing whole readers."""
    acts = f"What was done by thinking readers, {_NAMES[first.name]}:"
    return "\n\n".join(("## Reruns", _prose(told), table(header, rows), acts, _by_act(first.thinking)))


def _by_act(record: LoadRecord) -> str:
    times: dict[str, list[list[float]]] = defaultdict(list)
    sizes: dict[str, list[int]] = defaultdict(list)
    for runs in record.runs:
        own: dict[str, list[float]] = defaultdict(list)
        for act, seconds, received in runs:
            own[act].append(1000.0 * seconds)
            sizes[act].append(received)
        for act, values in own.items():
            times[act].append(values)
    rows = []
    for act in sorted(times):
        middle, high = quantile(times[act], 0.5), quantile(times[act], 0.95)
        rows.append((act, str(high.n), f"{middle.value:.0f}", f"{high.value:.0f}", f"{_mean(sizes[act]) / 1024:.0f}"))
    return table(("act", "n", "median ms", "95 % ms", "KiB received"), rows)


def _memory(one: Measured, figures: dict[str, Figure]) -> str:
    drift = figures[f"memory/{one.name}/slope"]
    if not drift.n:
        return f"## Memory, {_NAMES[one.name]}\n\n{drift.note}."
    warm, end, most = (figures[f"memory/{one.name}/{name}"].value for name in ("warm", "end", "most"))
    told = f"""Over the {one.hurried.reruns:,} reruns of hurried readers, who load the page
    anew after every 12 studies: {warm:.0f} MiB after the first {WARM:.0%} of them, {end:.0f} MiB at the end,
    {most:.0f} MiB at the most. The first {WARM:.0%} fill caches that have an upper bound and are left out of the
    slope: {_drift_words(drift)}. The interval is from {drift.n} measurements, one a second, by moving blocks."""
    return f"## Memory, {_NAMES[one.name]}\n\n{_prose(told)}"


def _queries(bench: DashboardBench, figures: dict[str, Figure]) -> str:
    rows = []
    for answered in bench.measured[0].answered:
        cells = []
        for one in bench.measured:
            begin = f"worklist/{one.name}/{answered.name}"
            cells += [f"{figures[f'{begin}/p50'].value:.1f}", _told(figures[f"{begin}/p95"], 1)]
        rows.append((answered.words, *cells))
    header = ["question"]
    for one in bench.measured:
        header += [f"{_NAMES[one.name]}: median ms", "95 % ms"]
    told = f"{len(bench.measured[0].answered[0].seconds)} times each, in turns, nobody else at the store"
    missing = f"\n\n{bench.missing}." if bench.missing else ""
    return f"## Questions to the worklist\n\n{bench.plan.studies:,} studies; {told}.\n\n{table(header, rows)}{missing}"


def _origin(bench: DashboardBench, command: str) -> str:
    about = bench.machine
    where = [f"{about['cores']} cores, {about['processor']}", about["system"], about["packages"]]
    where += [one.version for one in bench.measured if one.version]
    place = "; ".join(where)
    told = f"""{bench.made}, {bench.seconds / 60:.0f} minutes, {place}; medcam {bench.version}. The load average
    over the minute before the start was {bench.load:.2f}: where it is far from 0, others used the machine too.
    All figures on this page were written by the command. Research use. Not a medical device."""
    return f"## How it was made\n\n```sh\n{command}\n```\n\n{_prose(told)}"


def _prose(text: str) -> str:
    return fill(" ".join(text.split()), 118, break_long_words=False, break_on_hyphens=False)


def _told(figure: Figure, digits: int = 0) -> str:
    if not math.isfinite(figure.value):
        return "-"
    return f"{figure.value:.{digits}f} ({figure.low:.{digits}f} to {figure.high:.{digits}f})"


def _drift_words(drift: Figure) -> str:
    if not math.isfinite(drift.value):
        return "not known"
    many = _MANY / 1000
    ends = f"{many * drift.low:+.0f} to {many * drift.high:+.0f}"
    return f"{many * drift.value:+.0f} MiB ({ends}) per {_MANY:,} reruns"


def _flat(drift: Figure, warm: Figure | None, reruns: int) -> str:
    """Flat is what grows by less than a twentieth over so many reruns, at the upper end of the interval."""
    if warm is None or not math.isfinite(drift.value):
        return "not measured"
    if reruns < _MANY / 2:
        return f"not told by {reruns:,} reruns"
    if _MANY / 1000 * drift.high <= _FLAT * warm.value:
        return "yes"
    return "not told apart from flat" if drift.low <= 0.0 else "**no**"


def _met(figure: Figure) -> str:
    if figure.ratio is None or not math.isfinite(figure.ratio):
        return "not measured"
    return "yes" if figure.ratio < 1.0 else "**no**"


def _mean(values: Sequence[int]) -> float:
    return sum(values) / len(values)
