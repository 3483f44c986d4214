"""Files without the headers they should have, in every encoding of data sets."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from medcam.dicom import (
    load_radiograph,
    part10,
)

from .builders import STORED, code_of, encoded, film, save


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("name", ["film.dcm", "film", "film.txt"])
def test_missing_meta_header(tmp_path: Path, name: str, *, implicit: bool) -> None:
    data = encoded(film(), meta=False, implicit=implicit)
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data, name)).pixels, STORED)


def test_missing_meta_header_big_endian(tmp_path: Path) -> None:
    dataset = film()
    dataset.PixelData = STORED.astype(">u2").tobytes()
    data = encoded(dataset, meta=False, little=False)
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data)).pixels, STORED)


def test_missing_preamble(tmp_path: Path) -> None:
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, encoded(film())[132:])).pixels, STORED)


def test_magic_without_meta_information(tmp_path: Path) -> None:
    data = bytes(128) + b"DICM" + encoded(film(), meta=False)
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data)).pixels, STORED)


def test_meta_information_without_transfer_syntax(tmp_path: Path) -> None:
    meta = struct.pack("<HH2sH4s", 2, 2, b"UI", 4, b"1.2\0")
    data = bytes(128) + b"DICM" + meta + encoded(film(), meta=False, implicit=True)
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data)).pixels, STORED)


def test_executable_preamble_changes_nothing(tmp_path: Path) -> None:
    data = b"MZ" + encoded(film())[2:]
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data)).pixels, STORED)


def test_deflated(tmp_path: Path) -> None:
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = deflater.compress(encoded(film(), meta=False)) + deflater.flush()
    uid = part10.DEFLATED_LITTLE.encode()
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
    data = bytes(128) + b"DICM" + meta + body
    np.testing.assert_array_equal(load_radiograph(save(tmp_path, data)).pixels, STORED)


def test_a_deflated_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part10, "_INFLATE_LIMIT", 1 << 16)
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    body = deflater.compress(bytes(1 << 18)) + deflater.flush()
    uid = part10.DEFLATED_LITTLE.encode()
    meta = struct.pack("<HH2sH", 2, 0x10, b"UI", len(uid)) + uid
    assert code_of(save(tmp_path, bytes(128) + b"DICM" + meta + body)) == "too-large"
