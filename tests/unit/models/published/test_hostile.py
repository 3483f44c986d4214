"""Nothing of a checkpoint is ever run: whatever it asks for, it is refused with a code, in little memory."""

from __future__ import annotations

import pickle
import struct
import tracemalloc
import zipfile
from pathlib import Path

import pytest
import torch

from medcam.core.errors import ModelError
from medcam.models.published.checkpoint import read_checkpoint

from .hostile import MARKER, TOUCH, call, legacy, name, numbers, state, storage, tensor, text, zipped

OPEN_FOR_WRITING = text("w")
LINEAR = name("torch.nn.modules.linear", "Linear")

UNSAFE = {
    "os.system": state(call("os", "system", text(f"touch {MARKER}"))),
    "posix.system": state(call("posix", "system", text(f"touch {MARKER}"))),
    "eval": state(call("builtins", "eval", text(f"open('{MARKER}', 'w')"))),
    "getattr": state(call("builtins", "getattr", name("collections", "OrderedDict"), text("fromkeys"))),
    "open": state(call("io", "open", TOUCH, OPEN_FOR_WRITING)),
    "torch.load": state(call("torch", "load", TOUCH)),
    "a function of an allowed module": state(call("torch._utils", "_import_dotted_name", text("os.system"))),
    "dotted name": b"\x80\x04" + text("torch.nn.modules.module") + text("inspect.builtins.open") + b"\x93.",
    "dotted class": state(name("torch.nn.modules.linear", "Linear.__init__.__globals__")),
    "names that are no text": b"\x80\x04}(" + text("0") + b"K\x01K\x02\x93u.",
    "new object of a function": b"\x80\x02" + name("torch._utils", "_rebuild_tensor_v2") + b")\x81.",
    "new object of a dictionary": b"\x80\x02" + name("collections", "OrderedDict") + b")\x81.",
    "new object with arguments": b"\x80\x02" + LINEAR + b"K\x01\x85\x81.",
    "a class is called": state(call("torch.nn.modules.linear", "Linear", b"K\x01")),
    "what a call gave is called": state(name("torch._utils", "_rebuild_tensor_v2") + b")R)R"),
    "a text is called": state(text("os.system") + b")R"),
    "state for a class": b"\x80\x02" + LINEAR + b"}" + text("__setstate__") + b"Nsb.",
    "state for a function": b"\x80\x02" + name("torch._utils", "_rebuild_tensor_v2") + b"}" + text("a") + b"Nsb.",
    "slots in a state": b"\x80\x02" + LINEAR + b")\x81N}\x86b.",
    "state that is no dictionary": b"\x80\x02" + LINEAR + b")\x81" + text("x") + b"b.",
    "state given twice": b"\x80\x02" + LINEAR + b")\x81" + (b"}" + text("a") + b"Nsb") * 2 + b".",
    "INST": b"\x80\x02(" + text(f"touch {MARKER}") + b"ios\nsystem\n.",
    "OBJ": b"\x80\x02(" + LINEAR + b"o.",
    "EXT1": b"\x80\x02\x82\x01.",
    "EXT4": b"\x80\x02\x84\x01\x00\x00\x00.",
    "NEWOBJ_EX": b"\x80\x04" + LINEAR + b")}\x92.",
    "PERSID as text": b"\x80\x02Pos.system\n.",
    "out-of-band buffer": b"\x80\x05\x97.",
    "DUP": b"\x80\x02]2.",
    "a persistent id of another kind": state(b"(" + text("module") + LINEAR + b"tQ"),
    "a persistent id that is no tuple": state(text("storage") + b"Q"),
    "storage of a type that is none": state(tensor(of=storage("Tensor"))),
    "storage of another module": state(tensor(of=storage(module="os"))),
    "storage of negative size": state(tensor(of=storage(elements=-1))),
    "offset out of the storage": state(tensor(offset=1)),
    "negative offset": state(tensor(offset=-1, size=(1,))),
    "stride out of the storage": state(tensor(size=(2, 2), stride=(3, 2))),
    "negative stride": state(tensor(stride=(-1,))),
    "overflow of a size": state(tensor(size=(2**62, 2**62), stride=(1, 1))),
    "a giant of one number": state(tensor(size=(2**40,), stride=(0,))),
    "more axes than strides": state(tensor(size=(2, 2), stride=(1,))),
    "a hundred axes": state(tensor(size=(1,) * 100, stride=(1,) * 100)),
    "tensor of no storage": state(tensor(of=text("0"))),
    "parameter of no tensor": state(call("torch._utils", "_rebuild_parameter", text("x"), b"\x89", b"}")),
    "a tuple as a key": b"\x80\x02}N\x85Ns.",
    "nested tuples as a key": b"\x80\x02}N" + b"q\x00h\x00\x86" * 60 + b"Ns.",
    "a number of a million bits": b"\x80\x02\x8b" + struct.pack("<i", 125_000) + b"\x7f" * 125_000 + b".",
}  # fmt: skip


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, where an attack that succeeds leaves its marker."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        read_checkpoint(path)
    assert caught.value.next_step
    return caught.value.code


@pytest.mark.parametrize("write", [zipped, legacy])
@pytest.mark.parametrize("attack", UNSAFE)
def test_an_attack_is_refused_and_does_nothing(attack, write, tmp_path, empty_folder):
    path = write(tmp_path / "evil.pt", UNSAFE[attack])

    assert refused(path) == "unsafe-checkpoint"
    assert not list(empty_folder.iterdir())


@pytest.mark.parametrize("write", [zipped, legacy])
def test_what_the_attacks_are_made_of_is_read_where_it_is_harmless(write, tmp_path):
    path = write(tmp_path / "good.pt", state(tensor(), tensor(offset=1, size=(2, 1), stride=(2, 1))))

    tensors = read_checkpoint(path).tensors

    assert {name: tuple(value.shape) for name, value in tensors.items()} == {"0": (4,), "1": (2, 1)}


def test_the_attack_would_work_on_the_standard_unpickler(empty_folder):
    pickle.loads(UNSAFE["open"])["0"].close()

    assert [path.name for path in empty_folder.iterdir()] == [MARKER]


@pytest.mark.parametrize("file", ["evil.pt", "evil-legacy.pt", "evil-dotted.pt"])
def test_the_hostile_files_beside_the_project_are_refused(file, conformance, empty_folder):
    assert refused(conformance / file) == "unsafe-checkpoint"
    assert not list(empty_folder.iterdir())


BOMBS = {
    "a memo index of four thousand million": b"\x80\x02Nr\xff\xff\xff\xff0.",
    "text of four thousand million bytes": b"\x80\x02X\xff\xff\xff\xffabc.",
    "text of 2**63 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 2**63 - 1) + b"abc.",
    "bytes of 2**62 bytes": b"\x80\x04\x8e" + struct.pack("<Q", 2**62) + b"abc.",
    "a number of 2**31 bytes": b"\x80\x02\x8b\xff\xff\xff\x7fabc.",
    "a frame that is not there": b"\x80\x04\x95" + struct.pack("<Q", 2**60) + b"N.",
    "marks without end": b"\x80\x02" + b"(" * 100_000 + b".",
    "lists in lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "tuples in tuples": b"\x80\x02N" + b"\x85" * 100_000 + b".",
    "an empty stack": b"\x80\x02a.",
    "an unknown memo": b"\x80\x02h\x07.",
    "no end": b"\x80\x02N",
    "unknown operation": b"\x80\x02\xff.",
    "a list that holds itself": b"\x80\x02]q\x00h\x00a.",
    "broken text": b"\x80\x02X\x02\x00\x00\x00\xff\xfe.",
    "decimal number of a hundred thousand digits": b"\x80\x02I" + b"9" * 100_000 + b"\n.",
}


@pytest.mark.parametrize("write", [zipped, legacy])
@pytest.mark.parametrize("bomb", BOMBS)
def test_a_bomb_is_refused_in_little_memory(bomb, write, tmp_path):
    path = write(tmp_path / "bomb.pt", BOMBS[bomb])
    tracemalloc.start()
    try:
        code = refused(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert code in ("unsafe-checkpoint", "broken-checkpoint", "checkpoint-too-large", "unknown-checkpoint")
    assert peak < 64 * 2**20


def module(parts: bytes) -> bytes:
    return name("torch.nn.modules.container", "Sequential") + b")\x81}" + text("_modules") + b"}(" + parts + b"usb"


@pytest.mark.parametrize("doubled", [True, False])
def test_modules_that_unfold_without_end_are_refused(doubled, tmp_path):
    inner = name("torch.nn.modules.activation", "ReLU") + b")\x81"
    for _ in range(60):
        # the same module twice in each: 2**60 names
        again = text("b") + b"h\x05" if doubled else b""
        inner = module(text("a") + inner + b"q\x05" + again)
    path = zipped(tmp_path / "bomb.pt", b"\x80\x02" + inner + b".")

    assert refused(path) == "checkpoint-too-large"


def test_a_module_that_holds_itself_is_refused(tmp_path):
    itself = (
        name("torch.nn.modules.container", "Sequential")
        + b")\x81q\x05}"
        + text("_modules")
        + b"}("
        + text("a")
        + b"h\x05usb"
    )

    assert refused(zipped(tmp_path / "bomb.pt", b"\x80\x02" + itself + b".")) == "checkpoint-too-large"


def test_too_many_steps_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("medcam.models.published.pickle_reader.MOST_OPERATIONS", 1000)

    assert refused(zipped(tmp_path / "bomb.pt", b"\x80\x02](" + b"N" * 2000 + b"e.")) == "checkpoint-too-large"


def test_a_storage_of_a_terabyte_that_is_not_there_is_refused(tmp_path):
    pickled = state(tensor(of=storage(elements=2**38), size=(2**38,)))

    assert refused(zipped(tmp_path / "a.pt", pickled)) == "checkpoint-too-large"
    assert refused(legacy(tmp_path / "b.pt", pickled, storages=struct.pack("<q", 2**38))) == "broken-checkpoint"


def test_one_storage_as_many_tensors_is_refused(tmp_path):
    many = state(*[tensor(of=storage(elements=2**18), size=(2**18,))] * 50)

    path = zipped(tmp_path / "a.pt", many, {"data/0": bytes(2**20)})

    assert refused(path) == "checkpoint-too-large"


def test_a_storage_of_another_size_is_refused(tmp_path):
    assert refused(zipped(tmp_path / "a.pt", state(tensor()), {"data/0": bytes(12)})) == "broken-checkpoint"
    assert refused(zipped(tmp_path / "b.pt", state(tensor()), {})) == "broken-checkpoint"


@pytest.mark.parametrize("key", ["../../etc/passwd", "", "0/../0", "x" * 1000, "０"])
def test_a_storage_of_a_strange_name_is_refused(key, tmp_path):
    path = zipped(tmp_path / "a.pt", state(tensor(of=storage(key=key))), {f"data/{key}": bytes(16)})

    assert refused(path) == "broken-checkpoint"


def test_compressed_members_are_refused_unopened(tmp_path):
    bomb = zipped(tmp_path / "a.pt", state(tensor()), {"data/0": bytes(50 * 2**20)}, zipfile.ZIP_DEFLATED)

    assert bomb.stat().st_size < 10**6
    assert refused(bomb) == "unsafe-checkpoint"


def test_members_that_overlap_are_refused(tmp_path):
    path = zipped(tmp_path / "a.pt", state(tensor()), {"data/0": bytes(2**16)})
    data = bytearray(path.read_bytes())
    first = data.index(b"PK\x01\x02", data.rindex(b"PK\x03\x04"))
    entry = bytes(data[data.index(b"PK\x01\x02", first + 4) : data.index(b"PK\x05\x06")])
    copies = b"".join(entry.replace(b"data/0", b"data/%d" % number) for number in range(1, 10))
    end = data.index(b"PK\x05\x06")
    tail = bytearray(data[end:])
    tail[8:12] = struct.pack("<HH", 11, 11)
    tail[12:16] = struct.pack("<I", struct.unpack("<I", tail[12:16])[0] + len(copies))
    path.write_bytes(bytes(data[:end]) + copies + bytes(tail))

    assert refused(path) in ("unsafe-checkpoint", "broken-checkpoint")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "unknown-checkpoint"),
        (b"MZ" + bytes(100), "unknown-checkpoint"),
        (b"PK\x03\x04" + bytes(100), "broken-checkpoint"),
        (b"\x80\x02.", "unknown-checkpoint"),
        (struct.pack("<Q", 2**40) + b"{", "broken-checkpoint"),
        (struct.pack("<Q", 10) + b"{" + b"x" * 20, "broken-checkpoint"),
    ],
)
def test_other_files_are_refused(data, code, tmp_path):
    (tmp_path / "file").write_bytes(data)

    assert refused(tmp_path / "file") == code


def test_a_file_that_is_not_there_is_refused(tmp_path):
    assert refused(tmp_path / "nothing.pt") == "unknown-checkpoint"


@pytest.mark.parametrize("cut", [0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("old", [True, False])
def test_a_file_that_was_cut_is_refused(cut, old, tmp_path):
    path = tmp_path / "whole.pt"
    torch.save({"a": torch.ones(500)}, path, _use_new_zipfile_serialization=not old)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * cut)])

    assert refused(path) in ("broken-checkpoint", "unknown-checkpoint")


def test_a_script_archive_is_refused(tmp_path):
    path = zipped(tmp_path / "a.pt", state(tensor()), {"data/0": bytes(16), "constants.pkl": b"\x80\x02)."})

    assert refused(path) == "unknown-checkpoint"


@pytest.mark.parametrize("pickled", [b"\x80\x02N.", b"\x80\x02}.", b"\x80\x02" + numbers(1) + b"."])
def test_a_checkpoint_without_tensors_is_refused(pickled, tmp_path):
    assert refused(zipped(tmp_path / "a.pt", pickled, {})) == "unknown-checkpoint"
