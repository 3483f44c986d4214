"""What is packed can be unpacked by zlib, whoever packed it."""

from __future__ import annotations

import gzip
import sys
import zlib
from types import ModuleType

import numpy as np
import pytest

from medcam.overlay import deflate


@pytest.fixture(params=["isal.isal_zlib", "zlib"])
def packer(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module: ModuleType = pytest.importorskip(request.param)
    monkeypatch.setattr(deflate, "_packer", module)
    return module


@pytest.mark.usefixtures("packer")
@pytest.mark.parametrize("size", [0, 1, 70_000])
def test_both_streams_give_the_data_again(size: int) -> None:
    data = np.random.default_rng(1).integers(0, 9, size, dtype=np.uint8)
    assert zlib.decompress(deflate.zlib_packed(data)) == data.tobytes()
    assert gzip.decompress(deflate.gzip_packed(data.tobytes())) == data.tobytes()
    assert deflate.gzip_packed(data) == deflate.gzip_packed(data.tobytes())


@pytest.mark.usefixtures("packer")
def test_a_gzip_stream_tells_no_time_and_no_name() -> None:
    assert deflate.gzip_packed(b"film")[:8] == b"\x1f\x8b\x08" + bytes(5)


def test_by_isa_l_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    isal = pytest.importorskip("isal.isal_zlib")
    assert deflate._packer is isal
    monkeypatch.setitem(sys.modules, "isal.isal_zlib", None)
    assert deflate._quickest() is zlib
