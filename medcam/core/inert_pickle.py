"""Follows a pickle without unpickling: a small machine whose operations build inert values, within limits.

A pickle is a program, and the standard unpickler imports and calls what it names. Here `pickletools` splits the stream
into operations, and this machine carries out those that plain values need. What a name, a call, a state or a persistent
id stands for is asked of a `Meaning`. Nothing is imported, nothing is called, no attribute of any object is looked up
or set. An operation that is not in the tables below refuses the stream.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import BinaryIO, Literal, NamedTuple, Protocol

LARGEST_NUMBER = 2**63
_KEYS = (str, int, float, bool, type(None))


class PickleRefusedError(Exception):
    """A stream that is not followed. Callers tell of it in their own words.

    Args:
        kind: "unsafe" where it asks for something else than values, "broken" where it contradicts itself, "too-large"
            where it is over a limit.
        reason: What it asks for.
    """

    def __init__(self, kind: Literal["unsafe", "broken", "too-large"], reason: str) -> None:
        super().__init__(reason)
        self.kind, self.reason = kind, reason


class Name(NamedTuple):
    """A global that a pickle names: a pair of words. It is never looked up."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


class Meaning(Protocol):
    """What the parts of a pickle stand for that are no plain values.

    Each raises what its caller is to raise; it may only build values of its own.
    """

    def named(self, name: Name) -> object:
        """What stands in the place of a global."""

    def made(self, kind: object, arguments: object) -> object:
        """What stands in the place of a new object of a kind."""

    def called(self, function: object, arguments: tuple[object, ...]) -> object:
        """What stands in the place of a call's answer."""

    def given_state(self, target: object, state: object) -> None:
        """Takes what the pickle says that an object is made of."""

    def persistent(self, identity: object) -> object:
        """What stands in the place of a persistent id."""


def follow_pickle(
    stream: BinaryIO, meaning: Meaning, most_operations: int, largest_number: int = LARGEST_NUMBER
) -> object:
    """Follows one pickle up to its end.

    Args:
        stream: At the beginning of the pickle; left behind its end. Whoever opens it bounds its length.
        meaning: What is no plain value.
        most_operations: Operations after which it is refused.
        largest_number: Whole numbers lie between -largest_number and largest_number - 1.

    Returns:
        None, bool, int, float, str, bytes, bytearray, list (sets too), tuple, dict, and what `meaning` made.

    Raises:
        PickleRefusedError: It needs an operation that builds no value, is damaged, or is over a limit.
        Exception: What `meaning` and `stream` raise; but ValueError, IndexError, KeyError, TypeError, OverflowError,
            RecursionError and AttributeError count as damage.
    """
    machine = _Machine(meaning, largest_number)
    try:
        for count, (operation, argument, _place) in enumerate(pickletools.genops(stream)):
            if count >= most_operations:
                raise PickleRefusedError("too-large", "it has too many steps")
            machine.run(operation.name, argument)
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, RecursionError, AttributeError) as error:
        raise PickleRefusedError("broken", "it cannot be read") from error
    return machine.result()


class _Machine:
    """Stack, marks and memo of one pickle."""

    def __init__(self, meaning: Meaning, largest_number: int) -> None:
        self.stack: list[object] = []
        self.marks: list[list[object]] = []
        self.memo: dict[object, object] = {}
        self.argument: object = None
        self.meaning, self.largest_number = meaning, largest_number

    def run(self, operation: str, argument: object) -> None:
        """Carries out one operation; its argument is a number or text that stood in the stream."""
        self.argument = argument
        if operation in _PLAIN:
            self.stack.append(self._checked(argument))
        elif operation in _CONSTANTS:
            self.stack.append(_CONSTANTS[operation])
        elif operation in _OPERATIONS:
            _OPERATIONS[operation](self)
        elif operation not in _IGNORED:
            raise PickleRefusedError("unsafe", f"the operation {operation} builds no plain value")

    def result(self) -> object:
        """What the pickle is."""
        if len(self.stack) != 1 or self.marks:
            raise PickleRefusedError("broken", "it ends too early")
        return self.stack[0]

    def since_mark(self) -> list[object]:
        """What was put on the stack since the last mark; the stack is what it was before."""
        items, self.stack = self.stack, self.marks.pop()
        return items

    def _checked(self, argument: object) -> object:
        if isinstance(argument, int) and not -self.largest_number <= argument < self.largest_number:
            raise PickleRefusedError("unsafe", "a number of more bits than any value here has")
        return argument


def _mark(machine: _Machine) -> None:
    machine.marks.append(machine.stack)
    machine.stack = []


def _global(machine: _Machine) -> None:
    module, _, name = str(machine.argument).partition(" ")
    machine.stack.append(machine.meaning.named(Name(module, name)))


def _stack_global(machine: _Machine) -> None:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(module) is not str or type(name) is not str:
        raise PickleRefusedError("unsafe", "it names something that is no pair of words")
    machine.stack.append(machine.meaning.named(Name(module, name)))


def _new_object(machine: _Machine) -> None:
    arguments, kind = machine.stack.pop(), machine.stack.pop()
    machine.stack.append(machine.meaning.made(kind, arguments))


def _reduce(machine: _Machine) -> None:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    if type(arguments) is not tuple:
        raise PickleRefusedError("unsafe", "something is called with what are no arguments")
    machine.stack.append(machine.meaning.called(function, arguments))


def _build(machine: _Machine) -> None:
    state = machine.stack.pop()
    machine.meaning.given_state(machine.stack[-1], state)


def _append(machine: _Machine) -> None:
    item = machine.stack.pop()
    _list(machine).append(item)


def _appends(machine: _Machine) -> None:
    items = machine.since_mark()
    _list(machine).extend(items)


def _list(machine: _Machine) -> list[object]:
    target = machine.stack[-1]
    if type(target) is not list:
        raise PickleRefusedError("unsafe", "something is appended to what is no list")
    return target


def _set_item(machine: _Machine) -> None:
    value, key = machine.stack.pop(), machine.stack.pop()
    put(_dictionary(machine), key, value)


def _set_items(machine: _Machine) -> None:
    items = machine.since_mark()
    target = _dictionary(machine)
    for key, value in zip(items[::2], items[1::2], strict=True):
        put(target, key, value)


def _dictionary(machine: _Machine) -> dict[object, object]:
    target = machine.stack[-1]
    if type(target) is not dict:
        raise PickleRefusedError("unsafe", "an item is set in what is no dictionary")
    return target


def put(target: dict[object, object], key: object, value: object) -> None:
    """Sets an item of a dictionary whose key comes from a pickle.

    Raises:
        PickleRefusedError: The key is neither text nor number.
    """
    # Nothing else is hashed: tuples within tuples can take for ever.
    if type(key) not in _KEYS:
        raise PickleRefusedError("unsafe", "the key of a dictionary is neither text nor number")
    target[key] = value


def _dict(machine: _Machine) -> None:
    items = machine.since_mark()
    made: dict[object, object] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        put(made, key, value)
    machine.stack.append(made)


def _tuple(count: int) -> Callable[[_Machine], None]:
    def make(machine: _Machine) -> None:
        if len(machine.stack) < count:
            raise PickleRefusedError("broken", "it takes more than there is")
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
    machine.stack.append(machine.meaning.persistent(machine.stack.pop()))


_PLAIN = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
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
