"""The main job: folders of DICOM files in, explanations, pictures and a manifest out.

    files -> open -> admit (duplicates, finished ones) -> prepare -> ask the model (batches) -> write -> manifest

A chain of generators: the last one pulls, and each stage runs in threads a bounded way ahead of what is pulled, so that
memory does not grow with the number of files. Files are decoded in processes of their own, and the model has a thread
of its own that is given full batches, whatever studies the films belong to. A film's pixels live as long as it is being
prepared: what waits for the model, or for the disk, is small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path

from medcam.anatomy import shipped_atlas
from medcam.core.card import ModelCard
from medcam.core.explanation import Engine
from medcam.core.protocols import Classifier, OnEngine
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.service.annotate.admission import Admission
from medcam.service.annotate.chain import chain_threads, run_chain
from medcam.service.annotate.deliveries import deliveries
from medcam.service.annotate.inputs import Input, find_inputs
from medcam.service.annotate.instance_output import Request
from medcam.service.annotate.manifest import Manifest, write_manifest
from medcam.service.annotate.object_writers import ObjectMaker, object_maker
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Outcome
from medcam.service.annotate.pictures import requested_findings
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.annotate.readers import Readers
from medcam.service.annotate.run_output import manifest_of, open_output
from medcam.service.annotate.stages import Stages
from medcam.service.annotate.tally import Progress, Tally
from medcam.service.explanations.method_choice import chosen_method
from medcam.service.explanations.software import software_versions
from medcam.service.output_errors import writing
from medcam.service.studies.keep import FilmKeeper, Keeper, card_digest
from medcam.service.studies.opened import opened_store

BATCH = 8
"""Films that the model is asked about at a time; fewer at the end of a run alone."""


def annotate(
    sources: Sequence[Path | str],
    out: Path | str,
    options: AnnotateOptions | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    readers: Readers | None = None,
    classifier: Classifier | None = None,
    keeper: FilmKeeper | None = None,
    *,
    objects: ObjectMaker | None = None,
    one_by_one: bool = False,
) -> Manifest:
    """Annotates every chest radiograph in files and folders. Research use. Not a medical device.

    Writes OUT/<study>/<instance>/explanation.json, overlay-<finding>.png and sc.dcm as asked for, OUT/quarantine.jsonl
    as inputs are refused, and OUT/manifest.json last. With a destination, the DICOM objects of each film are sent as
    soon as it is finished, and OUT/deliveries.jsonl remembers what was accepted. A run that was stopped, whatever
    stopped it, goes on where it was when it is called again.

    Args:
        sources: Files, folders and searches of DICOMweb services; what is no DICOM image is skipped.
        out: The output folder; made if absent.
        options: How.
        progress: Called in this thread whenever an input has been dealt with.
        readers: Who parses and decodes the files, which are not trusted; by default processes that are started for this
            run and end with it.
        classifier: The model where it is loaded already, on whatever engine; by default that of the options is loaded
            for this run.
        keeper: Keeps the films; by default the store of the options, if they name one.
        objects: Who makes the DICOM objects; by default this process, or processes of this run where it is a long one.
        one_by_one: Whether a film is begun only when the one before it is dealt with, to learn which one it is that
            kills the process.

    Returns:
        The manifest, as written.

    Raises:
        WebError: A DICOMweb service cannot be searched.
        UsageError: A source does not exist, the model lacks a finding that is asked for, or the call is wrong
            otherwise.
        ModelError: The model cannot be loaded.
        AtlasError: The anatomical atlas cannot be loaded.
        ReadersError: No process that reads files can be started.
        OutputError: The output folder cannot be written; what was finished stays.
        StoreError: The store cannot be used; what was finished stays.
    """
    options, out = options or AnnotateOptions(), Path(out)
    started = datetime.now(UTC)
    files = find_inputs(sources, out, options.security)
    classifier = classifier or load_classifier(options)
    request = request_of(classifier, options)
    shipped_atlas()  # a damaged installation stops the run here instead of quarantining every film
    with (
        nullcontext(readers) if readers else ReaderPool(options.workers) as reading,
        nullcontext(keeper) if keeper else _keeping(options.store, classifier.card) as keeping,
        nullcontext(objects) if objects else object_maker(options, len(files)) as making,
    ):
        open_output(out)
        with QuarantineLog(out) as quarantine, deliveries(out, options) as sending:
            tally = Tally(len(files), quarantine, progress)
            stages = Stages(out, classifier, request, reading, keeping, making)
            _run(
                files, stages, options, both(tally.add, sending.add), (1, 1) if one_by_one else (options.workers, BATCH)
            )
    manifest = manifest_of(tally, request, engine_of(classifier), started, sending.counts)
    with writing():
        write_manifest(out, manifest)
    return manifest


def load_classifier(options: AnnotateOptions) -> Classifier:
    """The model of a run, on its engine.

    Raises:
        ModelError: It cannot be loaded.
    """
    return load_model(options.model, options.engine, threads=options.engine_threads)


@contextmanager
def _keeping(store: str | None, card: ModelCard) -> Iterator[Keeper | None]:
    if store is None:
        yield None
        return
    with opened_store(store) as opened:
        yield Keeper.of(opened, card)


def both(*sinks: Callable[[Outcome], None]) -> Callable[[Outcome], None]:
    """Tells every sink of an outcome, one after the other."""

    def settle(outcome: Outcome) -> None:
        for sink in sinks:
            sink(outcome)

    return settle


def request_of(classifier: Classifier, options: AnnotateOptions) -> Request:
    """What a run asks of every film.

    Raises:
        UsageError: The model lacks a finding or a method that is asked for.
    """
    card = classifier.card
    engine, _ = engine_of(classifier)
    return Request(
        model=(card.name, card.version, card.weights_sha256),
        card_sha256=card_digest(card),
        findings=requested_findings(options.findings, card),
        outputs=options.outputs,
        allow_out_of_distribution=options.allow_out_of_distribution,
        software=software_versions()["medcam"],
        capture_side=options.capture_side,
        method=chosen_method(options.method, card),
        engine=(engine.name, engine.precision),
    )


def engine_of(classifier: Classifier) -> tuple[Engine, tuple[str, ...]]:
    """What computes the maps, and what else was tried."""
    return (classifier.engine, classifier.engine_notes) if isinstance(classifier, OnEngine) else (Engine(), ())


def _run(
    files: Sequence[Input],
    stages: Stages,
    options: AnnotateOptions,
    sink: Callable[[Outcome], None],
    size: tuple[int, int],
) -> None:
    admission = Admission(stages.out, stages.request, resume=options.resume, keeper=stages.keeper)

    def settle(outcome: Outcome) -> None:
        admission.settle(outcome)
        sink(outcome)

    with chain_threads(*size) as threads:
        while files:
            run_chain(files, stages, admission, settle, threads)
            # What shared its UID with a file that was still under way; each pass settles at least one per UID.
            files = admission.take_contested()
