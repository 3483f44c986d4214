"""`medcam deidentify`: films that may be passed on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from medcam.cli.console import ExitCode, progress, say, show, stoppable

if TYPE_CHECKING:
    from medcam.service.deidentification.report import Report

_WORDS = {
    "deidentified": "written and verified",
    "skipped": "no image: not passed on",
    "quarantined": "refused: see quarantine.jsonl",
    "duplicate": "the same object twice",
}


def deidentify(
    source: Annotated[
        list[Path],
        typer.Argument(metavar="SOURCE", help="DICOM files, folders, ZIP and tar archives, DICOMDIRs."),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where results go; made if absent.")],
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The secret and the table of pseudonyms, outside DIR; made if absent. With the same key the same "
            "patient gets the same pseudonym again.",
            show_default="DIR-key.json",
        ),
    ] = None,
    clean_pixels: Annotated[
        bool, typer.Option("--clean-pixels", help="Black out text that is burned in, side markers among it.")
    ] = False,
    retain_patient_characteristics: Annotated[
        bool, typer.Option("--retain-patient-characteristics", help="Keep sex, age (at most 90), size and weight.")
    ] = False,
    retain_longitudinal: Annotated[
        bool,
        typer.Option("--retain-longitudinal", help="Shift dates by one number of days per patient; else remove them."),
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Files worked on at once.", show_default="cores")
    ] = None,
    resume: Annotated[
        bool,
        typer.Option("--resume/--no-resume", help="Keep what an earlier run wrote with the same key and options."),
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print the report as JSON on standard output.")] = False,
) -> None:
    """Take what identifies patients out of radiographs (DICOM PS3.15 Annex E), and check that it is gone.

    Look at the results before you pass them on: no program can promise that nothing is left. Ends with 0 when all is
    done, 1 when some files were quarantined, 2 when the call is wrong, 3 when nothing could be done.
    """
    with stoppable("What was finished is kept: give the same command again to go on."), progress("deidentify") as step:
        from medcam.dicom.deidentify import Profile
        from medcam.service.annotate.options import default_workers
        from medcam.service.deidentification.options import DeidentifyOptions
        from medcam.service.deidentification.run import deidentify_files

        options = DeidentifyOptions(
            profile=Profile(clean_pixels, retain_patient_characteristics, retain_longitudinal),
            key=key,
            workers=workers or default_workers(),
            resume=resume,
        )
        report = deidentify_files(
            source,
            out,
            options,
            lambda done, total, refused: step(done, total, f"{refused} quarantined" if refused else ""),
        )
    if json:
        typer.echo(report.to_json(), nl=False)
    else:
        summarise(report, out)
    raise typer.Exit(exit_code(report))


def exit_code(report: Report) -> ExitCode:
    """How a run ends: see the command's help."""
    if len(report.written) + len(report.skipped) + len(report.duplicates) == 0:
        return ExitCode.NOTHING_DONE
    return ExitCode.SOME_QUARANTINED if report.refused else ExitCode.DONE


def summarise(report: Report, out: Path) -> None:
    """Prints what became of the inputs and where things are."""
    from rich.table import Table

    table = Table()
    table.add_column("inputs")
    table.add_column("files", justify="right")
    table.add_column("", overflow="fold")
    for name, count in report.counts.items():
        table.add_row(name, str(count), _WORDS[name] if count else "")
    show(table)
    unknown = sum(bool(item.warnings) for item in report.written)
    if unknown:
        say(f"{unknown} films do not say whether text is burned in: look at them, or run with --clean-pixels.")
    say(f"Results: {out}/<study>/<series>/<instance>.dcm   report: {out / 'deidentification.json'}")
    if report.refused:
        say(f"Refused files, each with a reason: {out / 'quarantine.jsonl'}")
    say("The key file leads back to the patients: keep it apart, and never pass it on with the films.")
    say("Look at the films before you pass them on.")
