"""Checkpoints that attack: pickles written by hand, in both layouts of torch.save."""

from __future__ import annotations

import io
import pickle
import struct
import zipfile
from pathlib import Path

from medcam.models.published.legacy_layout import MAGIC, PROTOCOL

MARKER = "medcam-evil-marker.txt"
TOUCH = b"X" + struct.pack("<I", len(MARKER)) + MARKER.encode()
"""The name of the file that an attack would make, as a pickle's text."""


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def name(module: str, word: str) -> bytes:
    return f"c{module}\n{word}\n".encode()


def call(module: str, word: str, *arguments: bytes) -> bytes:
    return name(module, word) + b"(" + b"".join(arguments) + b"tR"


def storage(kind: str = "FloatStorage", key: str = "0", elements: int = 4, module: str = "torch") -> bytes:
    count = b"\x8a\x08" + struct.pack("<q", elements)
    return b"(" + text("storage") + name(module, kind) + text(key) + text("cpu") + count + b"tQ"


def numbers(*values: int) -> bytes:
    return b"(" + b"".join(b"\x8a\x08" + struct.pack("<q", value) for value in values) + b"t"


def tensor(
    offset: int = 0, size: tuple[int, ...] = (4,), stride: tuple[int, ...] = (1,), of: bytes | None = None
) -> bytes:
    place = b"\x8a\x08" + struct.pack("<q", offset)
    hooks = name("collections", "OrderedDict") + b")R"
    return call(
        "torch._utils",
        "_rebuild_tensor_v2",
        storage() if of is None else of,
        place,
        numbers(*size),
        numbers(*stride),
        b"\x89",
        hooks,
    )


def state(*values: bytes) -> bytes:
    """A whole pickle: a dictionary of values named 0, 1, ..."""
    items = b"".join(text(str(number)) + value for number, value in enumerate(values))
    return b"\x80\x02}(" + items + b"u."


def zipped(
    path: Path, pickled: bytes, members: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED
) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("evil/data.pkl", pickled)
        for member, data in ({"data/0": bytes(16)} if members is None else members).items():
            archive.writestr(f"evil/{member}", data)
    return path


def legacy(path: Path, pickled: bytes, storages: bytes | None = None) -> Path:
    made = io.BytesIO()
    for value in (MAGIC, PROTOCOL, {"protocol_version": PROTOCOL, "little_endian": True, "type_sizes": {}}):
        pickle.dump(value, made, protocol=2)
    made.write(pickled)
    named = text("storage") + b"c" in pickled
    pickle.dump(["0"] if named else [], made, protocol=2)
    made.write((struct.pack("<q", 4) + bytes(16)) * named if storages is None else storages)
    path.write_bytes(made.getvalue())
    return path
