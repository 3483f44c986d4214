"""Objects as a modality would send them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pydicom
from pydicom.filereader import read_partial

from medcam.dicom import DxAttributes, save_dx
from medcam.dicom.network.received import ReceivedObject

EXPLICIT = "1.2.840.10008.1.2.1"
CR = "1.2.840.10008.5.1.4.1.1.1"


def an_object(instance: str = "2.25.1", study: str = "2.25.7", content: bytes = b"") -> ReceivedObject:
    """An encoded data set that holds a Study Instance UID and some bytes."""
    uid = study.encode() + b"\0" * (len(study) % 2)
    data = b"\x20\x00\x0d\x00UI" + len(uid).to_bytes(2, "little") + uid + content
    return ReceivedObject(CR, instance, EXPLICIT, memoryview(data), "MODALITY")


def film_object(folder: Path, seed: str) -> ReceivedObject:
    """A film that can be read, as a modality would send it."""
    coarse = np.random.default_rng(list(hashlib.sha256(seed.encode()).digest()[:4])).integers(500, 3500, (8, 8))
    path = folder / f"{seed}.dcm"
    folder.mkdir(exist_ok=True)
    save_dx(
        path,
        np.kron(coarse.astype(np.uint16), np.ones((8, 8), np.uint16)),
        DxAttributes(seed=seed, window=(2048, 4096)),
    )
    return object_of(path)


def object_of(path: Path) -> ReceivedObject:
    """The object in a file."""
    read = pydicom.dcmread(path, stop_before_pixels=True)
    with path.open("rb") as file:
        read_partial(file, stop_when=lambda *_: True)
        start = file.tell()
    data = path.read_bytes()[start:]
    return ReceivedObject(
        str(read.SOPClassUID), str(read.SOPInstanceUID), str(read.file_meta.TransferSyntaxUID), memoryview(data), "M"
    )
