"""The HTTP API under load: many clients at once at a real server, beside the batch pipeline on the same films."""

from __future__ import annotations

from dataclasses import asdict

from medcam.experiments.bench.figure import Figure
from medcam.experiments.bench.performance.plan import PerformancePlan
from medcam.experiments.bench.performance.values import Found, kept, reached, told, words
from medcam.experiments.bench.service.run import TARGET, run_service_bench
from medcam.experiments.tables import table


def run(plan: PerformancePlan) -> Found:
    """Measures the service as `medcam bench service` does."""
    return {"figures": kept(run_service_bench(plan.service, plan.report)), **asdict(plan.service)}


def figures(found: Found) -> list[Figure]:
    """As `medcam bench service` tells them."""
    return told(found["figures"])


def targets(found: Found) -> list[tuple[str, str, str, str]]:
    """Rows: what, target, measured, reached."""
    known = {one["name"]: one for one in found["figures"]}
    over, errors = known["service-over-pipeline"], known["service/errors"]
    clients = f"`medcam serve`, {found['clients']} clients at once"
    return [
        (
            f"{clients}, over `annotate --write json`, films a second",
            f">= {TARGET:g}",
            words(over),
            reached(over, TARGET, at_most=False),
        ),
        (
            f"{clients}: errors",
            "0",
            f"{errors['value']:.0f} in {errors['n']:,}",
            "**no**" if errors["value"] else "yes",
        ),
    ]


def section(found: Found) -> str:
    """Markdown below its heading."""
    known = {one["name"]: one for one in found["figures"]}
    workers, threads = _counted(found["workers"], "worker process"), _counted(found["threads"], "thread")
    about = f"""{found["clients"]} clients hand in {found["films"]} phantoms of {found["size"]} x {found["size"]} pixels
each, one after another, and take the explanation of one before they send the next; one more hands in {found["flood"]}
at once. The server has {workers} of {threads}, the pipeline as many threads in one process, its model loaded.
{found["rounds"]} rounds of the pipeline and the service in turns, the same films, a new store in each. A wait is from
the film's first byte to its explanation's last. Evenness is Jain's index of the clients' films a second: 1 where all
fare alike, {1 / found["clients"]:.2g} where one has everything."""
    rows = [[what, words(known[name], digits), str(known[name]["n"])] for name, (what, digits) in _ROWS.items()]
    return f"{about}\n\n{table(('what', 'value (95 % interval)', 'n'), rows)}"


def _counted(number: int, what: str) -> str:
    several = what + ("es" if what.endswith("s") else "s")
    return f"{number} {what if number == 1 else several}"


_ROWS = {
    "service/films": ("films a second of the service", 2),
    "service/pipeline-films": ("films a second of the pipeline", 2),
    "service/wait/p50": ("wait for an explanation, half of all, s", 1),
    "service/wait/p99": ("wait for an explanation, 99 % of all, s", 1),
    "service/fairness": ("evenness among the clients", 3),
    "service/flood-over-clients": ("end of the one with many, over that of the last other", 2),
}
