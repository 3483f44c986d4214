"""What became of one object that was sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydicom.filereader import read_file_meta_info

from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.quiet import quiet


class DeliveryOutcome(StrEnum):
    """How an attempt ended."""

    ACCEPTED = "accepted"
    """The peer has it, now or since an earlier attempt."""
    REFUSED = "refused"
    """The peer will not take this object, however often it is sent."""
    FAILED = "failed"
    """It is worth another attempt."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One attempt to send one object.

    Args:
        path: The file.
        sop_class_uid: Its SOP class; empty where the file cannot be read.
        sop_instance_uid: Its instance UID; empty where the file cannot be read.
        outcome: How it ended.
        code: Stable code of a refusal or failure; "" for accepted ones.
        detail: The same in words, or what a peer remarked on an accepted object. No patient data.
        retry_after_s: Seconds that the peer asks to wait before the next attempt.
    """

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    outcome: DeliveryOutcome
    code: str = ""
    detail: str = ""
    retry_after_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Parcel:
    """A file to send and what its file meta information says.

    Args:
        path: The file.
        sop_class_uid: Media Storage SOP Class UID.
        sop_instance_uid: Media Storage SOP Instance UID.
        transfer_syntax_uid: Of its data set.
    """

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str

    def accepted(self, detail: str = "") -> Delivery:
        """The peer has it."""
        return Delivery(self.path, self.sop_class_uid, self.sop_instance_uid, DeliveryOutcome.ACCEPTED, detail=detail)

    def refused(self, code: str, detail: str) -> Delivery:
        """The peer will never take it."""
        return Delivery(self.path, self.sop_class_uid, self.sop_instance_uid, DeliveryOutcome.REFUSED, code, detail)

    def failed(self, code: str, detail: str, retry_after_s: float = 0.0) -> Delivery:
        """The peer may take it another time."""
        return Delivery(
            self.path, self.sop_class_uid, self.sop_instance_uid, DeliveryOutcome.FAILED, code, detail, retry_after_s
        )


def pack(path: Path) -> Parcel | Delivery:
    """Reads the file meta information of a file; the delivery that fails where there is none."""
    unknown = Parcel(path, "", "", "")
    try:
        with quiet():
            meta = read_file_meta_info(path)
        fields = [meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID]
    except OSError as error:
        return unknown.failed(code="unreadable", detail=f"the file cannot be read ({type(error).__name__})")
    except LIBRARY_ERRORS as error:
        return unknown.refused(
            code="not-sendable", detail=f"this is no DICOM file that names itself ({type(error).__name__})"
        )
    return Parcel(path, *map(str, fields))
