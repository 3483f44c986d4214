"""Whole programs on the same files: `medcam annotate` beside two plain scripts."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from medcam.dicom import Codec
from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.peers.every import package_version
from medcam.experiments.bench.peers.saved import FINDING_NAMES, SIDE, save_as_model, save_for_scripts
from medcam.experiments.bench.peers.subject import FINDINGS, Subject, threads
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.values import Found, figure, plain, reached, words
from medcam.experiments.bench.programs import Spent, run_program
from medcam.experiments.bench.timing import median_of, told
from medcam.experiments.tables import table
from medcam.models.engines.names import AUTO
from medcam.models.registry import load_model
from medcam.service.phantoms.make_phantoms import make_phantoms

_SEED = 78
_SCRIPTS = "medcam.experiments.bench.baselines"
ALL, JSON = "medcam, the same pictures", "medcam, no pictures"


@dataclass(frozen=True, slots=True)
class Script:
    """A plain script.

    Args:
        key: In names of figures.
        module: Its name.
        uses: What it is made of.
        packages: Distributions that it needs.
        target: Least that medcam is faster.
    """

    key: str
    module: str
    uses: str
    packages: tuple[str, ...]
    target: float


SCRIPTS = (
    Script(
        "grad-cam",
        f"{_SCRIPTS}.grad_cam_script",
        "pydicom, MONAI, pytorch-grad-cam, matplotlib",
        ("pydicom", "monai", "grad-cam", "matplotlib"),
        8.0,
    ),
    Script(
        "torchcam",
        f"{_SCRIPTS}.torchcam_script",
        "pydicom, MONAI, torchcam, Pillow",
        ("pydicom", "monai", "torchcam", "Pillow"),
        2.0,
    ),
)

_SPARED = tuple(script.key for script in SCRIPTS[1:])
"""What `--quick` does without where time is short: all scripts but the slowest."""


def run(plan: PerformancePlan) -> Found:
    """Renders phantoms, then runs every program on one film and on many, in turns."""
    with tempfile.TemporaryDirectory(prefix="medcam-bench-") as name:
        folder = Path(name)
        plan.report(f"{plan.own_films + 1} phantoms of {plan.film_side} px")
        _films(folder, plan)
        subject = Subject(SIDE, 4)
        apart = save_as_model(folder / "model", subject)
        save_for_scripts(folder / "weights.pt", subject)
        # What a machine keeps from run to run, the network converted for the engine, is made before.
        load_model(str(folder / "model"), AUTO)
        ways = _ways(folder, without_pictures=plan.without_pictures)
        runs: dict[str, list[tuple[Spent, Spent]]] = {name: [] for name in ways}
        errors: dict[str, str] = {}
        for _ in range(plan.program_rounds):
            for way in sorted(ways, key=_SPARED.__contains__):
                words_, many = ways[way]
                if way in errors:
                    continue
                if way in _SPARED and time.monotonic() > plan.spare_until:
                    errors[way] = "left out, since this machine is slow; without --quick it is measured"
                    continue
                plan.report(way)
                try:
                    runs[way].append((_once(folder, words_, "one"), _once(folder, words_, many)))
                except Exception as error:  # noqa: BLE001  whatever stops a program ends its own row alone
                    errors[way] = told(error)
    return _found(plan, runs, errors, apart)


def _films(folder: Path, plan: PerformancePlan) -> None:
    """One film, and the same with some and with many more, all four codecs as often."""
    made = folder / "made"
    make_phantoms(made, plan.own_films + 1, _SEED, size=plan.film_side, masks=False, workers=os.cpu_count() or 1)
    films = sorted(made.rglob("*.dcm"))
    for name, count in (("one", 1), ("some", plan.script_films + 1), ("many", plan.own_films + 1)):
        place = folder / "films" / name
        place.mkdir(parents=True)
        for film in films[:count]:
            shutil.copy(film, place / film.name)


def _ways(folder: Path, *, without_pictures: bool) -> dict[str, tuple[list[str], str]]:
    """What is run by name, and on which films; {films} and {out} stand for folders."""
    ways: dict[str, tuple[list[str], str]] = {}
    for script in SCRIPTS:
        ways[script.key] = (["-m", script.module, "{films}", "{out}", str(folder / "weights.pt")], "some")
    annotate = ["-m", "medcam", "annotate", "{films}", "--out", "{out}", "--model", str(folder / "model")]
    every = [word for name in FINDING_NAMES for word in ("--finding", name)]
    ways[ALL] = ([*annotate, "--write", "json,png", *every], "many")
    if without_pictures:
        ways[JSON] = ([*annotate, "--write", "json"], "many")
    return ways


def _once(folder: Path, command: list[str], films: str) -> Spent:
    out = folder / "out"
    places = {"{films}": str(folder / "films" / films), "{out}": str(out)}
    try:
        return run_program([places.get(word, word) for word in command], folder / "log")
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _found(
    plan: PerformancePlan, runs: dict[str, list[tuple[Spent, Spent]]], errors: dict[str, str], apart: float
) -> Found:
    more = {way: plan.own_films if way in (ALL, JSON) else plan.script_films for way in runs}
    rows: dict[str, Found] = {}
    for way, pairs in runs.items():
        if not pairs:
            rows[way] = {"error": errors[way]}
            continue
        films = more[way]
        rows[way] = {
            "films": films,
            "start_s": plain(median_of([one.wall for one, _ in pairs])),
            "per_film_s": plain(median_of([(many.wall - one.wall) / films for one, many in pairs])),
            "processor_s": plain(median_of([(many.processor - one.processor) / films for one, many in pairs])),
            "memory_mib": max(many.memory for _, many in pairs),
            "walls": [[asdict(one), asdict(many)] for one, many in pairs],
        }
    return {
        "threads": threads(),
        "findings": FINDINGS,
        "side": plan.film_side,
        "codecs": [str(codec.value) for codec in Codec],
        "logits_apart": apart,
        "ways": rows,
        "over": {script.key: _over(rows, script.key) for script in SCRIPTS},
        "scripts": {
            script.key: {
                "uses": script.uses,
                "packages": ", ".join(f"{name} {package_version(name)}" for name in script.packages),
                "target": script.target,
            }
            for script in SCRIPTS
        },
    }


def _over(rows: dict[str, Found], script: str) -> dict[str, Found]:
    """Times as fast per film, of each way of medcam that was measured, run by run."""
    made: dict[str, Found] = {}
    for way in (ALL, JSON):
        if "walls" in rows.get(way, {}) and "walls" in rows[script]:
            pairs = zip(_per_film(rows[script]), _per_film(rows[way]), strict=False)
            made[way] = plain(median_of([theirs / max(ours, 1e-9) for theirs, ours in pairs]))
    return made


def _per_film(row: Found) -> list[float]:
    return [(many["wall"] - one["wall"]) / row["films"] for one, many in row["walls"]]


def figures(found: Found) -> list[Figure]:
    """medcam over each script: with the same pictures under the script's name, with fewer behind it."""
    made = []
    for key, over in found["over"].items():
        why = found["ways"][key].get("error", "")
        target = found["scripts"][key]["target"]
        made.append(figure(f"pipeline-over-script/{key}", over.get(ALL), "", target, why))
        if JSON in found["ways"]:
            made.append(figure(f"pipeline-over-script/{key}/json", over.get(JSON), "", None, why))
    return made


def targets(found: Found) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, measured, reached; with the same number of pictures on both sides."""
    rows = []
    for key, script in found["scripts"].items():
        ratio, target = found["over"][key].get(ALL), script["target"]
        what = f"`medcam annotate` over a script of {script['uses']}, {found['findings']} pictures a film"
        rows.append((what, f">= {target:g}", words(ratio), reached(ratio, target, at_most=False)))
    return rows


def section(found: Found) -> str:
    """Markdown below its heading."""
    used = "; ".join(f"{one['packages']}" for one in found["scripts"].values())
    told_ = f"""Each program runs by itself, from the start of its process, on phantoms of {found["side"]} x
{found["side"]} pixels and 12 bits ({", ".join(found["codecs"])}, as many of each), by the same DenseNet-121 with
{found["findings"]} findings and random weights (logits of its two files agree within {found["logits_apart"]:.0e}). The
scripts are in `medcam/experiments/bench/baselines/`; they use {used}. Pictures have 1024 pixels on the longer side
everywhere. A script draws {found["findings"]} of them for each film; medcam as many, or none, and always writes
`explanation.json` with the maps of all findings. Time per film: that of the run
on all films less that of a run on one, over the films between; the first film's time holds the start. Memory: of the
largest process."""
    rows = []
    for way, row in found["ways"].items():
        name = found["scripts"][way]["uses"] if way in found["scripts"] else way
        rows.append([name, *_row(row)])
    header = ("program", "films", "runs", "s per film", "processor s per film", "first film, s", "MiB")
    faster = [
        [one["uses"], *(words(found["over"][key].get(way), 1) for way in (ALL, JSON))]
        for key, one in found["scripts"].items()
    ]
    return "\n\n".join(
        (
            told_,
            table(header, rows),
            "Times as fast as the script, per film:",
            table(("script", ALL, JSON), faster),
        )
    )


def _row(row: Found) -> list[str]:
    if "error" in row:
        return ["-", "0", row["error"], "-", "-", "-"]
    return [
        str(row["films"]),
        str(row["per_film_s"]["n"]),
        words(row["per_film_s"]),
        words(row["processor_s"]),
        words(row["start_s"], 1),
        f"{row['memory_mib']:.0f}",
    ]
