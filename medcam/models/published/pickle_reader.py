"""Reads a pickle without unpickling: a small machine whose operations build inert values, within limits.

The standard unpickler calls what a pickle names. Here `pickletools` splits the stream into operations, and this machine
carries out those that plain values, modules and tensors need. A global is a pair of words that is compared with a list.
A call is written down. Nothing is imported, nothing is called, no attribute of any object is looked up or set. What is
not in the tables below, operation or name, refuses the file.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import BinaryIO, Protocol, cast

from medcam.core.errors import ModelError
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
from medcam.models.published.values import Call, Name, StandIn

MOST_OPERATIONS = 1_000_000
"""A DenseNet-121 as a whole module takes 66 thousand."""
MOST_BYTES = 64 * 2**20
"""Of a pickle, its tensors not counted."""
LARGEST_NUMBER = 2**63

_KEYS = (str, int, float, bool, type(None))


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
    machine = _Machine(persistent)
    try:
        for count, (operation, argument, _place) in enumerate(pickletools.genops(cast("BinaryIO", file))):
            if count >= MOST_OPERATIONS:
                raise too_large("its description has too many steps")
            machine.run(operation.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        if isinstance(error, ModelError):
            raise
        raise broken("its description cannot be read") from error
    return machine.result()


def no_persistent(identity: object) -> object:
    """For a pickle that may have no persistent ids."""
    raise unsafe("a persistent id where there can be none")


class _Machine:
    """Stack, marks and memo of one pickle."""

    def __init__(self, persistent: PersistentLoad) -> None:
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[object, object] = {}
        self.argument: object = None
        self.persistent = persistent

    def run(self, operation: str, argument: object) -> None:
        """Carries out one operation; its argument is a number or text that stood in the stream."""
        self.argument = argument
        if operation in _PLAIN:
            self.stack.append(_checked(argument))
        elif operation in _CONSTANTS:
            self.stack.append(_CONSTANTS[operation])
        elif operation in _OPERATIONS:
            _OPERATIONS[operation](self)
        elif operation not in _IGNORED:
            raise unsafe(f"the operation {operation} has no place in a checkpoint")

    def result(self) -> object:
        """What the pickle is."""
        if len(self.stack) != 1 or self.marks:
            raise broken("its description ends too early")
        return self.stack[0]

    def since_mark(self) -> list[object]:
        """What was put on the stack since the last mark; the stack is what it was before."""
        items, self.stack = self.stack, self.marks.pop()
        return items


def _checked(argument: object) -> object:
    if isinstance(argument, int) and not -LARGEST_NUMBER <= argument < LARGEST_NUMBER:
        raise unsafe("a number of more than 64 bits")
    return argument


def _mark(machine: _Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _global(machine: _Machine) -> None:
    module, _, name = str(machine.argument).partition(" ")
    machine.stack.append(_known(module, name))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(_known(module, name))


def _known(module: object, name: object) -> Name:
    if type(module) is str and type(name) is str:
        found = Name(module, name)
        if found in NAMES:
            return found
    raise unsafe(f"it names {str(module)[:60]!r} / {str(name)[:60]!r}, which has no place in a checkpoint")


def _new_object(machine: _Machine) -> None:
    arguments, kind = machine.stack.pop(), machine.stack.pop()
    if not isinstance(kind, Name) or kind not in MODULES or arguments != ():
        raise unsafe("an object that is no module is made")
    machine.stack.append(StandIn(kind))


def _reduce(machine: _Machine) -> None:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    if not isinstance(function, Name) or type(arguments) is not tuple:
        raise unsafe("something is called that is no known function")
    machine.stack.append(_called(function, arguments))


def _called(function: Name, arguments: tuple[object, ...]) -> object:
    if function == OLD_BACKEND and not arguments:
        return None
    if function in FUNCTIONS:
        return Call(function, arguments)
    if function in CONTAINERS and len(arguments) <= 1:
        return _container(function, arguments[0] if arguments else ())
    raise unsafe(f"{function} is called as a function")


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
        _put(made, pair[0], pair[1])
    return made


def _build(machine: _Machine) -> None:
    state, target = machine.stack.pop(), machine.stack[-1]
    if type(state) is not dict:
        raise unsafe("an object is given a state that is no dictionary")
    if isinstance(target, StandIn) and not target.attributes:
        target.attributes = state
    elif type(target) is not dict:  # the attributes of an ordered dictionary, such as _metadata, are not needed
        raise unsafe("something that is no module is given a state")


def _append(machine: _Machine) -> None:
    item = machine.stack.pop()
    _list(machine).append(item)


def _appends(machine: _Machine) -> None:
    items = machine.since_mark()
    _list(machine).extend(items)


def _list(machine: _Machine) -> list[object]:
    target = machine.stack[-1]
    if type(target) is not list:
        raise unsafe("something is appended to what is no list")
    return target


def _set_item(machine: _Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    _put(_dictionary(machine), key, value)


def _set_items(machine: _Machine) -> None:
    items = machine.since_mark()
    target = _dictionary(machine)
    for key, value in zip(items[::2], items[1::2], strict=True):
        _put(target, key, value)


def _dictionary(machine: _Machine) -> dict[object, object]:
    target = machine.stack[-1]
    if type(target) is not dict:
        raise unsafe("an item is set in what is no dictionary")
    return target


def _put(target: dict[object, object], key: object, value: object) -> None:
    # Nothing else is hashed: tuples within tuples can take for ever.
    if type(key) not in _KEYS:
        raise unsafe("the key of a dictionary is neither text nor number")
    target[key] = value


def _dict(machine: _Machine) -> None:
    items = machine.since_mark()
    made: dict[object, object] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        _put(made, key, value)
    machine.stack.append(made)


def _tuple(count: int) -> Callable[[_Machine], None]:
    def make(machine: _Machine) -> None:
        if len(machine.stack) < count:
            raise broken("its description takes more than there is")
        machine.stack[-count:] = [tuple(machine.stack[-count:])]

    return make


def _long_tuple(machine: _Machine) -> None:
    items = machine.since_mark()
    machine.stack.append(tuple(items))


def _long_list(machine: _Machine) -> None:
    items = machine.since_mark()
    machine.stack.append(items)


def _put_memo(machine: _Machine) -> None:
    machine.memo[machine.argument] = machine.stack[-1]  # a dictionary: a large index takes no room


def _memoize(machine: _Machine) -> None:
    machine.memo[len(machine.memo)] = machine.stack[-1]


def _get_memo(machine: _Machine) -> None:
    machine.stack.append(machine.memo[machine.argument])


def _persistent_id(machine: _Machine) -> None:
    machine.stack.append(machine.persistent(machine.stack.pop()))


_PLAIN = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    )
)
_CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
_IGNORED = frozenset(("PROTO", "FRAME", "STOP"))
_OPERATIONS: dict[str, Callable[[_Machine], None]] = {
    "MARK": _mark,
    "GLOBAL": _global,
    "STACK_GLOBAL": _stack_global,
    "NEWOBJ": _new_object,
    "REDUCE": _reduce,
    "BUILD": _build,
    "APPEND": _append,
    "APPENDS": _appends,
    "ADDITEMS": _appends,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "DICT": _dict,
    "EMPTY_DICT": lambda machine: machine.stack.append({}),
    "EMPTY_LIST": lambda machine: machine.stack.append([]),
    "EMPTY_SET": lambda machine: machine.stack.append([]),
    "LIST": _long_list,
    "TUPLE": _long_tuple,
    "TUPLE1": _tuple(1),
    "TUPLE2": _tuple(2),
    "TUPLE3": _tuple(3),
    "PUT": _put_memo,
    "BINPUT": _put_memo,
    "LONG_BINPUT": _put_memo,
    "MEMOIZE": _memoize,
    "GET": _get_memo,
    "BINGET": _get_memo,
    "LONG_BINGET": _get_memo,
    "BINPERSID": _persistent_id,
}
