"""Several models in one pass over the files: each is read, decoded and registered once, and explained by every model.

Each model has a results folder of its own, OUT/<model>, that is whole in itself: what a run with that model alone would
have written, with its manifest and its list of refused inputs. OUT/quarantine.jsonl lists the inputs that were refused
by the run, once each; OUT/models.json comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from medcam.anatomy import shipped_atlas
from medcam.core.card import ModelCard
from medcam.core.codes import slug
from medcam.core.errors import InvalidValueError, UsageError
from medcam.core.protocols import Classifier
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.service.annotate.admission import Admission
from medcam.service.annotate.chain import chain_threads, run_chain
from medcam.service.annotate.deliveries import deliveries
from medcam.service.annotate.inputs import Input, find_inputs
from medcam.service.annotate.manifest import Manifest, write_manifest
from medcam.service.annotate.object_writers import object_maker
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Outcome
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.annotate.readers import Readers
from medcam.service.annotate.run import BATCH, engine_of, load_classifier, request_of
from medcam.service.annotate.run_output import manifest_of, open_output
from medcam.service.annotate.several_index import INDEX_NAME, folder_names, refuse_one, write_index
from medcam.service.annotate.several_settling import ModelRun, Settling
from medcam.service.annotate.several_stages import Ends, SeveralAdmission, SeveralStages
from medcam.service.annotate.stages import Stages
from medcam.service.annotate.tally import Progress, Tally
from medcam.service.output_errors import writing
from medcam.service.studies.keep import Keeper
from medcam.service.studies.opened import opened_store


def annotate_with(
    models: Sequence[str | Classifier],
    sources: Sequence[Path | str],
    out: Path | str,
    options: AnnotateOptions | None = None,
    progress: Callable[[Progress], None] = lambda _: None,
    readers: Readers | None = None,
) -> dict[str, Manifest]:
    """Annotates every chest radiograph with several models. Research use. Not a medical device.

    Args:
        models: Names or folders of models, or loaded ones; two at the least, each once.
        sources: As in `annotate`.
        out: The output folder; made if absent.
        options: How; its model is not looked at. A finding that is asked for is drawn of every model that knows one of
            this name, or of the code that this name has for another of them; a model that knows none of those asked
            for draws those that are present.
        progress: Called in this thread whenever all models have dealt with an input.
        readers: As in `annotate`.

    Returns:
        The manifest of each, as written, by its folder in `out`.

    Raises:
        UsageError: One model alone, one twice (code `same-model-twice`), a folder that holds the results of a run with
            one model (code `one-model`), a finding that none of them knows, and as `annotate`.
        MedcamError: As `annotate`.
    """
    if len(models) < 2:
        raise UsageError("several models are wanted, not one", next_step="Call `annotate` for one model.")
    options, out, started = options or AnnotateOptions(), Path(out), datetime.now(UTC)
    refuse_one(out)
    files = find_inputs(sources, out, options.security)
    classifiers = [load_classifier(replace(options, model=one)) if isinstance(one, str) else one for one in models]
    names = folder_names([classifier.card for classifier in classifiers])
    findings = findings_for_each(options.findings, [classifier.card for classifier in classifiers])
    wanted = [replace(options, findings=known) for known in findings]
    requests = [request_of(*one) for one in zip(classifiers, wanted, strict=True)]
    shipped_atlas()
    with (
        nullcontext(readers) if readers else ReaderPool(options.workers) as reading,
        _keepers(options.store, [classifier.card for classifier in classifiers]) as keepers,
        object_maker(options, len(files)) as objects,
    ):
        parts = zip(names, classifiers, requests, keepers, strict=True)
        each = [Stages(out / name, asked, request, reading, keeper, objects) for name, asked, request, keeper in parts]
        runs = _run(files, each, out, options, progress)
    manifests = {}
    for run, stages in zip(runs, each, strict=True):
        engine = engine_of(stages.classifier)
        manifests[run.name] = manifest_of(run.tally, stages.request, engine, started, run.sending.counts)
    with writing():
        for name, manifest in manifests.items():
            write_manifest(out / name, manifest)
        write_index(out, manifests)
    return manifests


def findings_for_each(names: Sequence[str], cards: Sequence[ModelCard]) -> list[tuple[str, ...]]:
    """Which findings each model draws, of those that are asked for: by name, or by code where another knows the name.

    Raises:
        UsageError: A name that no model knows (code `no-such-finding`).
    """
    wanted = {_key(name): name for name in names}
    known = {slug(finding.name) for card in cards for finding in card.findings}
    for key, name in wanted.items():
        if key not in known:
            raise UsageError(
                f"none of the models has a finding {name!r}",
                code="no-such-finding",
                next_step=f"They know: {', '.join(sorted(known))}.",
            )
    every = [finding for card in cards for finding in card.findings]
    codes = {(one.code.scheme, one.code.value) for one in every if one.code and slug(one.name) in wanted}
    return [
        tuple(
            finding.name
            for finding in card.findings
            if slug(finding.name) in wanted or (finding.code and (finding.code.scheme, finding.code.value) in codes)
        )
        for card in cards
    ]


def _key(name: str) -> str:
    try:
        return slug(name)
    except InvalidValueError:
        return ""


@contextmanager
def _keepers(store: str | None, cards: Sequence[ModelCard]) -> Iterator[list[Keeper | None]]:
    if store is None:
        yield [None] * len(cards)
        return
    with opened_store(store) as opened:
        yield [Keeper.of(opened, card) for card in cards]


def _run(
    files: Sequence[Input],
    each: Sequence[Stages],
    out: Path,
    options: AnnotateOptions,
    progress: Callable[[Progress], None],
) -> list[ModelRun]:
    open_output(out)
    with writing():
        (out / INDEX_NAME).unlink(missing_ok=True)
    with ExitStack() as held:
        common = held.enter_context(QuarantineLog(out))
        runs = []
        for stages in each:
            open_output(stages.out)
            tally = Tally(len(files), held.enter_context(QuarantineLog(stages.out)), lambda _: None)
            runs.append(ModelRun(stages.out.name, tally, held.enter_context(deliveries(stages.out, options))))
        _go(files, each, options, Settling(runs, common, progress, len(files)))
    return runs


def _go(files: Sequence[Input], each: Sequence[Stages], options: AnnotateOptions, settling: Settling) -> None:
    ends = Ends()
    stages = SeveralStages(each, ends)
    # What is finished is decided for each model; what comes twice, for all of them.
    first = Admission(each[0].out, each[0].request, resume=False)
    admission = SeveralAdmission(first, each, ends, resume=options.resume)

    def settle(outcome: Outcome) -> None:
        first.settle(outcome)
        settling(outcome, ends.take(outcome.source))

    with chain_threads(options.workers, BATCH) as threads:
        while files:
            run_chain(files, stages, admission, settle, threads)
            files = first.take_contested()
