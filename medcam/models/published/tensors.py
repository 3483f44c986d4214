"""Tensors from what a checkpoint says of them; each lies within its storage, and all together within a budget."""

from __future__ import annotations

from math import prod
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from medcam.core.inert_pickle import Name
from medcam.models.published.allowed import PARAMETER, STORAGES, TENSOR, TENSOR_V1
from medcam.models.published.refusals import broken, too_large, unsafe
from medcam.models.published.values import Call, Storage

MOST_AXES = 8


class Storages(Protocol):
    """Where the numbers are."""

    def read(self, storage: Storage) -> bytearray:
        """The bytes of a storage, exactly as many as it has elements."""


class Described(NamedTuple):
    """A tensor as a checkpoint describes it; the numbers are counted in elements."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


class TensorMaker:
    """Makes tensors, each with memory of its own.

    Args:
        storages: Where the numbers are.
        budget: Bytes that all tensors together may take.
    """

    def __init__(self, storages: Storages, budget: int) -> None:
        self._storages, self._left = storages, budget
        self._kept: tuple[Storage, bytearray] | None = None
        self._read_left = 4 * budget

    def make(self, value: object) -> Tensor:
        """The tensor that a call describes.

        Raises:
            ModelError: It reaches out of its storage or is no tensor ("unsafe-checkpoint"), or there are too many
                ("checkpoint-too-large").
        """
        storage, offset, size, stride = described(value)
        kind = STORAGES[storage.kind]
        self._left -= prod(size) * kind.itemsize
        if self._left < 0:
            raise too_large("its tensors are larger than the file")
        if prod(size) == 0:
            return torch.zeros(size, dtype=kind)
        whole = torch.frombuffer(self._bytes(storage), dtype=kind)
        return torch.as_strided(whole, size, stride, offset).clone(memory_format=torch.contiguous_format)

    def _bytes(self, storage: Storage) -> bytearray:
        if self._kept is None or self._kept[0] != storage:
            self._read_left -= storage.elements * STORAGES[storage.kind].itemsize
            if self._read_left < 0:
                raise too_large("its tensors read the same numbers over and over")
            data = self._storages.read(storage)
            if len(data) != storage.elements * STORAGES[storage.kind].itemsize:
                raise broken("it ends too early")
            self._kept = (storage, data)
        return self._kept[1]


def is_tensor(value: object) -> bool:
    """Whether a value describes a tensor, rightly or not."""
    return isinstance(value, Call)


def described(value: object) -> Described:
    """What a call says of a tensor, checked.

    Raises:
        ModelError: It is no tensor within its storage ("unsafe-checkpoint").
    """
    if isinstance(value, Call) and value.function == PARAMETER and len(value.arguments) == 3:
        value = value.arguments[0]
    if not isinstance(value, Call) or value.function not in (TENSOR, TENSOR_V1) or len(value.arguments) < 4:
        raise unsafe("something that is no tensor stands where a tensor should be")
    storage, offset, size, stride = value.arguments[:4]
    if not isinstance(storage, Storage) or type(offset) is not int:
        raise unsafe("a tensor without a storage")
    found = Described(storage, offset, _numbers(size), _numbers(stride))
    _check(found)
    return found


def _numbers(values: object) -> tuple[int, ...]:
    if type(values) is not tuple or len(values) > MOST_AXES or any(type(one) is not int or one < 0 for one in values):
        raise unsafe("a tensor whose size or stride is none")
    return values


def _check(tensor: Described) -> None:
    count = prod(tensor.size)
    if len(tensor.size) != len(tensor.stride) or tensor.offset < 0:
        raise unsafe("a tensor whose size or stride is none")
    if count > tensor.storage.elements:
        raise unsafe("a tensor of more numbers than its storage has")
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.size, tensor.stride, strict=True))
    if count and last >= tensor.storage.elements:
        raise unsafe("a tensor that reaches out of its storage")


def storage_of(identity: tuple[object, ...]) -> Storage:
    """The storage that ('storage', type, key, location, elements) names.

    Raises:
        ModelError: It has another form ("unsafe-checkpoint").
    """
    if len(identity) == 5:
        word, kind, key, location, elements = identity
        plain = word == "storage" and type(key) is str and type(location) is str and type(elements) is int
        if plain and isinstance(kind, Name) and kind in STORAGES and elements >= 0:  # type: ignore[operator]
            return Storage(kind, key, elements)  # type: ignore[arg-type]
    raise unsafe("a persistent id that names no storage")
