"""Looks into compressed pixel data without decoding them: which codec, and how large an image it would unpack to."""

from __future__ import annotations

from dataclasses import dataclass

from pydicom.encaps import encapsulate, generate_fragments

from medcam.dicom.description import PixelDescription
from medcam.dicom.errors import PixelDataError, converting

_RLE = "1.2.840.10008.1.2.5"
_JPEG_2000 = "1.2.840.10008.1.2.4.91"
_JPEG_START, _JPEG_END = b"\xff\xd8", b"\xff\xd9"
_J2K_START = b"\xff\x4f\xff\x51"
_J2K_BOXES = 4096
_JPEG_SYNTAXES = {
    0xC0: "1.2.840.10008.1.2.4.50",
    0xC1: "1.2.840.10008.1.2.4.51",
    0xC3: "1.2.840.10008.1.2.4.57",
    0xF7: "1.2.840.10008.1.2.4.81",
}
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC} | {0xF7}
"""Start-of-frame markers of ISO 10918-1 table B.1, and of JPEG-LS (ISO 14495-1)."""


_SEQUENTIAL = frozenset((0xC0, 0xC1))
_SCAN = 0xDA
_WHOLE_SCAN = bytes((0, 63, 0))
"""Ss, Se, Ah and Al of the only scan that a sequential frame may have (ISO 10918-1 table B.3)."""


@dataclass(frozen=True, slots=True)
class JpegFrame:
    """What the frame header of a JPEG stream says (ISO 10918-1 B.2.2).

    Args:
        marker: Second byte of its start-of-frame marker.
        precision: Bits per sample.
        rows: Lines; 0 where they are told after the scan.
        columns: Samples per line.
    """

    marker: int
    precision: int
    rows: int
    columns: int


def sniff(data: bytes) -> str:
    """Transfer syntax UID of encapsulated data by the first bytes of their first frame.

    Raises:
        PixelDataError: No known codec, code `unsupported-transfer-syntax`.
    """
    first = next(iter(_fragments(data)), b"")
    if first[:4] == _J2K_START or first[4:8] == b"jP  ":
        return _JPEG_2000
    frame = _jpeg_frame(first)
    if frame is not None and first[frame] in _JPEG_SYNTAXES:
        return _JPEG_SYNTAXES[first[frame]]
    if 1 <= int.from_bytes(first[:4], "little") <= 15 and int.from_bytes(first[4:8], "little") == 64:
        return _RLE
    raise PixelDataError("the pixel data are compressed with an unknown codec", code="unsupported-transfer-syntax")


def check_codestream(data: bytes, description: PixelDescription) -> None:
    """Refuses compressed data whose own header contradicts Rows and Columns, and JPEG streams without an end.

    A codec allocates what the codestream asks for, so a few changed bytes could ask for the whole memory; and a
    tolerant one fills what is missing with grey.

    Raises:
        PixelDataError: Codes `undecodable` and `truncated-pixel-data`.
    """
    stream = b"".join(_fragments(data))
    size = _codestream_size(stream)
    if size is not None and size != (description.rows, description.columns):
        raise PixelDataError("the compressed image has another size than Rows and Columns say")
    # Byte stuffing keeps the end marker out of coded data, so it can only be the end.
    if stream[:2] == _JPEG_START and _JPEG_END not in stream:
        raise PixelDataError("the compressed image has no end marker", code="truncated-pixel-data")
    # Without a scan there is no image: tolerant codecs deliver one of zeros.
    if stream[:2] == _JPEG_START and _marker(stream, frozenset((_SCAN,))) is None:
        raise PixelDataError("the compressed image holds no coded data")


def jpeg_frame(data: bytes) -> tuple[bytes, JpegFrame] | None:
    """The JPEG stream in encapsulated data and its frame header; None where there is another codec's, or none.

    Raises:
        PixelDataError: The items are damaged (`undecodable`).
    """
    stream = b"".join(_fragments(data))
    at = _jpeg_frame(stream)
    if at is None:
        return None
    rows, columns = _big(stream, at + 4, 2), _big(stream, at + 6, 2)
    return stream, JpegFrame(stream[at], stream[at + 3], rows, columns)


def with_whole_scan(data: bytes) -> bytes:
    """Encapsulated data whose sequential JPEG scan header says what only it can say.

    Some encoders write 0 for the end of the spectral selection (Se), which is 63 in every sequential frame. Decoders
    that take the header at its word refuse such files.

    Raises:
        PixelDataError: The items are damaged (`undecodable`).
    """
    found = jpeg_frame(data)
    if found is None or found[1].marker not in _SEQUENTIAL:
        return data
    stream = found[0]
    scan = _marker(stream, frozenset((_SCAN,)))
    if scan is None:
        return data
    end = scan + 1 + _big(stream, scan + 1, 2)
    if stream[end - 3 : end] == _WHOLE_SCAN or len(stream) < end:
        return data
    return encapsulate([stream[: end - 3] + _WHOLE_SCAN + stream[end:]])


def _fragments(data: bytes) -> list[bytes]:
    """The fragments of one frame, without the Basic Offset Table before them."""
    with converting("the encapsulated pixel data are damaged", PixelDataError):
        return list(generate_fragments(data))[1:]


def _codestream_size(stream: bytes) -> tuple[int, int] | None:
    """Rows and columns of a JPEG, JPEG-LS or JPEG 2000 stream; None where it does not say."""
    start = stream[:_J2K_BOXES].find(_J2K_START)
    if start >= 0:  # SIZ: length, capabilities, Xsiz, Ysiz, XOsiz, YOsiz (ISO 15444-1 A.5.1)
        right, bottom, left, top = (_big(stream, start + 8 + 4 * index, 4) for index in range(4))
        return bottom - top, right - left
    frame = _jpeg_frame(stream)
    if frame is None or (rows := _big(stream, frame + 4, 2)) == 0:  # 0 rows: told after the scan
        return None
    return rows, _big(stream, frame + 6, 2)


def _jpeg_frame(stream: bytes) -> int | None:
    """Position of the second byte of the start-of-frame marker of a JPEG or JPEG-LS stream."""
    return _marker(stream, _JPEG_FRAMES)


def _marker(stream: bytes, wanted: frozenset[int]) -> int | None:
    """Position of the second byte of the first such marker before the coded data."""
    if stream[:2] != _JPEG_START:
        return None
    position = 2
    while position + 4 <= len(stream) and stream[position] == 0xFF:
        marker = stream[position + 1]
        if marker in wanted:
            return position + 1
        if marker == _SCAN:
            return None
        position += 1 if marker == 0xFF else 2 + _big(stream, position + 2, 2)
    return None


def _big(data: bytes, position: int, count: int) -> int:
    return int.from_bytes(data[position : position + count], "big")
