"""An object that a peer sent, as it was sent, and the file that it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pydicom.dataset import FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import UID

from medcam.dicom.network.elements import walk
from medcam.dicom.uids import derived_uid

_STUDY_INSTANCE_UID = 0x0020000D
_UID = re.compile(r"[0-9.]{1,64}")
IMPLEMENTATION_CLASS_UID = derived_uid("medcam", "implementation")
IMPLEMENTATION_VERSION = "MEDCAM"


def is_usable_uid(text: str) -> bool:
    """Whether a text has a UID's characters and length. Equipment sends UIDs with leading zeros, which are kept."""
    return _UID.fullmatch(text) is not None


@dataclass(frozen=True, eq=False)
class ReceivedObject:
    """An object that arrived by C-STORE.

    Args:
        sop_class_uid: As the request names it.
        sop_instance_uid: As the request names it.
        transfer_syntax_uid: Of the data set.
        data: The encoded data set, byte for byte as sent. Valid during the request.
        calling_aet: Who sent it.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    data: memoryview = field(repr=False)
    calling_aet: str = ""

    @property
    def study_instance_uid(self) -> str:
        """Which study it says it belongs to; "" where it does not say, or cannot be walked that far."""
        for element in walk(self.data, self.transfer_syntax_uid):
            if element.depth == 0 and element.tag >= _STUDY_INSTANCE_UID:
                found = element.text if element.tag == _STUDY_INSTANCE_UID else ""
                return found if is_usable_uid(found) else ""
        return ""

    def file_header(self) -> bytes:
        """What stands before the data set in a Part 10 file: blank preamble, DICM, file meta information (PS3.10 7.1).

        It depends on the object alone, so that the same object makes the same file whoever sends it and when.
        """
        meta = FileMetaDataset()
        meta.FileMetaInformationVersion = b"\x00\x01"
        meta.MediaStorageSOPClassUID = UID(self.sop_class_uid)
        meta.MediaStorageSOPInstanceUID = UID(self.sop_instance_uid)
        meta.TransferSyntaxUID = UID(self.transfer_syntax_uid)
        meta.ImplementationClassUID = UID(IMPLEMENTATION_CLASS_UID)
        meta.ImplementationVersionName = IMPLEMENTATION_VERSION
        header = DicomBytesIO()
        write_file_meta_info(header, meta, enforce_standard=True)
        return bytes(128) + b"DICM" + header.getvalue()
