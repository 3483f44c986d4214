"""`medcam annotate --ray`: the main job on many machines.

    find -> agree -> open (many processes) -> admit (driver) -> explain and write (many processes) -> manifest

The driver decides, in the inputs' order and by the very `Admission` of a run on one machine. What a lost process or
machine had not finished is done again by another; what it had finished is found by its receipt and kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import cast

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom.network.destination import is_web
from medcam.dicom.network.security import Security
from medcam.service.annotate.admission import Admission
from medcam.service.annotate.deliveries import deliveries
from medcam.service.annotate.inputs import Input, find_inputs
from medcam.service.annotate.manifest import Manifest, write_manifest
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.outcomes import Outcome, Quarantined
from medcam.service.annotate.quarantine import QuarantineLog
from medcam.service.annotate.run import both, manifest_of
from medcam.service.annotate.tally import Progress, Tally
from medcam.service.cluster.blocks import PROCESS_LOST, Numbered, Pool, done_in_blocks
from medcam.service.cluster.cluster import connected
from medcam.service.cluster.explaining import Asked, Explaining, agree
from medcam.service.cluster.found import Found
from medcam.service.cluster.object_input import find_objects
from medcam.service.cluster.opening import Opening
from medcam.service.cluster.outputs import ClusterOutput, cluster_output
from medcam.service.cluster.rows import Record, found_or_outcome, input_record
from medcam.service.cluster.settings import ClusterError, RayOptions
from medcam.service.cluster.storage import is_object_url
from medcam.service.output_errors import writing

PATIENCE_S = 600.0
"""For a first process to begin: a cluster that grows has to start a machine for it."""


def annotate_on_ray(
    sources: Sequence[Path | str],
    out: Path | str,
    options: AnnotateOptions,
    ray_options: RayOptions,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Manifest:
    """Annotates every chest radiograph below paths or URLs on a Ray cluster. Research use. Not a medical device.

    Args:
        sources: Files, folders and archives that all machines see under the same path, or URLs of object storage, such
            as s3://bucket/films; not both.
        out: A folder that all machines see under the same path, or a URL. What is written there is what `annotate`
            writes.
        options: How; `workers` are the threads and the cores of each process of the pool.
        ray_options: Which cluster, and how much of it.
        progress: Called in this thread whenever an input has been dealt with.

    Returns:
        The manifest, as written.

    Raises:
        UsageError: As `annotate`; Ray is not installed (`no-ray`), or the options do not go with it (`not-with-ray`).
        ClusterError: The cluster cannot be used; what was finished stays.
        ModelError: The model cannot be loaded.
        OutputError: The output cannot be written; what was finished stays.
    """
    started, place = datetime.now(UTC), str(out) if is_object_url(out) else os.path.abspath(out)  # noqa: PTH100
    _check(sources, place, options)
    files = _inputs(sources, place)
    options = _portable(options)
    with connected(ray_options, max(os.cpu_count() or 1, options.workers)) as ray, cluster_output(place) as output:
        asked = _agreed(ray, options, ray_options)
        output.begin()
        with QuarantineLog(output.folder) as quarantine, deliveries(output.folder, options) as sending:
            tally = Tally(len(files), quarantine, progress)
            driver = _Driver(files, place, options, ray_options, asked, both(tally.add, sending.add))
            driver.run()
        _in_order(tally, files)
        manifest = manifest_of(tally, asked.request, (asked.engine, asked.notes), started, sending.counts)
        _finish(output, manifest)
    return manifest


class _Driver:
    """Decides what is done, and learns what became of it."""

    def __init__(
        self,
        files: Sequence[Input],
        place: str,
        options: AnnotateOptions,
        ray_options: RayOptions,
        asked: Asked,
        sink: Callable[[Outcome], None],
    ) -> None:
        self._files, self._sink = files, sink
        self._numbers = {file.source: number for number, file in enumerate(files)}
        # Whether a film is finished already is found out where it is opened, by many processes at once.
        self._admission = Admission(Path(os.devnull), asked.request, resume=False)
        self._opening = Opening(place, asked.request, options.resume)
        self._explaining = Explaining(place, _told(options), asked)
        self._openers = Pool(1)
        self._explainers = Pool(options.workers, ray_options.gpus, ray_options.actors)

    def run(self) -> None:
        """Settles every input once."""
        found = self._found()
        candidates = [found[number] for number in sorted(found)]
        while candidates:
            self._explain(self._admitted(candidates))
            # What shared its UID with a file that was still under way; each pass settles at least one per UID.
            candidates = [found[self._numbers[file.source]] for file in self._admission.take_contested()]

    def _found(self) -> dict[int, Found]:
        """Files that are DICOM images, by number; the others are settled."""
        found: dict[int, Found] = {}
        inputs = [(number, input_record(file)) for number, file in enumerate(self._files)]
        for number, record in done_in_blocks(inputs, self._opening, self._openers):
            answer = _answer(record, self._files[number])
            if isinstance(answer, Found):
                found[number] = answer
            else:
                self._settle(answer)
        return found

    def _admitted(self, candidates: Sequence[Found]) -> list[Numbered]:
        """What is left to do; duplicates and finished films are settled."""
        admitted: list[Numbered] = []
        for decision in self._admission.admit(candidates):
            if not isinstance(decision, Found):
                self._settle(decision)
            elif decision.finished is not None and decision.rival is None:
                self._settle(decision.finished)
            else:
                record = {**input_record(decision.file), "rival": decision.rival}
                admitted.append((self._numbers[decision.file.source], record))
        return admitted

    def _explain(self, admitted: Sequence[Numbered]) -> None:
        for number, record in done_in_blocks(admitted, self._explaining, self._explainers):
            answer = _answer(record, self._files[number])
            if not isinstance(answer, Found):
                self._settle(answer)

    def _settle(self, outcome: Outcome) -> None:
        self._admission.settle(outcome)
        self._sink(outcome)


def _answer(record: Record, file: Input) -> Found | Outcome:
    if record["kind"] != PROCESS_LOST:
        return found_or_outcome(record, file)
    return Quarantined(
        file.source,
        PROCESS_LOST,
        "every process that took this file up was lost",
        "Look for memory or a machine that ran out; annotate the file alone, and report it if it is lost again.",
    )


def _check(sources: Sequence[Path | str], place: str, options: AnnotateOptions) -> None:
    """Raises UsageError for what many machines are not asked to do (code `not-with-ray`)."""
    urls = [source for source in sources if is_object_url(source)]
    if any(isinstance(source, str) and is_web(source) for source in sources):
        _not_with_ray("DICOMweb services as sources", "Put the files into a folder or object storage first")
    if urls and len(urls) != len(sources):
        _not_with_ray("paths and URLs in one call", "Run it once for each")
    if options.store is not None:
        _not_with_ray("--store", "Annotate without --ray what readers are to see")
    if options.send_to is not None and is_object_url(place):
        _not_with_ray("--send-to with results in object storage", "Write them to a folder that all machines share")


def _not_with_ray(what: str, instead: str) -> None:
    raise UsageError(f"--ray does not take {what}", code="not-with-ray", next_step=f"{instead}, or leave --ray out.")


def _inputs(sources: Sequence[Path | str], place: str) -> Sequence[Input]:
    urls = [source for source in sources if isinstance(source, str) and is_object_url(source)]
    return find_objects(urls, place) if urls else find_inputs(sources, Path(place))


def _portable(options: AnnotateOptions) -> AnnotateOptions:
    """Options that mean the same in every process: a model folder by its absolute path."""
    model = Path(options.model)
    return replace(options, model=str(model.absolute()) if model.is_dir() else options.model)


def _told(options: AnnotateOptions) -> AnnotateOptions:
    """What other processes are told: nothing of where results are sent, nor of certificates and headers."""
    return replace(options, send_to=None, security=Security())


def _agreed(ray: ModuleType, options: AnnotateOptions, ray_options: RayOptions) -> Asked:
    """What one process of the cluster finds in model and engine; raises what it raises."""
    told = _told(options)
    begun = ray.remote(num_cpus=options.workers, num_gpus=ray_options.gpus or None, max_retries=3)(_agree).remote(told)
    ready, _ = ray.wait([begun], timeout=PATIENCE_S)
    if not ready:
        raise ClusterError(
            f"no machine has room for a process of {options.workers} cores and {ray_options.gpus:g} GPUs",
            code="no-room",
            next_step="Ask for fewer --workers or --gpus, or start larger machines.",
        )
    answer = ray.get(begun)
    if isinstance(answer, MedcamError):
        raise answer
    return cast("Asked", answer)


def _agree(options: AnnotateOptions) -> Asked | MedcamError:
    """Errors are given back, not raised: Ray would wrap them."""
    try:
        return agree(options)
    except MedcamError as error:
        return error


def _in_order(tally: Tally, files: Sequence[Input]) -> None:
    """Puts the lists of the manifest into the inputs' order, whoever was ready first."""
    numbers = {file.source: number for number, file in enumerate(files)}
    for outcomes in (tally.annotated, tally.skipped, tally.duplicates):
        outcomes.sort(key=lambda outcome: numbers[outcome.source])


def _finish(output: ClusterOutput, manifest: Manifest) -> None:
    with writing():
        write_manifest(output.folder, manifest)
    output.finish()
