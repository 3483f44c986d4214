"""Ways to damage a DICOM file, each aimed at something that readers trust."""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Callable

from .elements import LONG, SHORT, UNDEFINED, Element, elements_of

SYNTAXES = (
    "1.2.840.10008.1.2",
    "1.2.840.10008.1.2.1",
    "1.2.840.10008.1.2.1.99",
    "1.2.840.10008.1.2.2",
    "1.2.840.10008.1.2.4.50",
    "1.2.840.10008.1.2.4.51",
    "1.2.840.10008.1.2.4.57",
    "1.2.840.10008.1.2.4.70",
    "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.5",
    "1.2.3.4",
    "../../..",
)
PIXEL_DATA = 0x7FE00010
LIES = {
    0x00280002: "samples",
    0x00280006: "planar",
    0x00280008: "frames",
    0x00280010: "rows",
    0x00280011: "columns",
    0x00280100: "bits allocated",
    0x00280101: "bits stored",
    0x00280102: "high bit",
    0x00280103: "sign",
    0x00280120: "padding",
    0x00281050: "center",
    0x00281051: "width",
    0x00281052: "intercept",
    0x00281053: "slope",
    0x00283002: "LUT descriptor",
}
_NUMBERS = (0, 1, 2, 3, 7, 8, 12, 16, 17, 32, 64, 255, 4096, 32767, 32768, 65535)
_LONGEST_LIE = 64
_TEXTS = (
    b"1e308",
    b"-1e308",
    b"nan",
    b"inf",
    b"0",
    b"-0.0",
    b"1e-320",
    b"99999999999999999999",
    b"\xff\xfe",
    b"1\\2\\3",
)
_CHARSETS = (b"ISO 2022 IR 87", b"ISO_IR 999", b"\\\\\\", b"GB18030", b"utf_16", b"ISO 2022 IR 149\\x", b"zip", b"idna")

Mutation = Callable[[bytes, list[Element], random.Random], bytes]


def _spliced(data: bytes, start: int, end: int, new: bytes) -> bytes:
    return data[:start] + new + data[end:]


def flip_length(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    element = rng.choice(elements)
    limit = 0xFFFF if element.size_kind.endswith("H") else UNDEFINED
    old = max(element.end - element.value, 0)
    new = rng.choice((0, 1, old + 1, old - 1, old + 2, old * 2, limit, limit - 1, limit // 2, rng.randrange(limit)))
    packed = struct.pack(element.size_kind, new % (limit + 1))
    return _spliced(data, element.size_at, element.size_at + len(packed), packed)


def flip_vr(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    element = rng.choice(elements)
    vr = rng.choice((*sorted(LONG | SHORT), b"??", b"\0\0", b"ZZ"))
    return _spliced(data, element.start + 4, element.start + 6, vr)


def rename_tag(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    element = rng.choice(elements)
    tag = rng.choice([*LIES, PIXEL_DATA, 0x00080005, 0x7FE00008, 0xFFFEE0DD, 0xFFFEE000, rng.randrange(1 << 32)])
    order = element.size_kind[0]
    return _spliced(data, element.start, element.start + 4, struct.pack(f"{order}HH", tag >> 16, tag & 0xFFFF))


def other_syntax(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    found = [element for element in elements if element.tag == 0x00020010]
    if not found:
        return flip_vr(data, elements, rng)
    uid = rng.choice(SYNTAXES).encode()
    uid += b"\0" * (len(uid) % 2)
    return _spliced(data, found[0].size_at, found[0].end, struct.pack("<H", len(uid)) + uid)


def cut(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    element = rng.choice(elements)
    place = rng.choice((element.start, element.size_at, element.value, min(element.end, len(data)), len(data) - 1))
    return data[: place + rng.choice((0, 0, 1, -1))]


def lie(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    found = [element for element in elements if element.tag in LIES and element.end > element.value]
    if not found:
        return flip_length(data, elements, rng)
    element = rng.choice(found)
    length = min(element.end, len(data), element.value + _LONGEST_LIE) - element.value
    if length <= 0:
        return flip_length(data, elements, rng)
    if element.vr in (b"DS", b"IS", b"CS"):
        new = rng.choice((*_TEXTS, str(rng.choice(_NUMBERS)).encode()))[:length].ljust(length)
    else:
        numbers = [rng.choice(_NUMBERS) for _ in range(length // 2)]
        new = struct.pack(f"{element.size_kind[0]}{len(numbers)}H", *numbers).ljust(length, b"\0")
    return _spliced(data, element.value, element.value + length, new)


def charset(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    name = rng.choice(_CHARSETS)
    name += b" " * (len(name) % 2)
    element = struct.pack("<HH2sH", 8, 5, b"CS", len(name)) + name
    found = [one for one in elements if one.tag == 0x00080005] or [one for one in elements if one.tag >> 16 == 8]
    return (
        _spliced(data, found[0].start, found[0].end if found[0].tag == 0x00080005 else found[0].start, element)
        if found
        else data
    )


def duplicate(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    element = rng.choice(elements)
    piece = data[element.start : min(element.end, element.start + 4096)]
    return _spliced(data, element.start, element.start, piece * rng.choice((1, 2, 50)))


def swap(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    first, second = (
        sorted(rng.sample(elements, 2), key=lambda one: one.start) if len(elements) > 1 else (elements[0],) * 2
    )
    if first.end > second.start:
        return data[: first.start] + data[second.start :]
    pieces = (data[second.start : second.end], data[first.end : second.start], data[first.start : first.end])
    return _spliced(data, first.start, second.end, b"".join(pieces))


def nest(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    depth = rng.choice((3, 31, 33, 200, 1000, 3000))
    opening = b"\x40\x00\x30\xa7SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    closing = b"\xfe\xff\x0d\xe0\0\0\0\0\xfe\xff\xdd\xe0\0\0\0\0"
    place = rng.choice(elements).start
    return _spliced(data, place, place, opening * depth + closing * rng.choice((0, depth // 2, depth)))


def nest_with_lengths(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    inner = b""
    for _ in range(rng.choice((5, 31, 40, 500))):
        item = struct.pack("<HHL", 0xFFFE, 0xE000, len(inner)) + inner
        inner = struct.pack("<HH2sHL", 0x0028, 0x3010, b"SQ", 0, len(item)) + item
    place = rng.choice(elements).start
    return _spliced(data, place, place, inner)


def widen(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    item = struct.pack("<HHL", 0xFFFE, 0xE000, 0)
    body = item * rng.choice((10, 1000, 100_000))
    place = rng.choice(elements).start
    return _spliced(data, place, place, struct.pack("<HH2sHL", 0x0028, 0x3010, b"SQ", 0, len(body)) + body)


def swap_bytes(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    first = next((element.start for element in elements if element.tag >> 16 > 2), 0)
    rest = bytearray(data[first : first + len(data[first:]) // 2 * 2])
    rest[::2], rest[1::2] = rest[1::2], rest[::2]
    return data[:first] + bytes(rest)


def deflate(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    first = next((element.start for element in elements if element.tag >> 16 > 2), 0)
    data = other_syntax(data, elements, random.Random(2)) if rng.random() < 0.1 else data
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    extra = bytes(rng.choice((0, 1 << 20, 80 << 20)))
    packed = packer.compress(data[first:] + extra) + packer.flush()
    head = data[:first].replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.1.99", 1)
    return head + packed[: rng.choice((len(packed), len(packed) // 2))]


def break_fragments(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    found = [element for element in elements if element.tag == 0xFFFEE000 and element.start > len(data) // 4]
    if not found:
        return flip_bits(data, elements, rng)
    element = rng.choice(found)
    kind = rng.randrange(4)
    if kind == 0:
        return _spliced(
            data, element.size_at, element.value, struct.pack("<L", rng.choice((0, 1, 3, UNDEFINED, 1 << 31)))
        )
    if kind == 1:
        return _spliced(data, element.start, element.value, b"")
    if kind == 2:
        return data.replace(b"\xfe\xff\xdd\xe0\0\0\0\0", b"", 1)
    return _spliced(data, element.value, element.value + 64, bytes(rng.randrange(256) for _ in range(64)))


def flip_bits(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    changed = bytearray(data)
    start = next((element.value for element in elements if element.tag == PIXEL_DATA), 0)
    # Half of them close behind the start of the pixels, where codecs keep their headers.
    end = min(len(data), start + 200) if rng.random() < 0.5 else len(data)
    for _ in range(rng.choice((1, 4, 30))):
        changed[rng.randrange(min(start, end - 1), end)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def flip_header_bytes(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    changed = bytearray(data)
    end = next((element.value for element in elements if element.tag == PIXEL_DATA), len(data))
    for _ in range(rng.choice((1, 3, 10))):
        changed[rng.randrange(min(end, len(data)))] = rng.randrange(256)
    return bytes(changed)


def fill_pixels(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    """Runs without end, markers without content."""
    start = next((element.value for element in elements if element.tag == PIXEL_DATA), len(data) // 2)
    fill = rng.choice((b"\x81\x00", b"\xff\xd8", b"\xff\x4f", b"\x00", b"\xff", b"\xff\xc0\xff\xff"))
    length = min(len(data) - start, 1 << 16)
    place = min(len(data), start + rng.choice((0, 16, 80, 200)))
    return _spliced(data, place, place + length, (fill * (length // len(fill) + 1))[:length])


def executable_preamble(data: bytes, elements: list[Element], rng: random.Random) -> bytes:
    return b"MZ" + bytes(rng.randrange(256) for _ in range(126)) + data[128:]


MUTATIONS: tuple[Mutation, ...] = (
    flip_length, flip_vr, rename_tag, other_syntax, cut, lie, charset, duplicate, swap, nest, nest_with_lengths, widen,
    swap_bytes, deflate, break_fragments, flip_bits, flip_header_bytes, fill_pixels, executable_preamble,
)  # fmt: skip


def mutated(data: bytes, rng: random.Random) -> tuple[str, bytes]:
    """Damages a file in one to three ways, and names them."""
    names = []
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        elements = elements_of(data)
        if not elements:
            break
        mutation = rng.choice(MUTATIONS)
        data = mutation(data, elements, rng)
        names.append(mutation.__name__)
    return "+".join(names), data
