"""Reads pickles of plain values, NumPy arrays and torch tensors without running them.

A pickle is a program. Unpickling one of unknown origin runs what its author wished. Here its instructions are read
one by one (`pickletools.genops`); the few that build plain values are followed, and a call is followed only where it
is one of those that arrays and tensors are made of, by code of this file. Nothing else is ever imported or called.
"""

from __future__ import annotations

import io
import pickletools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from medcam.evaluate.formats.errors import PlacesError

MOST_BYTES = 2**28
MOST_STEPS = 100_000
_DTYPE = re.compile(r"[<>=|]?[fiub][1248]")
_STORAGES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}
_CONSTANT = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING"),
        *("BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)
_FIXED: dict[str, Callable[[], object]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_MARK = object()


def read_pickle(path: Path) -> object:
    """Reads a pickle of plain values, arrays and tensors; tensors come as arrays.

    Raises:
        PlacesError: It is missing, too large, broken, or asks for anything else.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise PlacesError(f"{path.name} cannot be read") from error
    if len(content) > MOST_BYTES:
        raise PlacesError(f"{path.name} is larger than {MOST_BYTES >> 20} MiB")
    try:
        return loads(content)
    except PlacesError as error:
        raise PlacesError(f"{path.name}: {error.message}") from error


def loads(content: bytes) -> object:
    """As `read_pickle`, of bytes."""
    return _Reader(io.BytesIO(content)).value()


@dataclass(frozen=True, slots=True)
class _Name:
    """Something that the pickle names: never looked up."""

    module: str
    name: str

    @property
    def short(self) -> str:
        return f"{self.module.replace('numpy.core', 'numpy._core')}.{self.name}"


@dataclass(slots=True)
class _Array:
    """An array whose content comes later."""

    values: Any = None


@dataclass(slots=True)
class _Dtype:
    text: str


@dataclass(eq=False)
class _Reader:
    """Follows one pickle."""

    stream: io.BytesIO
    storages: dict[str, _Array] = field(default_factory=dict)
    stack: list[Any] = field(default_factory=list)
    memo: dict[int, Any] = field(default_factory=dict)

    def value(self) -> object:
        """What the pickle holds, as plain values and arrays."""
        try:
            return _Plain().of(self.raw())
        except RecursionError as error:
            raise PlacesError("a pickle that holds itself, or nests without end") from error

    def raw(self) -> object:
        """What the pickle holds, with arrays that may still be empty."""
        try:
            for opcode, argument, _ in islice(pickletools.genops(self.stream), MOST_STEPS):
                if opcode.name == "STOP":
                    return self.stack.pop()
                self._follow(opcode.name, argument)
        except PlacesError:
            raise
        # What genops, NumPy and wrong stacks raise on broken content.
        except (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, RecursionError) as error:
            raise PlacesError(f"a broken pickle ({type(error).__name__})") from error
        raise PlacesError("a pickle without an end, or with more steps than a heat map has")

    def _follow(self, name: str, argument: Any) -> None:  # noqa: ANN401  as genops gives it
        if name in ("PROTO", "FRAME"):
            return
        if name == "MARK":
            self.stack.append(_MARK)
        elif name in _CONSTANT:
            self.stack.append(argument)
        elif name in _FIXED:
            self.stack.append(_FIXED[name]())
        elif name in ("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"):
            self.memo[len(self.memo) if name == "MEMOIZE" else int(argument)] = self.stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            self.stack.append(self.memo[int(argument)])
        else:
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:  # noqa: ANN401  as genops gives it
        if name in _GATHERED:
            self.stack.append(_GATHERED[name](self._marked()))
        elif name in _LAST:
            count = _LAST[name]
            self.stack[-count:] = [tuple(self.stack[-count:])]
        elif name in ("APPEND", "APPENDS"):
            items = [self.stack.pop()] if name == "APPEND" else self._marked()
            _as(self.stack[-1], list).extend(items)
        elif name in ("SETITEM", "SETITEMS"):
            items = [self.stack.pop(-2), self.stack.pop()] if name == "SETITEM" else self._marked()
            _as(self.stack[-1], dict).update(_pairs(items))
        else:
            self._name(name, argument)

    def _name(self, name: str, argument: Any) -> None:  # noqa: ANN401  as genops gives it
        if name == "GLOBAL":
            self.stack.append(_Name(*str(argument).split(" ", 1)))
        elif name == "STACK_GLOBAL":
            self.stack[-2:] = [_Name(_as(self.stack[-2], str), _as(self.stack[-1], str))]
        elif name == "REDUCE":
            arguments = _as(self.stack.pop(), tuple)
            self.stack[-1] = _call(_as(self.stack[-1], _Name), arguments)
        elif name == "BUILD":
            state = self.stack.pop()
            _set_state(self.stack[-1], state)
        elif name == "BINPERSID":
            self.stack[-1] = self._storage(_as(self.stack[-1], tuple))
        else:
            raise PlacesError(f"a pickle that does more than hold arrays ({name})")

    def _marked(self) -> list[Any]:
        place = len(self.stack) - 1 - self.stack[::-1].index(_MARK)
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def _storage(self, identity: tuple[Any, ...]) -> _Array:
        """A tensor's numbers; what comes after the pickle fills them."""
        kind, name, key = identity[0], _as(identity[1], _Name), str(identity[2])
        if kind != "storage" or name.module != "torch" or name.name not in _STORAGES:
            raise PlacesError(f"a tensor of a kind that is not read ({name.name})")
        return self.storages.setdefault(key, _Array(np.zeros(0, dtype=_STORAGES[name.name])))


def _as(value: Any, kind: type[Any]) -> Any:  # noqa: ANN401  whatever the pickle built
    if type(value) is not kind:
        raise PlacesError("a broken pickle")
    return value


def _pairs(items: list[Any]) -> dict[Any, Any]:
    # A key that is a nest of tuples could take for ever to hash.
    if not all(isinstance(key, str | int) for key in items[::2]):
        raise PlacesError("a pickle with keys that are neither text nor numbers")
    return dict(zip(items[::2], items[1::2], strict=True))


_GATHERED: dict[str, Callable[[list[Any]], object]] = {"TUPLE": tuple, "LIST": list, "DICT": _pairs}
_LAST = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}


def _call(name: _Name, arguments: tuple[Any, ...]) -> object:
    made = _CALLS.get(name.short)
    if made is None:
        raise PlacesError(f"a pickle that calls {name.short}, which no array needs")
    return made(*arguments)


def _set_state(target: Any, state: Any) -> None:  # noqa: ANN401  whatever the pickle built
    if isinstance(target, _Array):
        _, shape, dtype, fortran, content = _as(state, tuple)
        target.values = _shaped(content, dtype, shape, "F" if fortran else "C")
    elif isinstance(target, _Dtype):
        order = _as(state, tuple)[1]
        if order in ("<", ">"):
            target.text = order + target.text.lstrip("<>=|")
    else:
        raise PlacesError("a pickle that sets the state of something that is no array")


def _dtype(text: str, *_flags: object) -> _Dtype:
    if not isinstance(text, str) or not _DTYPE.fullmatch(text):
        raise PlacesError("an array of a type that is not read")
    return _Dtype(text)


def _shaped(content: Any, dtype: Any, shape: Any, order: Any) -> Any:  # noqa: ANN401  whatever the pickle built
    if not isinstance(content, bytes | bytearray):
        raise PlacesError("an array without bytes")
    sides = tuple(int(side) for side in _as(shape, tuple))
    return np.frombuffer(bytes(content), dtype=_as(dtype, _Dtype).text).reshape(
        sides, order="F" if order == "F" else "C"
    )


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_rest: object) -> _Array:  # noqa: ANN401
    """A tensor over a storage: int sizes and strides in elements, checked against the storage."""
    values = _as(storage, _Array).values
    sides, steps = tuple(map(int, _as(size, tuple))), tuple(map(int, _as(stride, tuple)))
    if len(sides) != len(steps) or min((*sides, *steps, int(offset)), default=0) < 0:
        raise PlacesError("a tensor with impossible sides")
    end = int(offset) + sum((side - 1) * step for side, step in zip(sides, steps, strict=True)) + 1
    if 0 in sides or end > len(values) or int(np.prod(sides, dtype=object)) > len(values):
        raise PlacesError("a tensor reaches over its numbers")
    part = values[int(offset) : end]
    strides = tuple(step * values.itemsize for step in steps)
    # A view: copies of one storage, asked for again and again, could fill the memory.
    return _Array(np.lib.stride_tricks.as_strided(part, sides, strides, writeable=False))


def _torch_storage(content: Any) -> _Array:  # noqa: ANN401  whatever the pickle built
    """The numbers of a storage that torch saved in its old format: five pickles, then sizes and numbers."""
    stream = io.BytesIO(_as(content, bytes))
    for _ in range(3):
        _Reader(stream).value()
    reader = _Reader(stream)
    storage: _Array = _as(reader.raw(), _Array)
    for key in _as(_Reader(stream).value(), list):
        target = reader.storages[str(key)]
        count = int.from_bytes(stream.read(8), "little")
        size = count * target.values.itemsize
        numbers = stream.read(size) if size <= MOST_BYTES else b""
        if len(numbers) != size:
            raise PlacesError("a tensor is cut off")
        target.values = np.frombuffer(numbers, dtype=target.values.dtype)
    return storage


@dataclass(slots=True)
class _Plain:
    """What a caller gets: arrays for arrays, and no half-built thing. Nests that grow without end are refused."""

    left: int = MOST_STEPS

    def of(self, value: Any) -> Any:  # noqa: ANN401  whatever the pickle built
        self.left -= 1
        if self.left < 0:
            raise PlacesError("a pickle that holds more values than a heat map has")
        if isinstance(value, _Array):
            return value.values
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.of(item) for item in value)
        if isinstance(value, _Name | _Dtype) or value is _MARK:
            raise PlacesError("a pickle of something that is no value")
        return value


def _latin(text: Any, *_encoding: object) -> bytes:  # noqa: ANN401  whatever the pickle built
    return bytes(_as(text, str).encode("latin1"))


_CALLS: dict[str, Callable[..., object]] = {
    "numpy._core.multiarray._reconstruct": lambda *_: _Array(),
    "numpy._core.numeric._frombuffer": lambda content, dtype, shape, order: _Array(
        _shaped(content, dtype, shape, order)
    ),
    "numpy._core.multiarray.scalar": lambda dtype, content: _shaped(content, dtype, (1,), "C")[0].item(),
    "numpy.dtype": _dtype,
    "_codecs.encode": _latin,
    "collections.OrderedDict": lambda *_: {},
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch.storage._load_from_bytes": _torch_storage,
}
