"""Which transfer syntax the pixel data really have, where the file's own word is missing or wrong."""

from __future__ import annotations

from pydicom.uid import UID

from medcam.dicom.codestream import sniff
from medcam.dicom.description import PixelDescription
from medcam.dicom.errors import PixelDataError
from medcam.dicom.header import Header
from medcam.dicom.part10 import EXPLICIT_BIG, EXPLICIT_LITTLE


def transfer_syntax_of(header: Header, description: PixelDescription, data: bytes) -> UID:
    """Transfer syntax to decode with.

    Pixel data of undefined length are encapsulated, others are native, whatever the file says (PS3.5 A.4); where the
    two disagree the codec is found out from the first bytes, with a warning.

    Raises:
        PixelDataError: Encapsulated data of no known codec, code `unsupported-transfer-syntax`.
    """
    dataset = header.dataset
    meta = getattr(dataset, "file_meta", None)
    named = UID("" if meta is None else Header(meta, header.warnings).text("TransferSyntaxUID"))
    if named and not named.is_transfer_syntax:
        raise unsupported(named)
    is_codec = bool(named) and named.is_encapsulated
    # Data sets made in memory rarely carry the flag; encapsulated pixel data begin with an item.
    if dataset["PixelData"].is_undefined_length or (is_codec and data[:4] == b"\xfe\xff\x00\xe0"):
        if is_codec:
            return named
        header.warn("the transfer syntax does not match the pixel data: the codec was found out from them")
        return UID(sniff(data))
    if is_codec:
        if len(data) < description.frame_bytes:
            return named
        header.warn("the transfer syntax names a codec, the pixel data are not compressed")
        return UID(EXPLICIT_LITTLE)
    is_big = named == EXPLICIT_BIG or (not named and dataset.original_encoding[1] is False)
    return UID(EXPLICIT_BIG if is_big else EXPLICIT_LITTLE)


def unsupported(syntax: UID) -> PixelDataError:
    """The error for pixel data that no codec here decodes. A UID that the standard does not know is not quoted."""
    known = syntax.name if syntax.type == "Transfer Syntax" else "that the file names, which is unknown"
    return PixelDataError(
        f"no codec here decodes the transfer syntax {known}",
        code="unsupported-transfer-syntax",
        next_step="Convert the file to an uncompressed transfer syntax, for example with dcmconv or gdcmconv.",
    )
