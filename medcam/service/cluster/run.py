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

from medcam.core.errors import UsageError
from medcam.dicom.network.security import Security
from medcam.models.cards import absolute_name
from medcam.service.annotate.inputs import Input, find_inputs
from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.tally import Progress
from medcam.service.cluster.asked import Asked, agreed
from medcam.service.cluster.blocks import Pool
from medcam.service.cluster.cluster import connected
from medcam.service.cluster.driver import Driver, Job, driver_admission
from medcam.service.cluster.explaining import Explaining
from medcam.service.cluster.object_input import find_objects
from medcam.service.cluster.opening import Opening
from medcam.service.cluster.outputs import cluster_output
from medcam.service.cluster.run_record import run_record
from medcam.service.cluster.settings import RayOptions
from medcam.service.cluster.shared_store import SharedStore, shared_store
from medcam.service.cluster.storage import is_object_url
from medcam.service.cluster.web_input import web_access


def annotate_on_ray(
    sources: Sequence[Path | str],
    out: Path | str,
    options: AnnotateOptions,
    ray_options: RayOptions,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Manifest:
    """Annotates every chest radiograph below paths or URLs on a Ray cluster. Research use. Not a medical device.

    Args:
        sources: Files, folders and archives that all machines see under the same path, and searches of DICOMweb
            services that all machines reach; or URLs of object storage, such as s3://bucket/films; not both.
        out: A folder that all machines see under the same path, or a URL. What is written there is what `annotate`
            writes.
        options: How; `workers` are the threads and the cores of each process of the pool. A store is written by each
            process, and has to be the same for all: a PostgreSQL database without a password in its URL, or a file
            where the cluster is one machine.
        ray_options: Which cluster, and how much of it.
        progress: Called in this thread whenever an input has been dealt with.

    Returns:
        The manifest, as written.

    Raises:
        UsageError: As `annotate`; Ray is not installed (`no-ray`), the options do not go with it (`not-with-ray`), or
            the URL of the store holds a password (`credentials-in-url`).
        ClusterError: The cluster cannot be used; what was finished stays. A machine does not see the store
            (`store-not-shared`).
        ModelError: The model cannot be loaded.
        OutputError: The output cannot be written; what was finished stays.
        StoreError: The store cannot be used.
    """
    [manifest] = _annotate([options.model], sources, out, options, ray_options, progress).values()
    return manifest


def annotate_with_on_ray(
    models: Sequence[str],
    sources: Sequence[Path | str],
    out: Path | str,
    options: AnnotateOptions,
    ray_options: RayOptions,
    progress: Callable[[Progress], None] = lambda _: None,
) -> dict[str, Manifest]:
    """As `annotate_on_ray` with several models: each file is read, decoded and registered once for all of them.

    Args:
        models: As in `medcam.service.annotate.several.annotate_with`, by name or folder.
        sources: As in `annotate_on_ray`.
        out: As in `annotate_on_ray`. What is written there is what `annotate_with` writes.
        options: As in `annotate_with`.
        ray_options: As in `annotate_on_ray`.
        progress: Called in this thread whenever all models have dealt with an input.

    Returns:
        The manifest of each model, as written, by its folder in `out`.

    Raises:
        UsageError: As `annotate_with` and `annotate_on_ray`.
        MedcamError: As `annotate_on_ray`.
    """
    if len(models) < 2:
        raise UsageError("several models are wanted, not one", next_step="Call `annotate_on_ray` for one model.")
    return _annotate(models, sources, out, options, ray_options, progress)


def _annotate(
    models: Sequence[str],
    sources: Sequence[Path | str],
    out: Path | str,
    options: AnnotateOptions,
    ray_options: RayOptions,
    progress: Callable[[Progress], None],
) -> dict[str, Manifest]:
    started, place = datetime.now(UTC), str(out) if is_object_url(out) else os.path.abspath(out)  # noqa: PTH100
    _check(sources, place, options)
    if len(models) > 1:
        with cluster_output(place) as output:
            output.refuse_one()
    files = _inputs(sources, place, options)
    named = [absolute_name(model) for model in models]
    cores = max(os.cpu_count() or 1, options.workers)
    with connected(ray_options, cores) as ray, shared_store(options.store, _hosts(ray)) as store:
        asked = agreed(ray, named, _told(options), ray_options)
        with run_record(place, asked) as record:
            opening, explaining = _jobs(files, place, options, ray_options, asked, store)
            with record.settling(files, options, progress) as sink:
                Driver(files, opening, explaining, driver_admission(asked[0].request), len(asked), sink).run()
            return record.finish(started)


def _hosts(ray: ModuleType) -> set[str]:
    return {str(node["NodeManagerHostname"]) for node in ray.nodes() if node["Alive"]}


def _jobs(
    files: Sequence[Input],
    place: str,
    options: AnnotateOptions,
    ray_options: RayOptions,
    asked: tuple[Asked, ...],
    store: SharedStore | None,
) -> tuple[Job, Job]:
    web = web_access(files, options.security)
    opening = Opening(place, asked, options.resume, store, web)
    explaining = Explaining(place, _told(options), asked, store, web)
    return Job(opening, Pool(1)), Job(explaining, Pool(options.workers, ray_options.gpus, ray_options.actors))


def _check(sources: Sequence[Path | str], place: str, options: AnnotateOptions) -> None:
    """Raises UsageError for what many machines are not asked to do (code `not-with-ray`)."""
    urls = [source for source in sources if is_object_url(source)]
    if urls and len(urls) != len(sources):
        _not_with_ray("object storage and other sources in one call", "Run it once for each")
    if options.send_to is not None and is_object_url(place):
        _not_with_ray("--send-to with results in object storage", "Write them to a folder that all machines share")


def _not_with_ray(what: str, instead: str) -> None:
    raise UsageError(f"--ray does not take {what}", code="not-with-ray", next_step=f"{instead}, or leave --ray out.")


def _inputs(sources: Sequence[Path | str], place: str, options: AnnotateOptions) -> Sequence[Input]:
    urls = [source for source in sources if isinstance(source, str) and is_object_url(source)]
    return find_objects(urls, place) if urls else find_inputs(sources, Path(place), options.security)


def _told(options: AnnotateOptions) -> AnnotateOptions:
    """What other processes are told: nothing of where results are sent, nor of the store, certificates and headers."""
    return replace(options, send_to=None, security=Security(), store=None)
