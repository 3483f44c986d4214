"""Replays of many decisions with one pool of readers, each model loaded once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

from medcam.core.protocols import Classifier
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.service.audit.replay import Replay, replay
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

    @cache
    def load(name: str) -> Classifier:
        return load_model(model or name)

    results = []
    with ReaderPool(1) as readers:
        for done, explanation in enumerate(wanted, start=1):
            results.append(replay(opened, explanation, readers, load, by))
            progress(done, len(wanted))
    return results
