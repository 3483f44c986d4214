"""Writes a Key Object Selection that points at a film with positive findings."""

from __future__ import annotations

from collections.abc import Sequence

import highdicom as hd
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes

from medcam.core.errors import InputError, InvalidValueError
from medcam.dicom.derived import MANUFACTURER, Making
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet

_SERIES_NUMBER = 9005
_LONGEST_TEXT = 1024


def write_key_objects(findings: Sequence[str], making: Making) -> Dataset:
    """Builds a Key Object Selection Document (PS3.3 A.35.4, TID 2010) titled "Of Interest".

    Args:
        findings: Names of the findings that are present; at least one.
        making: Source, model, request and time.

    Returns:
        A data set with file meta information, ready to be saved; the same again for the same arguments.

    Raises:
        InvalidValueError: No finding is present: there is nothing to point at.
        InputError: The source's attributes do not allow a valid object.
    """
    if not findings:
        raise InvalidValueError("a key object selection points at a film with at least one finding")
    description = f"Present by {making.algorithm.name}: {', '.join(findings)}. Research use, not a medical device."
    with quiet(), converting("the key object selection cannot be written", InputError, "unwritable"):
        image = making.image()
        made = hd.ko.KeyObjectSelectionDocument(
            evidence=[image],
            content=hd.ko.KeyObjectSelection(
                document_title=codes.DCM.OfInterest,
                referenced_objects=[image],
                description=description[:_LONGEST_TEXT],
            ),
            series_instance_uid=making.series_uid("ko"),
            series_number=_SERIES_NUMBER,
            series_description="Films with findings (research use)",
            sop_instance_uid=making.instance_uid("ko"),
            instance_number=1,
            manufacturer=MANUFACTURER,
            contributing_equipment=[making.algorithm.contribution()],
        )
        return making.complete(made)
