"""The cost of maps in words, tables and figures."""

from __future__ import annotations

from typing import Any

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance.values import Found, figure, reached, words
from medcam.experiments.tables import table


def figures(found: Found) -> list[Figure]:
    """medcam's cost under the name of its cell, the peers' with their own names behind it; a GPU's named first."""
    told = []
    for cell in found["cells"]:
        begin = _cell_name(cell)
        for name, row in cell["ways"].items():
            own = name == found["own"]
            ending = "" if own else f"/{name.replace(' ', '-')}"
            baseline = found["target"] if own else None
            told.append(figure(begin + ending, row.get("ratio"), "", baseline, row.get("error", "")))
    return told


def targets(found: Found) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, measured, reached."""
    rows = []
    for cell in found["cells"]:
        row = cell["ways"][found["own"]]
        what = f"maps of {found['findings']} findings over a plain forward pass, {_where(cell)}"
        ratio = row.get("ratio")
        rows.append((what, f"<= {found['target']:.2f}", words(ratio, 3), reached(ratio, found["target"], at_most=True)))
    return rows


def section(found: Found) -> str:
    """Markdown below its heading."""
    parts = [
        f"""MONAI's DenseNet-121 with {found["findings"]} outputs and random weights, fp32, eager torch,
{found["threads"]}
threads; phantoms. Each library is called as its own documentation shows, on the layer that MONAI names
(`class_layers.relu`), for the maps of all findings on its own grid where it gives them. Figures are times a
plain forward
pass that gives logits alone: each measurement is a pair, the plain pass and right behind it the maps; the median of the
pairs' ratios, its 95 % interval (bootstrap) and the number of pairs.""",
        _costs(found),
        _processor(found),
        _memory(found["memory"]),
        "### Whether the maps are right",
        _checks(found),
    ]
    return "\n\n".join(part for part in parts if part)


def _costs(found: Found) -> str:
    cells = found["cells"]
    header = ["way", *(_where(cell) for cell in cells)]
    plain = ["plain forward pass, ms", *(words(cell["forward_ms"], 0) for cell in cells)]
    rows = [[name, *(_cost(cell["ways"][name]) for cell in cells)] for name in cells[0]["ways"]]
    rows += [[name, *["not measured"] * len(cells)] for name in found["unmeasured"]]
    notes = [f"{name} {why}." for name, why in found["unmeasured"].items()]
    return f"{table(header, [plain, *rows])}\n\n" + " ".join(notes)


def _cost(row: Found) -> str:
    if "ratio" not in row:
        return str(row["error"])
    return f"{words(row['ratio'], 3 if row['ratio']['value'] < 2 else 1)}, n = {row['ratio']['n']}"


def _processor(found: Found) -> str:
    cells = [cell for cell in found["cells"] if cell["device"] == "cpu"]
    rows = [
        [name, *(words(cell["ways"][name].get("processor"), 2) for cell in cells)]
        for name in cells[0]["ways"]
        if any("processor" in cell["ways"][name] for cell in cells)
    ]
    return f"The same by time of the processor, all cores together:\n\n{table(['way', *map(_where, cells)], rows)}"


def _memory(memory: Found) -> str:
    if not memory["mib"]:
        return "Memory could not be measured here." if memory["side"] else "Memory was not measured."
    rows = [[name, f"{value:.0f}"] for name, value in memory["mib"].items()]
    told = f"""Peak memory of one call beyond what the process held before, {memory["side"]} px,
{memory["batch"]} films,
{memory["findings"]} findings (what goes finding by finding needs no more for more), in a process of its own:"""
    return f"{told}\n\n{table(('way', 'MiB'), rows)}"


def _checks(found: Found) -> str:
    about = found["checked"]
    told = f"""Beside the exact class activation maps of the same network, worked out in double precision, on
{about["films"]} phantoms of {about["side"]} px and {about["findings"]} findings. Correlation: of the map as the
documented call gives it, least of all maps; Grad-CAM drops what is negative, so that it is set beside the exact map's
positive part. 1 is right, -1 is upside down. Empty: maps that are the same everywhere, although the exact map is not.
Against: whether the rawest map shows evidence against a finding. Adds up: largest difference between a logit and what
the rawest map adds up to, whichever of mean and sum, with or without the bias, comes closest. One target: a batch of
{about["films"]} films, the finding named once: how many of the maps are right, either way up. Hooks: on the network
after the object was closed as documented, and forgotten."""
    header = ("way", "package", "correlation", "empty", "against", "adds up", "one target", "hooks left")
    rows = [[name, found["packages"][name], *_check(row)] for name, row in about["ways"].items()]
    return f"{told}\n\n{table(header, rows)}"


def _check(row: dict[str, Any]) -> list[str]:
    if "error" in row:
        return [row["error"], *["-"] * 5]
    right = f"{row['right']} of {row['films']}" if "right" in row else "the call fails"
    adds = f"{row['sum_error']:.0e}" if row["sum_error"] < 1e-3 else "no"
    empty, against = f"{row['empty']} of {row['maps']}", "yes" if row["against"] else "no"
    return [f"{row['least']:.3f}", empty, against, adds, right, str(row["hooks"])]


def _cell_name(cell: Found) -> str:
    device = "" if cell["device"] == "cpu" else f"{cell['device']}/"
    return f"{device}maps-over-forward/{cell['side']}/b{cell['batch']}"


def _where(cell: Found) -> str:
    device = "" if cell["device"] == "cpu" else f"{cell['device_name']}, "
    return f"{device}{cell['side']} px, batch {cell['batch']}"
