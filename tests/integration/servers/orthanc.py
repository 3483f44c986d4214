"""Orthanc with its DICOMweb plugin.

Debian's Orthanc 1.10 binds every interface whatever it is told, so it answers known hosts and AE titles alone, and asks
for a password that is drawn anew for each start.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from .processes import free_port, running

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
AE_TITLE = "ORTHANC"
KNOWN_CALLERS = ("MEDCAM", "STORESCU", "MOVESCU", "FINDSCU", "ECHOSCU")
"""AE titles that may call from this computer; `add_modality` adds others."""


@dataclass(frozen=True)
class Orthanc:
    """A running server.

    Args:
        http_port: Of REST and DICOMweb.
        dicom_port: Of DIMSE.
        password: Of its only user, `test`.
    """

    http_port: int
    dicom_port: int
    password: str

    @property
    def web(self) -> str:
        """The DICOMweb service, as SOURCE and as --send-to."""
        return f"dicomweb://127.0.0.1:{self.http_port}/dicom-web"

    @property
    def dimse(self) -> str:
        """The application entity, as --send-to."""
        return f"{AE_TITLE}@127.0.0.1:{self.dicom_port}"

    @property
    def authorization(self) -> str:
        """Value of the Authorization header."""
        return "Basic " + base64.b64encode(f"test:{self.password}".encode()).decode()

    def rest(self, method: str, path: str, body: Any = None) -> requests.Response:
        """A call of Orthanc's own API; raises for errors."""
        answer = requests.request(
            method,
            f"http://127.0.0.1:{self.http_port}{path}",
            headers={"Authorization": self.authorization},
            data=body if isinstance(body, bytes) else json.dumps(body) if body is not None else None,
            timeout=60,
        )
        answer.raise_for_status()
        return answer

    def add_modality(self, ae_title: str, port: int) -> None:
        """Lets an application entity of this computer call, and be the target of C-MOVE."""
        self.rest("PUT", f"/modalities/{ae_title}", {"AET": ae_title, "Host": "127.0.0.1", "Port": port})

    def upload(self, path: Path) -> None:
        """Stores a file."""
        self.rest("POST", "/instances", path.read_bytes())

    def instances(self, study_instance_uid: str = "") -> dict[str, str]:
        """Orthanc's ids of all instances, or of those of one study, by SOP Instance UID."""
        query = {"StudyInstanceUID": study_instance_uid} if study_instance_uid else {}
        found = self.rest("POST", "/tools/find", {"Level": "Instance", "Query": query, "Expand": True}).json()
        return {item["MainDicomTags"]["SOPInstanceUID"]: item["ID"] for item in found}

    def file(self, sop_instance_uid: str) -> bytes:
        """The bytes of an instance as they are kept."""
        return self.rest("GET", f"/instances/{self.instances()[sop_instance_uid]}/file").content

    def clear(self) -> None:
        """Deletes everything."""
        for patient in self.rest("GET", "/patients").json():
            self.rest("DELETE", f"/patients/{patient}")


@contextmanager
def running_orthanc(program: str, folder: Path) -> Iterator[Orthanc]:
    """Runs Orthanc until the block is left.

    Args:
        program: Its path.
        folder: Takes configuration, database and log.
    """
    server = Orthanc(free_port(), free_port(), secrets.token_hex(16))
    modalities = {title: {"AET": title, "Host": "127.0.0.1", "Port": 1} for title in KNOWN_CALLERS}
    configuration = {
        "Name": "test",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(PLUGIN)],
        "HttpPort": server.http_port,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": {"test": server.password},
        "DicomAet": AE_TITLE,
        "DicomPort": server.dicom_port,
        "DicomCheckCalledAet": True,
        "DicomCheckModalityHost": True,
        "DicomAlwaysAllowEcho": False,
        "DicomAlwaysAllowStore": False,
        "DicomModalities": modalities,
        "StableAge": 1,
        "SyncStorageArea": False,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "EnableWado": False},
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration), encoding="utf-8")

    def ready() -> bool:
        try:
            return server.rest("GET", "/system").status_code == 200
        except requests.RequestException:
            return False

    with running([program, folder / "orthanc.json"], folder / "orthanc.log", ready):
        yield server
