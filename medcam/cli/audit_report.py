"""`medcam audit report`: one file for a governance meeting."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from medcam.cli.console import progress, say, stoppable
from medcam.cli.evaluate_localisation import film_id, finding_names
from medcam.cli.store_options import StoreOption


def report(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="report.html or report.pdf; the same as JSON is written beside it.")
    ],
    store: StoreOption = None,
    truth: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Which findings films have, and where, in any known format.")
    ] = None,
    places: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="Where findings are, in any known format, if --truth does not say so."),
    ] = None,
    source: Annotated[
        list[str] | None,
        typer.Option(metavar="PATH", help="Where the films of a results folder lie, for headers and pictures."),
    ] = None,
    records: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder with faithfulness.json, sanity.json, shortcuts.json, as far as made."),
    ] = None,
    before: Annotated[
        str | None, typer.Option(metavar="RECORD", help="An earlier period to compare with: results folder or store.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model, where it is not known by its own name: its folder.")
    ] = None,
    by: Annotated[
        str | None,
        typer.Option("--id", metavar="NAME", help="How films are found: file-name, path or sop-instance-uid."),
    ] = None,
    rename: Annotated[
        list[str] | None, typer.Option(metavar="TRUTH=MODEL", help="What the model calls a finding; repeatable.")
    ] = None,
    min_auc: Annotated[
        float, typer.Option(help="Least lower end of an AUC's interval that meets the rule.", min=0.5, max=1.0)
    ] = 0.8,
    seed: Annotated[int, typer.Option(help="Of bootstrap and permutations.", min=0)] = 0,
) -> None:
    """Write one self-contained file on a model: card, data, performance, places, drift, readers, limits, software.

    STORE may also be the results folder of `medcam annotate --out`. Every verdict has its number and its rule; what
    was not assessed is said, with the command that does it. SOURCE_DATE_EPOCH fixes the date.
    """
    from medcam.service.report.inputs import ReportPlan
    from medcam.service.report.make import make_report

    plan = ReportPlan(
        record=store,
        truth=truth,
        places=places,
        sources=tuple(source or ()),
        records=records,
        before=before,
        model=model,
        rename=finding_names(rename or []),
        by=film_id(by),
        min_auc=min_auc,
        seed=seed,
    )
    with stoppable("Run the same command again."), progress("report") as step:
        document = make_report(plan, out, step)
    for section in document.sections:
        if section.status is not None:
            say(f"{section.title}: {section.status.value}")
    say(f"Report: {out}   the same as JSON: {out.with_suffix('.json')}")
