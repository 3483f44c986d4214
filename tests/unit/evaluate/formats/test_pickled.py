"""Heat maps come out of pickles; nothing that a pickle asks for is ever done."""

import io
import os
import pickle
import random
import struct

import numpy as np
import pytest
import torch

from medcam.evaluate.formats.errors import PlacesError
from medcam.evaluate.formats.pickled import loads, read_pickle


@pytest.fixture
def record():
    rng = np.random.default_rng(3)
    return {
        "map": torch.from_numpy(rng.normal(size=(1, 1, 3, 4)).astype(np.float32)),
        "cxr_img": torch.from_numpy(rng.random((3, 5, 6))).permute(1, 0, 2),
        "prob": 0.25,
        "task": "Lung Lesion",
        "gt": 1,
        "cxr_dims": (2022, 1751),
        "array": np.arange(6, dtype=">i4").reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float16).reshape(2, 3)),
        "scalar": np.float32(0.5),
        "list": [None, True, 2, [3.5]],
    }


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_tensors_arrays_and_plain_values_come_as_they_were(record, protocol):
    read = loads(pickle.dumps(record, protocol=protocol))

    assert read.keys() == record.keys()
    for name in ("map", "cxr_img"):
        assert np.array_equal(read[name], record[name].numpy())
    for name in ("array", "fortran"):
        assert np.array_equal(read[name], record[name])
    for name in ("prob", "task", "gt", "cxr_dims", "scalar", "list"):
        assert read[name] == record[name]


class Runs:
    """Unpickled, it writes a file."""

    def __init__(self, call, *arguments):
        self.made = (call, arguments)

    def __reduce__(self):
        return self.made


def hostile(path):
    yield "system", pickle.dumps({"map": Runs(os.system, f"touch {path}")})
    yield "eval", pickle.dumps(Runs(eval, f"open({str(path)!r}, 'w')"))
    yield "mkdir", pickle.dumps({"map": [Runs(os.mkdir, str(path))]}, protocol=0)
    inner = io.BytesIO()
    torch.save({"map": Runs(os.mkdir, str(path))}, inner, _use_new_zipfile_serialization=False)
    yield "inside a tensor", pickle.dumps(Runs(torch.storage._load_from_bytes, inner.getvalue()))
    yield "instance", b"(S'" + str(path).encode() + b"'\nios\nmkdir\n."
    yield "object", b"(cos\nmkdir\nS'" + str(path).encode() + b"'\no."
    yield "new object", b"\x80\x02cos\nmkdir\nX" + struct.pack("<I", len(str(path))) + str(path).encode() + b"\x85\x81."
    yield "by two steps", b"\x80\x04c__builtin__\ngetattr\n(c__builtin__\n__import__\nS'__call__'\ntR."


def test_hostile_pickles_are_refused_and_do_nothing(tmp_path):
    path = tmp_path / "written"
    for name, content in hostile(path):
        with pytest.raises(PlacesError):
            loads(content)
        assert not path.exists(), name


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b".",
        b"}",
        b"\x80\x04r\xff\xff\xff\xffN.",
        b"cos\nsystem\n.",
        b"\x80\x04h\x07.",
        b"l" * 50,
        b"\x8e\xff\xff\xff\xff\xff\xff\xff\x7f.",
        b"(" * 200_000 + b".",
    ],
)
def test_broken_pickles_are_refused(content):
    with pytest.raises(PlacesError):
        loads(content)


def nests():
    holds_itself = []
    holds_itself.append(holds_itself)
    yield pickle.dumps(holds_itself)
    doubled = ["x"]
    for _ in range(60):
        doubled = [doubled, doubled]
    yield pickle.dumps(doubled)
    key = ("x",)
    for _ in range(60):
        key = (key, key)
    yield pickle.dumps(key)
    # The same as a key of a dictionary, whose hash would take for ever.
    yield b"\x80\x04}" + pickle.dumps(key)[2:-1] + b"K\x01s."


def test_small_pickles_that_grow_without_end_are_refused():
    for content in nests():
        with pytest.raises(PlacesError):
            loads(content)


def test_a_tensor_that_reaches_over_its_numbers_is_refused(record):
    content = pickle.dumps(record["map"], protocol=2)
    shape = b"(K\x01K\x01K\x03K\x04t"

    assert shape in content
    with pytest.raises(PlacesError, match="reaches over"):
        loads(content.replace(shape, b"(K\x01K\x01K\x03K\x0ft"))


def test_whatever_is_changed_in_a_file_ends_in_values_or_in_the_error(record):
    content = pickle.dumps(record, protocol=2)
    rng, refused = random.Random(0), 0
    for _ in range(300):
        changed = bytearray(content)
        for _ in range(3):
            changed[rng.randrange(len(changed))] = rng.randrange(256)
        try:
            loads(bytes(changed))
        except PlacesError:
            refused += 1

    assert 0 < refused <= 300


def test_a_file_that_is_missing_or_wrong_is_named_without_its_folder(tmp_path):
    with pytest.raises(PlacesError, match=r"^none\.pkl cannot be read"):
        read_pickle(tmp_path / "none.pkl")
    (tmp_path / "bad.pkl").write_bytes(b"x")
    with pytest.raises(PlacesError, match=r"^bad\.pkl: "):
        read_pickle(tmp_path / "bad.pkl")
