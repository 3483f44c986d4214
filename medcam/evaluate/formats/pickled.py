"""Reads pickles of plain values, NumPy arrays and torch tensors without running them.

A pickle is a program. Unpickling one of unknown origin runs what its author wished. Here it is followed by
`medcam.core.inert_pickle`, and a call is answered only where it is one of those that arrays and tensors are made of, by
code of this file. Nothing else is ever imported or called.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from medcam.core.inert_pickle import Name, PickleRefusedError, follow_pickle
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
    return _plain(_follow(io.BytesIO(content), _Values()))


@dataclass(slots=True)
class _Array:
    """An array whose content comes later."""

    values: Any = None


@dataclass(slots=True)
class _Dtype:
    text: str


@dataclass(eq=False, slots=True)
class _Values:
    """What arrays and tensors are made of (`medcam.core.inert_pickle.Meaning`)."""

    storages: dict[str, _Array] = field(default_factory=dict)

    def named(self, name: Name) -> Name:
        return name

    def made(self, kind: object, arguments: object) -> object:
        raise PlacesError(f"a pickle that makes objects ({str(kind)[:80]}), which no array needs")

    def called(self, function: object, arguments: tuple[Any, ...]) -> object:
        name = _as(function, Name)
        made = _CALLS.get(f"{name.module.replace('numpy.core', 'numpy._core')}.{name.name}")
        if made is None:
            raise PlacesError(f"a pickle that calls {str(name)[:80]}, which no array needs")
        return made(*arguments)

    def given_state(self, target: object, state: object) -> None:
        if isinstance(target, _Array):
            _, shape, dtype, fortran, content = _as(state, tuple)
            target.values = _shaped(content, dtype, shape, "F" if fortran else "C")
        elif isinstance(target, _Dtype):
            order = _as(state, tuple)[1]
            if order in ("<", ">"):
                target.text = order + target.text.lstrip("<>=|")
        else:
            raise PlacesError("a pickle that sets the state of something that is no array")

    def persistent(self, identity: object) -> _Array:
        """A tensor's numbers; what comes after the pickle fills them."""
        kind, storage, key, *_ = _as(identity, tuple)
        name = _as(storage, Name)
        if kind != "storage" or name.module != "torch" or name.name not in _STORAGES:
            raise PlacesError(f"a tensor of a kind that is not read ({str(name)[:80]})")
        return self.storages.setdefault(str(key), _Array(np.zeros(0, dtype=_STORAGES[name.name])))


def _follow(stream: BinaryIO, values: _Values) -> object:
    """What one pickle holds, with arrays that may still be empty."""
    try:
        return follow_pickle(stream, values, MOST_STEPS, largest_number=2**80)
    except PickleRefusedError as refused:
        if refused.kind == "broken":
            raise PlacesError(f"a broken pickle: {refused.reason}") from refused
        raise PlacesError(f"a pickle that is no heat map: {refused.reason}") from refused


def _as(value: Any, kind: type[Any]) -> Any:  # noqa: ANN401  whatever the pickle built
    if type(value) is not kind:
        raise PlacesError("a broken pickle")
    return value


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
        _follow(stream, _Values())
    values = _Values()
    storage: _Array = _as(_follow(stream, values), _Array)
    for key in _as(_follow(stream, _Values()), list):
        target = values.storages[_as(key, str)]
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
        if isinstance(value, Name):  # a tuple too
            raise PlacesError("a pickle of something that is no value")
        if isinstance(value, dict):
            return {key: self.of(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.of(item) for item in value)
        if isinstance(value, _Dtype):
            raise PlacesError("a pickle of something that is no value")
        return value


def _plain(value: object) -> object:
    try:
        return _Plain().of(value)
    except RecursionError as error:
        raise PlacesError("a pickle that holds itself, or nests without end") from error


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
