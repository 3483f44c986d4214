"""The results of one radiograph on disk, and whether an earlier run has finished them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from medcam.core.activation import CAM
from medcam.core.codes import slug
from medcam.core.radiograph import Identity
from medcam.service.annotate.options import CAPTURE_SIDE, Output
from medcam.service.atomic import write_text
from medcam.service.explanations.explanation_json import FILE_NAME

RECEIPT_NAME = ".receipt.json"
OBJECT_NAMES: Mapping[Output, tuple[str, ...]] = {
    Output.SC: ("sc.dcm",),
    Output.SEG: ("seg.dcm", "seg-map.dcm"),
    Output.SR: ("sr.dcm",),
    Output.KO: ("ko.dcm",),
    Output.GSPS: ("gsps.dcm",),
}
"""File names of each output's DICOM objects."""
OBJECTS = tuple(name for names in OBJECT_NAMES.values() for name in names)
_OURS = (FILE_NAME, RECEIPT_NAME, *OBJECTS, "overlay-*.png", ".*.part")


@dataclass(frozen=True, slots=True)
class Request:
    """Everything that decides what the results of a film look like; equal requests need no second run.

    Args:
        model: Name, version and digest of the weights.
        card_sha256: Digest of the model's card: thresholds, region rules and scales.
        findings: Findings asked for, empty for the default choice.
        outputs: What is written.
        allow_out_of_distribution: Whether `present` is told for strange films.
        software: medcam's version.
        capture_side: Most pixels along the longer side of a Secondary Capture.
        method: Attribution method.
        engine: Name and precision of what computes the maps.
    """

    model: tuple[str, str, str]
    card_sha256: str
    findings: tuple[str, ...]
    outputs: tuple[str, ...]
    allow_out_of_distribution: bool
    software: str
    capture_side: int = CAPTURE_SIDE
    method: str = CAM
    engine: tuple[str, str] = ("torch", "fp32")

    def digest(self, source_sha256: str) -> str:
        """SHA-256 of the request for one source."""
        return _digest([source_sha256, asdict(self)])

    @property
    def making(self) -> str:
        """SHA-256 of what decides the content of a DICOM object, whatever else is written beside it."""
        asked = (self.findings, self.allow_out_of_distribution, self.capture_side, self.method, self.engine)
        return _digest([self.model, self.card_sha256, *asked, self.software])


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode("utf-8")).hexdigest()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an instance's folder holds: the request it answers, the files beside it, and what the manifest repeats.

    Args:
        request: Digest of the request.
        files: Names of the files beside `explanation.json`.
        flagged: Whether the film is out of distribution.
        making: What decides the content of its DICOM objects, with the digest of the source.
        explanation: SHA-256 of explanation.json; empty where an older medcam wrote it. It tells damage, not forgery:
            whoever can write the folder can write both.
    """

    request: str
    files: tuple[str, ...]
    flagged: bool
    making: str = ""
    explanation: str = ""


class InstanceFolder:
    """OUT/<study>/<instance>, named by digests of the UIDs.

    Complete is a folder that holds `explanation.json`, which is written last and in one step. Methods that write raise
    OSError.

    Args:
        out: The run's output folder.
        identity: Of the radiograph.
    """

    def __init__(self, out: Path, identity: Identity) -> None:
        study, instance = (
            Identity.folder_name(uid) for uid in (identity.study_instance_uid, identity.sop_instance_uid)
        )
        self.name = f"{study}/{instance}"
        self.path = out / study / instance

    def receipt(self, request: str) -> Receipt | None:
        """The receipt of complete results for this request digest; None where something is missing or differs."""
        if not (self.path / FILE_NAME).is_file():
            return None
        receipt = read_receipt(self.path / RECEIPT_NAME)
        if receipt is None or receipt.request != request:
            return None
        return receipt if all((self.path / name).is_file() for name in receipt.files) else None

    def begin(self, making: str = "") -> tuple[str, ...]:
        """Makes the folder, or empties it of what an earlier or a killed run left; other people's files stay.

        DICOM objects that would come out the same are kept as they are: an object that may have been sent must not
        come into being a second time with another date under the same UID.

        Args:
            making: What decides the content of the objects, with the digest of the source.

        Returns:
            Names of the objects kept.
        """
        self.path.mkdir(parents=True, exist_ok=True)
        receipt = read_receipt(self.path / RECEIPT_NAME)
        # The receipt stays with the objects that it vouches for: a run killed here must find them the same next time.
        kept = () if receipt is None or not making or receipt.making != making else (*receipt.files, RECEIPT_NAME)
        for pattern in _OURS:
            for stale in self.path.glob(pattern):
                if stale.name not in kept or stale.name not in (*OBJECTS, RECEIPT_NAME):
                    stale.unlink(missing_ok=True)
        return tuple(name for name in OBJECTS if name in kept and (self.path / name).is_file())

    def overlay_path(self, finding: str) -> Path:
        """Where the overlay of a finding goes."""
        return self.path / overlay_name(finding)

    def finish(self, text: str, receipt: Receipt) -> None:
        """Writes the receipt and then the text of `explanation.json`, which makes the folder complete."""
        digested = replace(receipt, explanation=hashlib.sha256(text.encode("utf-8")).hexdigest())
        write_text(self.path / RECEIPT_NAME, json.dumps(asdict(digested)) + "\n")
        write_text(self.path / FILE_NAME, text)


def read_receipt(path: Path) -> Receipt | None:
    """The receipt in a file; None where there is none, or none that can be read."""
    try:
        fields = json.loads(path.read_text(encoding="utf-8"))
        return Receipt(
            request=str(fields["request"]),
            files=tuple(map(str, fields["files"])),
            flagged=bool(fields["flagged"]),
            making=str(fields["making"]),
            explanation=str(fields.get("explanation", "")),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def overlay_name(finding: str) -> str:
    """File name of a finding's overlay, such as "overlay-pleural-effusion.png"."""
    return f"overlay-{slug(finding)}.png"
