"""Reads a pickle of modules and tensors without unpickling: names are compared with a list, calls are written down."""

from __future__ import annotations

from typing import BinaryIO, Protocol, cast

from medcam.core.inert_pickle import Name, PickleRefusedError, follow_pickle, put
from medcam.models.published.allowed import (
    CONTAINERS,
    FUNCTIONS,
    MODULES,
    NAMES,
    OLD_BACKEND,
    ORDERED_DICT,
    SETS,
    SIZE,
)
from medcam.models.published.bounded import BoundedFile
from medcam.models.published.refusals import broken, too_large, unsafe
from medcam.models.published.values import Call, StandIn

MOST_OPERATIONS = 1_000_000
"""A DenseNet-121 as a whole module takes 66 thousand."""
MOST_BYTES = 64 * 2**20
"""Of a pickle, its tensors not counted."""


class PersistentLoad(Protocol):
    """What a persistent id stands for in a layout."""

    def __call__(self, identity: object) -> object:
        """The value for an id; raises `ModelError` where it has another form."""


def read_pickle(file: BoundedFile, persistent: PersistentLoad) -> object:
    """Reads one pickle up to its end.

    Args:
        file: At the beginning of the pickle; left behind its end.
        persistent: What persistent ids stand for.

    Returns:
        None, bool, int, float, str, bytes, list, tuple, dict, and the values of `medcam.models.published.values`.

    Raises:
        ModelError: It asks for anything else ("unsafe-checkpoint"), is damaged ("broken-checkpoint"), or over a limit
            ("checkpoint-too-large").
    """
    try:
        return follow_pickle(cast("BinaryIO", file), _Checkpoint(persistent), MOST_OPERATIONS)
    except PickleRefusedError as refused:
        told = {"unsafe": unsafe, "broken": broken, "too-large": too_large}[refused.kind]
        raise told(f"in its description, {refused.reason}") from refused


def no_persistent(identity: object) -> object:
    """For a pickle that may have no persistent ids."""
    raise unsafe("a persistent id where there can be none")


class _Checkpoint:
    """What a checkpoint's names and calls stand for (`medcam.core.inert_pickle.Meaning`)."""

    def __init__(self, persistent: PersistentLoad) -> None:
        self._persistent = persistent

    def named(self, name: Name) -> Name:
        if name in NAMES:
            return name
        raise unsafe(f"it names {name.module[:60]!r} / {name.name[:60]!r}, which has no place in a checkpoint")

    def made(self, kind: object, arguments: object) -> StandIn:
        if not isinstance(kind, Name) or kind not in MODULES or arguments != ():
            raise unsafe("an object that is no module is made")
        return StandIn(kind)

    def called(self, function: object, arguments: tuple[object, ...]) -> object:
        if not isinstance(function, Name):
            raise unsafe("something is called that is no known function")
        if function == OLD_BACKEND and not arguments:
            return None
        if function in FUNCTIONS:
            return Call(function, arguments)
        if function in CONTAINERS and len(arguments) <= 1:
            return _container(function, arguments[0] if arguments else ())
        raise unsafe(f"{function} is called as a function")

    def given_state(self, target: object, state: object) -> None:
        if type(state) is not dict:
            raise unsafe("an object is given a state that is no dictionary")
        if isinstance(target, StandIn) and not target.attributes:
            target.attributes = state
        elif type(target) is not dict:  # the attributes of an ordered dictionary, such as _metadata, are not needed
            raise unsafe("something that is no module is given a state")

    def persistent(self, identity: object) -> object:
        return self._persistent(identity)


def _container(kind: Name, items: object) -> object:
    if not isinstance(items, list | tuple):
        raise unsafe(f"{kind} of something that is no list")
    if kind in SETS:
        return list(items)
    if kind == SIZE:
        return tuple(items)
    assert kind == ORDERED_DICT
    made: dict[object, object] = {}
    for pair in items:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise unsafe("a dictionary of something that is no pairs")
        put(made, pair[0], pair[1])
    return made
