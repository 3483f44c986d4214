"""What the pickle reader makes of a checkpoint: inert values. None of them can do anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from medcam.core.inert_pickle import Name


@dataclass(frozen=True, slots=True)
class Storage:
    """Numbers that lie elsewhere in the file.

    Args:
        kind: Name of the storage's type, such as torch.FloatStorage.
        key: Its name in the file.
        elements: How many numbers it has.
    """

    kind: Name
    key: str
    elements: int


@dataclass(eq=False, slots=True)
class Call:
    """A call that the pickle asks for and that is not made: how a tensor would be built.

    Args:
        function: One of `allowed.FUNCTIONS`.
        arguments: As the pickle gives them.
    """

    function: Name
    arguments: tuple[object, ...]


@dataclass(eq=False, slots=True)
class StandIn:
    """In the place of a module: its class by name, and its attributes.

    Args:
        kind: One of `allowed.MODULES`.
        attributes: By name, as the pickle gives them.
    """

    kind: Name
    attributes: dict[object, object] = field(default_factory=dict)
