"""The calling side of the tests of the node's ear, and an owner that keeps what was received."""

from __future__ import annotations

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.sop_class import (
    ComputedRadiographyImageStorage,
)

from medcam.dicom.network.commitment import (
    CommitmentReport,
    Fault,
)
from medcam.dicom.network.scp import StorageScp

CR = str(ComputedRadiographyImageStorage)


class Keeper:
    """An owner that keeps objects in memory."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.studies: dict[str, str] = {}
        self.callers: set[str] = set()
        self.events: list[str] = []
        self.error: Exception | None = None
        self.later: list[object] = []
        self.reports_itself = False

    def take(self, received):
        if self.error is not None:
            raise self.error
        self.objects[received.sop_instance_uid] = received.file_header() + bytes(received.data)
        self.studies[received.sop_instance_uid] = received.study_instance_uid
        self.callers.add(received.calling_aet)

    def commit_later(self, request):
        self.later.append(request)
        return self.reports_itself

    def commit(self, request):
        kept = tuple(one for one in request.references if one.sop_instance_uid in self.objects)
        failed = tuple((one, Fault.NO_SUCH_OBJECT) for one in request.references if one not in kept)
        return CommitmentReport(request.transaction_uid, kept, failed)

    def notice(self, event):
        self.events.append(event)


def film(number: int = 1, pixels: int = 64) -> Dataset:
    made = Dataset()
    made.SOPClassUID, made.SOPInstanceUID = CR, f"2.25.{number}"
    made.StudyInstanceUID, made.SeriesInstanceUID = "2.25.77", "2.25.78"
    made.PatientName, made.Modality = "DOE^JANE", "CR"
    item = Dataset()
    item.StudyInstanceUID = "2.25.666"
    made.ReferencedStudySequence = [item]
    made.Rows = made.Columns = 8
    made.PixelData = bytes(pixels)
    made["PixelData"].VR = "OW"
    made.file_meta = _meta()
    return made


def _meta():
    from pydicom.dataset import FileMetaDataset

    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return meta


def caller(*classes, title: str = "MODALITY", syntax=ExplicitVRLittleEndian) -> AE:
    entity = AE(ae_title=title)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 20
    for sop_class in classes or (CR,):
        entity.add_requested_context(sop_class, syntax)
    return entity


def associate(scp: StorageScp, entity: AE, called: str = "NODE", **options):
    return entity.associate("127.0.0.1", scp.port, ae_title=called, **options)


def store(scp: StorageScp, sent: Dataset, **options) -> Dataset:
    association = associate(scp, caller(**options))
    assert association.is_established
    status = association.send_c_store(sent)
    association.release()
    return status
