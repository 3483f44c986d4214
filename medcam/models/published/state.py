"""The state dict of what was saved: of a whole module, of a dictionary of tensors, or of one that holds either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from medcam.models.published.refusals import broken, too_large, unknown
from medcam.models.published.tensors import is_tensor
from medcam.models.published.values import StandIn

MOST_TENSORS, MOST_MODULES, DEEPEST = 20_000, 20_000, 32
HOLDERS = ("state_dict", "model_state_dict", "model", "net", "network")
"""Under what training programs keep the network beside other things."""


@dataclass(frozen=True)
class State:
    """Tensors as a checkpoint describes them.

    Attributes:
        tensors: Descriptions by the name that torch gives them in a state dict.
        kinds: Names of the classes of modules by name; empty where only a state dict was saved.
    """

    tensors: Mapping[str, object]
    kinds: Mapping[str, str]


def find_state(root: object) -> State:
    """The state dict of what was saved.

    Raises:
        ModelError: There is none ("unknown-checkpoint"), it is damaged ("broken-checkpoint") or has too many entries
            ("checkpoint-too-large").
    """
    for _ in range(3):
        if isinstance(root, StandIn):
            return _of_module(root)
        if type(root) is not dict:
            break
        if root and all(is_tensor(value) for value in root.values()):
            return State(_named(root), {})
        root = next((root[name] for name in HOLDERS if isinstance(root.get(name), dict | StandIn)), None)
    raise unknown("it holds no network and no state dict")


def _named(values: Mapping[object, object]) -> dict[str, object]:
    if len(values) > MOST_TENSORS:
        raise too_large(f"{len(values)} tensors")
    return {_text(name): value for name, value in values.items()}


def _of_module(module: StandIn) -> State:
    tensors: dict[str, object] = {}
    kinds: dict[str, str] = {}
    for name, part in _walk(module, "", 0):
        if len(kinds) >= MOST_MODULES or len(tensors) > MOST_TENSORS:
            raise too_large("it has too many modules or tensors")
        kinds[name] = part.kind.name
        for table in ("_parameters", "_buffers"):
            for key, value in _table(part, table).items():
                if is_tensor(value):
                    tensors[f"{name}.{_text(key)}" if name else _text(key)] = value
    return State(tensors, kinds)


def _walk(module: StandIn, name: str, depth: int) -> Iterator[tuple[str, StandIn]]:
    if depth > DEEPEST:
        raise too_large("its modules are nested too deep")
    yield name, module
    for key, part in _table(module, "_modules").items():
        if isinstance(part, StandIn):
            yield from _walk(part, f"{name}.{_text(key)}" if name else _text(key), depth + 1)


def _table(module: StandIn, name: str) -> dict[object, object]:
    table = module.attributes.get(name, {})
    if type(table) is not dict:
        raise broken("a module without its tables")
    return table


def _text(name: object) -> str:
    if type(name) is not str or len(name) > 500:
        raise broken("a tensor or module has a name that is none")
    return name
