"""Sections that tell what is known: the model, the data, readers, integrity, limits, software."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from medcam.core.card import ModelCard
from medcam.service.agreement.cases import Case
from medcam.service.audit.verify import Verification
from medcam.service.audit.verify_records import RecordsVerification
from medcam.service.report.document import Block, Command, Paragraph, Section, Status, Table, Verdict, not_assessed
from medcam.service.report.figures import words
from medcam.service.report.inputs import ReportInputs

_MOST_ROWS = 40
_MOST_DISAGREEMENTS = 25
_INTEGRITY = "Integrity of the record"


def model_section(inputs: ReportInputs) -> Section:
    """The model card."""
    model, card = inputs.observed.model, inputs.card
    rows = [
        ("model", f"{model.name}, version {model.version}"),
        ("SHA-256 of the weights", model.weights_sha256),
        ("attribution method", inputs.observed.method),
        ("engine", inputs.observed.engine),
    ]
    if card is None:
        text = "The model's card is neither in the record nor installed here. Name the model's folder with --model."
        return Section("model", "The model", (Table(("what", "is"), tuple(rows)), Paragraph(text)))
    rows += [
        ("network", f"{card.backbone}, head {card.head}, layer {card.layer}"),
        ("input", f"{card.input.height} x {card.input.width} pixels, {card.input.intensity}"),
        ("trained on", card.training_data or "not stated"),
        ("licence of the data", card.training_licence or "not stated"),
        ("intended use", card.intended_use),
        ("measured on", card.measured_on or "not stated"),
        ("origin", card.origin or "trained with medcam"),
    ]
    return Section("model", "The model", (Table(("what", "is"), tuple(rows)), _thresholds(card)))


def data_section(inputs: ReportInputs) -> Section:
    """The films."""
    observed, record = inputs.observed, inputs.performance
    days = sorted(film.day.isoformat() for film in observed.films if film.day)
    patients = len({film.patient for film in observed.films})
    flagged = sum(film.flagged for film in observed.films)
    rows = [
        ("record", f"{'results folder' if observed.kind == 'results' else 'store'} {observed.label}"),
        ("films", f"{len(observed.films)} of {patients} patients (studies where no patient is on record)"),
        ("days", f"{days[0]} to {days[-1]}" if days else "not on record"),
        ("left out", f"{observed.others} decisions by other models, or older ones on the same film"),
        ("out of distribution", f"{flagged} films that the model's gate flags as unlike its training films"),
    ]
    if record is not None:
        rows.append(("truth", f"{record.truth['format']}, SHA-256 {record.truth['sha256']}"))
    groups: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for film in observed.films:
        for name, value in film.attributes.items():
            groups[name][value] += 1
    counted = tuple(
        (name, value, str(count)) for name in sorted(groups) for value, count in sorted(groups[name].items())
    )
    blocks: list[Block] = [Table(("what", "is"), tuple(rows))]
    if counted:
        blocks.append(Table(("attribute on record", "group", "films"), counted[:_MOST_ROWS]))
    return Section("data", "The data", tuple(blocks))


def readers_section(inputs: ReportInputs) -> Section:
    """How far readers agree, with the model and with each other, and where they do not."""
    rule = "told, not judged: agreement says nothing about who is right"
    if not inputs.agreement:
        command = "medcam review --store STORE"
        why = "the record is no store, or no reader has answered"
        return not_assessed("readers", "Readers' agreement and open disagreements", why, [command], rule)
    blocks: list[Block] = []
    for phase, report in inputs.agreement.items():
        rows = tuple(
            (one.finding, str(one.readers), str(one.model.cases), words(one.model.kappa), words(one.model.percent),
             words(one.alpha))
            for one in report.findings
        )  # fmt: skip
        head = ("finding", "readers", "answers", "kappa with the model", "agreement with it", "alpha of readers")
        caption = f"{phase.value} answers: {report.answers} by {len(report.readers)} readers on {report.films} films"
        blocks += [Table(head, rows, caption), _disagreements(report.cases)]
    return Section("readers", "Readers' agreement and open disagreements", tuple(blocks))


def integrity_section(inputs: ReportInputs) -> Section:
    """Whether the record is whole."""
    found = inputs.integrity
    if isinstance(found, Verification):
        return _trail(found, inputs.kept)
    rule = "every result is there, as its receipt says, and adds up"
    number = f"{len(found.faults)} faults in {found.results} results"
    verdict = Verdict("Results folder", Status.MEETS if found.intact else Status.FAILS, number, rule)
    rows = tuple((one.result or "the folder", str(one.fault), one.detail or "-") for one in found.faults[:_MOST_ROWS])
    told: Block = Paragraph("A results folder is not signed. This computes every result again:")
    command: Block = Command("medcam audit replay --all --store RECORD --source FILMS")
    tables: tuple[Block, ...] = (Table(("result", "fault", "detail"), rows),) if rows else ()
    return Section("integrity", _INTEGRITY, (told, command, *tables), (verdict,))


def _trail(found: Verification, kept: RecordsVerification | None) -> Section:
    rule = "every event of the audit trail is as it was signed, and follows the one before it"
    number = f"{found.events} events" if found.fault is None else f"event {found.number}: {found.fault.words}"
    verdicts = [Verdict("Audit trail", Status.MEETS if found.intact else Status.FAILS, number, rule)]
    blocks: list[Block] = [
        Paragraph("Events cut off the end leave no trace without an anchor. With one, and computing decisions again:"),
        Command("medcam audit verify --store STORE --anchor FILE"),
        Command("medcam audit replay --all --store STORE"),
    ]
    rule = "every explanation and every answer is there, as the trail noted it, and none that it did not note"
    if kept is None:
        verdicts.append(Verdict("Kept records", Status.UNJUDGED, "the trail is not whole", rule))
    else:
        number = f"{kept.explanations} explanations, {kept.reviews} answers; {len(kept.faults)} not as noted"
        verdicts.append(Verdict("Kept records", Status.MEETS if kept.intact else Status.FAILS, number, rule))
        rows = tuple((one.kind, one.id, str(one.event or "-"), str(one.fault)) for one in kept.faults[:_MOST_ROWS])
        if rows:
            blocks.append(Table(("record", "ID", "event", "fault"), rows))
    return Section("integrity", _INTEGRITY, tuple(blocks), tuple(verdicts))


def limits_section(inputs: ReportInputs) -> Section:
    """What this report cannot say."""
    limits = [
        "This report describes one model on one set of films. It is neither a conformity assessment nor a clinical "
        "evaluation.",
        "A map highlights; it never proves. A cell of a map sees beyond itself, so evidence on the right place does "
        "not show that the right thing was seen, and no evidence on a marker does not show that it went unused.",
        "Rules are medcam's defaults, stated beside every verdict. Which limits a clinic asks for is for the "
        "committee to say.",
        "A test that finds no difference, no drift or no shortcut shows their absence only as far as the films "
        "suffice.",
        "Labels are taken to be true. Where they are read from reports, they carry the reports' errors.",
    ]
    card = inputs.card
    own = [f"By the model's card: {limit}" for limit in (card.limits if card else ())]
    return Section("limits", "Limits", tuple(Paragraph(text) for text in (*limits, *own)))


def software_section(inputs: ReportInputs, sbom: Mapping[str, Any]) -> Section:
    """Versions, and the bill of materials."""
    recorded = inputs.observed.software
    rows = tuple((name, version) for name, version in sorted(recorded.items()))
    parts = tuple((one["name"], one["version"], _licence(one)) for one in sbom["components"])
    text = f"{len(parts)} packages are installed where this report was made; the JSON beside it has them as CycloneDX."
    blocks = (
        Table(("software on record", "version"), rows, "What computed the decisions"),
        Paragraph(text),
        Table(("package", "version", "licence, as the package states it"), parts, "What made this report"),
    )
    return Section("software", "Software bill of materials", blocks)


def _thresholds(card: ModelCard) -> Table:
    rows = tuple(
        (one.name, f"{one.code.scheme} {one.code.value}" if one.code else "-", f"{one.threshold:.3f}",
         "; ".join(f"{name} {figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"
                   for name, figure in one.performance.items()) or "-")
        for one in card.findings
    )  # fmt: skip
    return Table(("finding", "code", "threshold", "figures on the card"), rows)


def _disagreements(cases: Mapping[str, list[Case] | Any]) -> Block:
    """Films on whose finding two readers' last answers conflict."""
    rows = []
    for finding, own in cases.items():
        by_film: dict[str, list[Case]] = defaultdict(list)
        for case in own:
            if case.present is not None:
                by_film[case.film].append(case)
        for film, answers in sorted(by_film.items()):
            yes = sum(bool(case.present) for case in answers)
            if 0 < yes < len(answers):
                called = {True: "present", False: "absent", None: "no call"}[answers[0].called]
                rows.append((film, finding, f"{yes} present, {len(answers) - yes} absent", called))
    if not rows:
        return Paragraph("No two readers disagree on a finding of the same film.")
    caption = f"Open disagreements between readers: {len(rows)}; the first {min(len(rows), _MOST_DISAGREEMENTS)}"
    return Table(("film", "finding", "readers", "model"), tuple(rows[:_MOST_DISAGREEMENTS]), caption)


def _licence(component: Mapping[str, Any]) -> str:
    return ", ".join(one["license"]["name"] for one in component.get("licenses", ())) or "-"
