"""The two models that a comparison is about: two results folders, the output of one run of several, or a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from medcam.core.errors import UsageError
from medcam.service.annotate.several_index import model_folders
from medcam.service.audit.results import results_folder
from medcam.service.evaluation.observed import Observed, Progress, observe, observe_store
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.store import KeptModel

_PAIR = 2
_SHORTEST_DIGEST = 6


def observe_two(
    records: Sequence[str],
    models: Sequence[str] = (),
    sources: Sequence[str] = (),
    progress: Progress = lambda *_: None,
) -> tuple[Observed, Observed]:
    """Reads what two models said.

    Args:
        records: Two results folders; or the output of a run of several models; or a store. None for the store of this
            computer's user.
        models: Which two, in order, where the record holds more: names, names with versions such as "phantom 1.0", or
            the beginning of a weights' digest, six digits at the least.
        sources: Where the films of results folders lie: their headers say which patients they are of. Without them
            each study counts as a patient, unless labels say more.
        progress: Called with how many explanations of a record are read, and of how many.

    Raises:
        UsageError: They are not two (code `not-two-models`), or a record holds nothing.
        InputError: A result cannot be read.
        StoreError: The store cannot be used.
    """
    if models and len(models) != _PAIR:
        raise _not_two(f"{len(models)} models are named", "Name two with --model, or none.")
    if len(records) == _PAIR:
        if models:
            raise _not_two("two records are named, and models too", "Leave --model out.")
        return _folder(records[0], sources, progress), _folder(records[1], sources, progress)
    if len(records) > _PAIR:
        raise _not_two(f"{len(records)} records are named", "Name two results folders, or one record.")
    folders = model_folders(Path(records[0])) if records and "://" not in records[0] else ()
    if folders:
        return _of_run(folders, models, sources, progress)
    if records and results_folder(records[0]) is not None:
        raise _not_two("one results folder is named", "Name the results folder of the other model too.")
    with opened_store(records[0] if records else None, make=False) as opened:
        return _of_store(opened, models, progress)


def _not_two(what: str, advice: str) -> UsageError:
    return UsageError(f"two models are compared, and {what}", code="not-two-models", next_step=advice)


def _folder(named: str, sources: Sequence[str], progress: Progress) -> Observed:
    if results_folder(named) is None:
        raise UsageError(
            f"{named} is no results folder",
            code="nothing-observed",
            next_step="Name what `medcam annotate --out` wrote.",
        )
    return observe(named, sources, progress=progress)


def _of_run(
    folders: Sequence[Path], models: Sequence[str], sources: Sequence[str], progress: Progress
) -> tuple[Observed, Observed]:
    known = {path.name: path for path in folders}
    wanted = list(models) or list(known)
    if len(wanted) != _PAIR or not set(wanted) <= set(known):
        raise _not_two(f"this run has {', '.join(known)}", "Name two of them with --model.")
    first, second = (_folder(str(known[name]), sources, progress) for name in wanted)
    return first, second


def _of_store(opened: OpenedStore, models: Sequence[str], progress: Progress) -> tuple[Observed, Observed]:
    known = [model for model in opened.films.models() if model.explanations]
    if models:
        chosen = [_chosen(known, name) for name in models]
    elif len(known) == _PAIR:
        chosen = list(reversed(known))  # the older one first: the newer one is what is new about it
    else:
        raise _not_two(f"the store holds what {_listed(known)} said", "Name two of them with --model.")
    if chosen[0].card_sha256 == chosen[1].card_sha256:
        raise _not_two("both names mean the same one", f"The store holds what {_listed(known)} said.")
    first, second = (observe_store(opened, card=one.card_sha256, progress=progress) for one in chosen)
    # Decisions that are left out are of the other model: nothing that a reader of the comparison misses.
    return replace(first, others=0), replace(second, others=0)


def _chosen(known: Sequence[KeptModel], name: str) -> KeptModel:
    exact = [model for model in known if f"{model.name} {model.version}" == name]
    named = [model for model in known if model.name == name]
    digest = name if len(name) >= _SHORTEST_DIGEST else "-"
    found = exact or named or [model for model in known if model.weights_sha256.startswith(digest)]
    if not found:
        raise _not_two(f"the store holds nothing by {name}", f"It holds what {_listed(known)} said.")
    return found[0]  # the newest of that name


def _listed(known: Sequence[KeptModel]) -> str:
    return ", ".join(f"{model.name} {model.version}" for model in known) or "no model"
