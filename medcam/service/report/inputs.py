"""What a report is made from: a record, its truth, records of other measurements, and what readers answered."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.card import ModelCard
from medcam.core.errors import MedcamError, UsageError
from medcam.core.reader import Reader, Role
from medcam.core.review import Phase
from medcam.evaluate.heat import Shown
from medcam.models.card_json import card_from_json
from medcam.models.registry import load_model
from medcam.service.agreement.report import AgreementQuery, AgreementReport, agreement_report
from medcam.service.audit.key import key_path, read_verifier
from medcam.service.audit.results import folder_sources, results_folder
from medcam.service.audit.verify import Verification, verify_trail
from medcam.service.audit.verify_records import RecordsVerification, verify_records
from medcam.service.audit.verify_results import ResultsVerification, verify_results
from medcam.service.evaluation.drift import DriftRecord, measure_drift
from medcam.service.evaluation.labels import Labels, read_labels
from medcam.service.evaluation.localisation import Localisation, Plan, evaluate_localisation
from medcam.service.evaluation.observed import Observed, observe, observe_folder, observe_store
from medcam.service.evaluation.observed_film import ObservedFilm
from medcam.service.evaluation.performance import PerformanceRecord, measure_performance
from medcam.service.evaluation.shown_places import shown_finding
from medcam.service.evaluation.true_places import Id, TruePlaces, key_of, read_places
from medcam.service.studies.keep import card_digest
from medcam.service.studies.opened import opened_store

RECORDS = ("faithfulness", "sanity", "shortcuts")
"""Records of other measurements that a report shows, each in a file of that name."""
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class ReportPlan:
    """What is asked of a report.

    Args:
        record: A results folder or a store.
        truth: Which findings films have, and where; None without.
        places: Where findings are, in place of what the truth says of it; None for that.
        sources: Where the films of a results folder lie.
        records: Folder with records of other measurements; None without.
        before: Record of an earlier period that this one is compared with; None without.
        model: The model, where its card is neither in the record nor under its own name.
        rename: Findings that the model calls otherwise.
        by: How films are found.
        min_auc: Least lower end of an AUC's interval that meets the rule.
        seed: Of bootstrap and permutations.
    """

    record: str | None
    truth: Path | None = None
    places: Path | None = None
    sources: tuple[str, ...] = ()
    records: Path | None = None
    before: str | None = None
    model: str | None = None
    rename: Mapping[str, str] = field(default_factory=dict)
    by: Id | None = None
    min_auc: float = 0.8
    seed: int = 0


@dataclass(frozen=True, eq=False)
class ReportInputs:
    """All that sections are made of.

    Args:
        plan: What was asked.
        observed: The record.
        card: The model's card; None where it is not to be had.
        performance: None without truth.
        localisation: None where the truth does not say where findings are.
        places: Where they are.
        drift: None without an earlier period.
        agreement: Of readers, by phase; empty without a store.
        records: Of other measurements, by name; those of another model under `strange`.
        strange: Names of records that are of another model.
        integrity: Of a results folder, or of a store's trail by the key at hand, without anchors.
        unlocated: Why places were not measured, where they were not.
        kept: What a store holds against what its trail noted; None for a results folder, or a trail that is not whole.
    """

    plan: ReportPlan
    observed: Observed
    card: ModelCard | None
    performance: PerformanceRecord | None
    localisation: Localisation | None
    places: TruePlaces | None
    drift: DriftRecord | None
    agreement: Mapping[Phase, AgreementReport]
    records: Mapping[str, dict[str, Any]]
    strange: tuple[str, ...]
    integrity: ResultsVerification | Verification
    unlocated: str = ""
    kept: RecordsVerification | None = None


@dataclass(eq=False)
class ObservedShown:
    """A record as what a model shows."""

    observed: Observed
    whole: bool = field(default=False, init=False)

    def __len__(self) -> int:
        return len(self.observed.films)

    def __iter__(self) -> Iterator[_Film]:
        for film in self.observed.films:
            yield _Film(film.name, film)

    def about(self) -> Mapping[str, str]:
        """As `ShownFilms`."""
        model = self.observed.model
        return {"kind": "record", "model": model.name, "version": model.version, "method": self.observed.method}


@dataclass(eq=False)
class _Film:
    name: str
    film: ObservedFilm

    def key(self, by: Id) -> str:
        return film_key(self.film, by)

    def shown(self) -> Mapping[str, Shown]:
        return {finding.name: shown_finding(finding) for finding in self.film.explanation().findings}


def film_key(film: ObservedFilm, by: Id) -> str:
    """The identifier of a film."""
    return film.uid if by is Id.SOP_INSTANCE_UID else key_of(film.name, by)


def gather(plan: ReportPlan, progress: Progress = lambda *_: None) -> ReportInputs:
    """Reads and measures all that a report needs.

    Args:
        plan: What is asked.
        progress: Called with what is done, of how many, and a note.

    Raises:
        UsageError: The record holds nothing, the truth is of other films, or a record of measurements is broken.
        InputError: A file cannot be read.
    """
    observed, agreement, integrity, kept = _record(plan, progress)
    labels = None if plan.truth is None else read_labels(plan.truth, plan.rename, plan.by)
    localisation, places, why = _localisation(plan, observed, labels, progress)
    records = _records(plan.records)
    digest = observed.model.weights_sha256
    strange = tuple(name for name, one in records.items() if one.get("weights_sha256", digest) != digest)
    return ReportInputs(
        plan=plan,
        observed=observed,
        card=_card(observed, plan.model),
        performance=None if labels is None else measure_performance(observed, labels, seed=plan.seed),
        localisation=localisation,
        places=places,
        drift=None if plan.before is None else measure_drift(observe(plan.before), observed, seed=plan.seed),
        agreement=agreement,
        records={name: one for name, one in records.items() if name not in strange},
        strange=strange,
        integrity=integrity,
        unlocated=why,
        kept=kept,
    )


def _record(
    plan: ReportPlan, progress: Progress
) -> tuple[Observed, dict[Phase, AgreementReport], ResultsVerification | Verification, RecordsVerification | None]:
    def step(done: int, total: int) -> None:
        progress(done, total, "films")

    folder = results_folder(plan.record)
    if folder is not None:
        observed = observe_folder(folder, folder_sources(plan.sources, folder.path), step)
        return observed, {}, verify_results(folder), None
    with opened_store(plan.record, make=False) as opened:
        observed = observe_store(opened, progress=step)
        viewer = Reader(0, "medcam", "report", "report", frozenset((Role.AUDITOR,)), everything=True)
        digest = "" if observed.card is None else card_digest(card_from_json(observed.card))
        found = {phase: agreement_report(opened, viewer, AgreementQuery(digest, phase)) for phase in Phase}
        trail = verify_trail(opened.store, read_verifier(key_path()), [])
        kept = verify_records(opened.store) if trail.intact else None
        return observed, {phase: one for phase, one in found.items() if one.answers}, trail, kept


def _localisation(
    plan: ReportPlan, observed: Observed, labels: Labels | None, progress: Progress
) -> tuple[Localisation | None, TruePlaces | None, str]:
    told = plan.places or (None if labels is None else labels.places)
    if told is None:
        return None, None, "the truth does not say where findings are"
    places = read_places(told, plan.by, plan.rename)
    try:
        done = evaluate_localisation(
            places, ObservedShown(observed), Plan(), progress=lambda one, total: progress(one, total, "places")
        )
    except UsageError as error:
        return None, None, error.message
    return done, places, ""


def _card(observed: Observed, model: str | None) -> ModelCard | None:
    if observed.card is not None:
        return card_from_json(observed.card)
    try:
        card = load_model(model or observed.model.name).card
    except MedcamError:
        return None
    return card if card.weights_sha256 == observed.model.weights_sha256 else None


def _records(folder: Path | None) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in RECORDS if folder is not None else ():
        path = _first(folder, (f"{name}.json", f"{name}/{name}.json"))
        if path is None:
            continue
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise _broken(path) from error
        if not isinstance(content, dict):
            raise _broken(path)
        found[name] = content
    return found


def _first(folder: Path | None, names: Sequence[str]) -> Path | None:
    return None if folder is None else next((folder / name for name in names if (folder / name).is_file()), None)


def _broken(path: Path) -> UsageError:
    return UsageError(
        f"{path.name} is no record of a measurement",
        code="broken-record",
        next_step="Make it anew with the command of `medcam evaluate` of the same name.",
    )
