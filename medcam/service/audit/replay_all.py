"""Replays of many decisions with one pool of readers, each model loaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from medcam.core.errors import InputError
from medcam.core.protocols import Classifier
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.service.audit.replay import Replay, Verdict, replay, replay_decision
from medcam.service.audit.results import FolderSources, ResultsFolder
from medcam.service.studies.opened import OpenedStore


def replay_all(
    opened: OpenedStore,
    explanations: Sequence[str] | None = None,
    model: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    by: str = "medcam",
) -> list[Replay]:
    """Replays explanations of a store.

    Args:
        opened: The store.
        explanations: Their ids; None for all.
        model: The model in place of the one of the kept name; None for that one.
        progress: Called with how many are done, and of how many.
        by: Who asked for it.

    Returns:
        What came out, in order.

    Raises:
        InputError: The store has no such explanation (code `no-such-explanation`).
        ReadersError: No process that reads files can be started.
    """
    wanted = opened.films.explanation_ids() if explanations is None else list(explanations)
    load = _loader(model)
    results = []
    with ReaderPool(1) as readers:
        for done, explanation in enumerate(wanted, start=1):
            results.append(replay(opened, explanation, readers, load, by))
            progress(done, len(wanted))
    return results


def replay_results(
    folder: ResultsFolder,
    sources: FolderSources,
    results: Sequence[str] | None = None,
    model: str | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[Replay]:
    """Replays results of a folder, which has no trail to note it in.

    Args:
        folder: What `medcam annotate` wrote.
        sources: Where the films may lie.
        results: Their ids; None for all.
        model: The model in place of the one of the name on record; None for that one.
        progress: Called with how many are done, and of how many.

    Returns:
        What came out, in order.

    Raises:
        InputError: There is no such result (code `no-such-explanation`).
        ReadersError: No process that reads files can be started.
    """
    load = _loader(model)
    wanted = folder.ids if results is None else [folder.chosen(one) for one in results]
    replayed = []
    with ReaderPool(1) as readers:
        for done, result in enumerate(wanted, start=1):
            try:
                replayed.append(replay_decision(folder.decision(result, sources), readers, load))
            except InputError as error:
                replayed.append(Replay(result, Verdict.IMPOSSIBLE, code=error.code, reason=error.message))
            progress(done, len(wanted))
    return replayed


def _loader(model: str | None) -> Callable[[str], Classifier]:
    @cache
    def load(name: str) -> Classifier:
        return load_model(model or name)

    return load
