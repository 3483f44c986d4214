"""Identifiers planted in every place where they can hide: none may be left, in any encoding, for any option."""

from __future__ import annotations

import io
import zlib
from itertools import product

import numpy as np
import pytest
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.sequence import Sequence
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from medcam.core.errors import InputError
from medcam.dicom.deidentify import Profile

from ..builders import STORED, encoded, film, frame, image, table, with_codec
from .planting import Tokens, attributes, element, nested, parsed, plant_everywhere, through, written

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom says that what is planted is not valid
PROFILES = [Profile(*flags) for flags in product((False, True), repeat=3)]
SEEDS = (3, 8)
EVERY_VR = (
    *("PN", "LO", "SH", "LT", "ST", "UT", "UC", "AE", "UR", "CS", "AS", "DA", "TM", "DT", "DS", "IS"),
    *("US", "SS", "UL", "SL", "FL", "FD", "UI", "AT", "US or SS"),
)
DEEP = {
    "cleaned": ("AnatomicRegionSequence", "ReferencedImageSequence", "SourceImageSequence", "ViewCodeSequence"),
    "dropped": ("RequestAttributesSequence", "OriginalAttributesSequence", "IconImageSequence"),
    "mixed": ("SourceImageSequence", "PurposeOfReferenceCodeSequence", "RequestAttributesSequence"),
}


@pytest.mark.parametrize("profile", PROFILES, ids=str)
def test_every_text_and_byte_attribute_of_the_dictionary(profile: Profile) -> None:
    tokens, dataset = Tokens(1), film(BurnedInAnnotation="NO")
    plant_everywhere(dataset, tokens)
    assert len(tokens.places) > 1500
    assert tokens.left_in(written(dataset)) == set(tokens.places.values())
    assert tokens.left_in(through(written(dataset), profile)) == set()


@pytest.mark.parametrize("vr", ["LO", "UN", "OB", "UT", "PN", "SH"])
def test_every_attribute_under_another_vr(vr: str) -> None:
    """Numbers, dates, times, UIDs and codes too: what the file says about the kind of a value is not believed."""
    tokens = Tokens(2)
    pieces = {int(element.tag): encoded(Dataset({element.tag: element}), meta=False) for element in film()}
    whole = written(film())
    head = whole[: len(whole) - sum(map(len, pieces.values()))]
    for tag, _, keyword in attributes(*EVERY_VR):
        pieces[tag] = element(tag >> 16, tag & 0xFFFF, vr.encode(), tokens.new(keyword).encode())
    del pieces[0x00080018]
    data = head + b"".join(pieces[tag] for tag in sorted(pieces))
    assert tokens.left_in(data)
    assert tokens.left_in(through(data, Profile(False, True, True))) == set()


@pytest.mark.parametrize("path", DEEP.values(), ids=DEEP)
@pytest.mark.parametrize("depth", [1, 5, 20])
def test_every_text_attribute_deep_in_sequences(path: tuple[str, ...], depth: int) -> None:
    tokens, inner = Tokens(3), Dataset()
    plant_everywhere(inner, tokens)
    chain = (path * depth)[: max(depth, len(path))]
    dataset = film(BurnedInAnnotation="NO")
    dataset.update(nested(inner, *chain))
    assert tokens.left_in(through(written(dataset), Profile(False, True, True))) == set()


def test_in_every_sequence_of_the_dictionary() -> None:
    tokens, dataset = Tokens(4), film(BurnedInAnnotation="NO")
    for tag, _, keyword in attributes("SQ"):
        item = Dataset()
        item.PatientComments = item.CodeMeaning = item.CodeValue = item.TextValue = tokens.new(keyword)
        item.PersonName, item.ReferencedSOPInstanceUID = f"{tokens.new(keyword)}^A", "1.2.3.4"
        item.add_new(0x00111001, "LO", tokens.new(f"private in {keyword}"))
        dataset.add_new(tag, "SQ", [item])
    assert tokens.left_in(through(written(dataset), Profile(False, True, True))) == set()


@pytest.mark.parametrize("seed", SEEDS)
def test_private_overlay_curve_and_padding_elements(seed: int) -> None:
    tokens, dataset = Tokens(seed), film(BurnedInAnnotation="NO")
    for group in (0x0009, 0x0011, 0x0029, 0x7053, 0xFFFF - 0x10):
        block = dataset.private_block(group | 1, tokens.new("private creator"), create=True)
        block.add_new(1, "LO", tokens.new("private text"))
        block.add_new(2, "OB", tokens.new("private bytes").encode("utf-16-le"))
        item = Dataset()
        item.PatientName = f"{tokens.new('name in a private sequence')}^X"
        block.add_new(3, "SQ", [item])
    for group in (0x6000, 0x6002, 0x601E, 0x5000, 0x5002, 0x501E):
        for number, vr in (
            (0x0022, "LO"),
            (0x1500, "LO"),
            (0x0045, "CS"),
            (0x3000, "OW"),
            (0x4000, "LT"),
            (0x2200, "SH"),
        ):
            value = tokens.new(f"({group:04X},{number:04X})")
            dataset.add_new((group, number), vr, value.encode() if vr == "OW" else value)
    dataset.add_new(0xFFFCFFFC, "OB", tokens.new("padding").encode())
    data = written(dataset)
    assert tokens.left_in(data)
    result = parsed(through(data))
    assert tokens.left_in(through(data)) == set()
    assert not [tag for tag in result.keys() if tag.is_private or 0x5000 <= tag.group <= 0x60FF]  # noqa: SIM118


def test_preamble_file_meta_information_and_bytes_behind_the_data_set() -> None:
    tokens, dataset = Tokens(5), film(BurnedInAnnotation="NO")
    meta = dataset.file_meta
    for keyword in ("SourceApplicationEntityTitle", "SendingApplicationEntityTitle", "ImplementationVersionName"):
        setattr(meta, keyword, tokens.new(keyword))
    meta.PrivateInformationCreatorUID, meta.PrivateInformation = UID("1.2.3.99"), tokens.new("private").encode()
    data = written(dataset)
    data = tokens.new("preamble").encode() + data[8:]
    for behind in (element(0xFFFC, 0xFFFC, b"OB", tokens.new("trailing padding").encode() * 5), b""):
        result = through(data + behind)
        assert tokens.left_in(result) == set()
        assert result[:128] == bytes(128)
        assert "1.2.3.99" not in str(parsed(result).file_meta)


def test_bytes_behind_the_pixels_stray_bits_and_padding_ranges() -> None:
    tokens = Tokens(6)
    hidden = tokens.new("bits above Bits Stored")
    stored = STORED.copy()
    for place, character in enumerate(hidden.encode()):
        stored[7, 2 * place] |= (character >> 4) << 12
        stored[7, 2 * place + 1] |= (character & 15) << 12
    dataset = image(stored, bits=12, BurnedInAnnotation="NO")
    dataset.PixelData += tokens.new("behind the last pixel").encode()
    data = written(dataset)
    assert tokens.left_in(data) == {"behind the last pixel"}
    result = through(data)
    pixels = np.frombuffer(parsed(result).PixelData, "<u2").reshape(STORED.shape)
    assert tokens.left_in(result) == set()
    assert np.array_equal(pixels, STORED)
    faint = np.where(STORED < 40, 5, STORED).astype(np.uint16)
    faint[3, 3:9] = (1, 2, 3, 1, 2, 3)  # a pattern that padding hides from every viewer
    shown = parsed(
        through(written(image(faint, bits=12, BurnedInAnnotation="NO", PixelPaddingValue=0, PixelPaddingRangeLimit=5)))
    )
    assert set(np.frombuffer(shown.PixelData, "<u2")[np.ravel(faint) <= 5]) == {0}
    assert "PixelPaddingRangeLimit" not in shown


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5"])
def test_segments_of_a_codestream(syntax: str) -> None:
    tokens, dataset = Tokens(7), film(BurnedInAnnotation="NO")
    stream = frame(syntax, STORED, 12)
    note = tokens.new("comment").encode()
    if syntax.endswith(".80"):
        stream = stream[:2] + segment(0xFE, note) + segment(0xE1, b"Exif\0\0" + note) + stream[2:] + note
    elif syntax.endswith(".90"):
        first = 4 + int.from_bytes(stream[4:6], "big")  # behind SIZ
        stream = stream[:first] + segment(0x64, b"\0\1" + note) + stream[first:] + note
    else:
        stream += note * 2
    data = written(with_codec(dataset, syntax, stream + b"\0" * (len(stream) % 2)))
    assert tokens.left_in(data) == {"comment"}
    result = through(data)
    assert tokens.left_in(result) == set()
    assert np.array_equal(parsed(result).pixel_array, STORED)


def test_comments_of_baseline_and_lossless_jpeg() -> None:
    import cv2

    tokens, grey = Tokens(8), (STORED % 256).astype(np.uint8)
    stream = cv2.imencode(".jpg", grey)[1].tobytes()
    note = tokens.new("comment").encode()
    stream = stream[:2] + segment(0xFE, note) + segment(0xE1, b"Exif\0\0" + note) + segment(0xED, note) + stream[2:]
    dataset = image(grey, BurnedInAnnotation="NO")
    data = written(with_codec(dataset, "1.2.840.10008.1.2.4.50", stream + b"\0" * (len(stream) % 2)))
    assert tokens.left_in(data) == {"comment"}
    result = through(data)
    assert tokens.left_in(result) == set()
    assert parsed(result).LossyImageCompression == "01"


def segment(marker: int, content: bytes) -> bytes:
    return bytes((0xFF, marker)) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_other_encodings_of_the_data_set(syntax: str) -> None:
    tokens, dataset = Tokens(9), film(BurnedInAnnotation="NO")
    for tag, vr, keyword in attributes("LO", "PN", "LT", "UT"):
        dataset.add_new(tag, vr, tokens.new(keyword))
    implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
    if not little:
        dataset.PixelData = STORED.astype(">u2").tobytes()
    bare = encoded(dataset, meta=False, implicit=implicit, little=little)
    body = zlib.compressobj(wbits=-15)
    content = body.compress(bare) + body.flush() if syntax == DeflatedExplicitVRLittleEndian else bare
    dataset.file_meta.TransferSyntaxUID = UID(syntax)
    head = io.BytesIO()
    from pydicom.filewriter import write_file_meta_info

    write_file_meta_info(head, dataset.file_meta, enforce_standard=False)
    result = through(bytes(128) + b"DICM" + head.getvalue() + content)
    assert tokens.left_in(result) == set()
    assert np.array_equal(np.frombuffer(parsed(result).PixelData, "<u2").reshape(STORED.shape), STORED)


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192", "ISO_IR 144", "GB18030", "no such set", ""])
def test_names_in_any_character_set(charset: str) -> None:
    dataset = film(BurnedInAnnotation="NO", SpecificCharacterSet=charset) if charset else film(BurnedInAnnotation="NO")
    names = {"GB18030": "张伟民", "ISO_IR 144": "Люкceмбypг"}
    name = names.get(charset, "Müllerström")
    codec = {"ISO_IR 100": "latin-1", "ISO_IR 144": "iso8859_5", "GB18030": "gb18030"}.get(charset, "utf-8")
    raw = name.encode(codec)
    for tag in (0x00100010, 0x00081030, 0x00204000, 0x00081070):
        dataset.add(DataElement(tag, "UN", raw))
    result = through(written(dataset))
    assert raw not in result
    assert name.encode() not in result


def test_uids_that_embed_a_patient_and_dates_in_texts() -> None:
    tokens, dataset = Tokens(), film(BurnedInAnnotation="NO", PatientID="77123456")
    for tag, _, _ in attributes("UI"):
        dataset.add_new(tag, "UI", f"1.2.826.77123456.{tag}")
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.826.77123456.5", "1.2.826.77123456.6"
    dataset.ReferencedImageSequence = Sequence([item])
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("1.2.826.77123456.7")
    dataset.StudyComments = "seen on 20190704 by 77123456"
    dataset.SOPClassUID = "1.2.840.10008.5.1.4.1.1.1"
    for tag, vr, _ in attributes("DA", "DT", "TM"):
        dataset.add_new(tag, vr, {"DA": "20190704", "DT": "20190704101112", "TM": "101112"}[vr])
    for profile in PROFILES:
        result = through(written(dataset), profile)
        assert b"77123456" not in result
        assert b"20190704" not in result
        assert b"1.2.826" not in result
        assert profile.retain_longitudinal or b"101112" not in result
    assert tokens.places == {}


def test_a_lookup_table_keeps_its_entries_and_nothing_behind_them() -> None:
    tokens = Tokens(11)
    item = table(range(0, 4096, 16), first=0, bits=12, data_vr="OW")
    item.LUTData += tokens.new("behind the table").encode()
    item.LUTExplanation = tokens.new("LUT Explanation")
    dataset = film(BurnedInAnnotation="NO", VOILUTSequence=Sequence([item]))
    result = through(written(dataset))
    assert tokens.left_in(result) == set()
    kept = parsed(result).VOILUTSequence[0]
    assert list(kept.LUTDescriptor) == [256, 0, 12]
    assert kept.LUTData == np.arange(0, 4096, 16, dtype="<u2").tobytes()


def test_an_offset_table_of_text_is_refused_or_goes() -> None:
    tokens, stream = Tokens(12), frame("1.2.840.10008.1.2.4.80", STORED, 12)
    dataset = with_codec(film(BurnedInAnnotation="NO"), "1.2.840.10008.1.2.4.80", stream)
    note = tokens.new("offset table").encode()
    plain = encapsulate([stream], has_bot=False)
    dataset.PixelData = plain[:4] + len(note).to_bytes(4, "little") + note + plain[8:]
    dataset["PixelData"].is_undefined_length = True
    assert tokens.left_in(written(dataset)) == {"offset table"}
    with pytest.raises(InputError) as caught:
        through(written(dataset))
    assert caught.value.code == "undecodable"
