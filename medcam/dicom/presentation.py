"""Writes boxes and labels as a Grayscale Softcopy Presentation State: marks that a viewer lays on the film itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import highdicom as hd
import numpy as np
from pydicom.dataset import Dataset

from medcam.core.errors import InputError, InvalidValueError
from medcam.core.geometry import Box
from medcam.dicom.derived import LONG_STRING, MANUFACTURER, Making
from medcam.dicom.errors import converting
from medcam.dicom.quiet import quiet
from medcam.dicom.segmentation import tracking

_SERIES_NUMBER = 9006
_LAYER = "MEDCAM"
_COLOUR = hd.color.CIELabColor(80.0, 0.0, 70.0)
_LABEL_HEIGHT = 0.035
"""Height of a label's box as a share of the film's rows."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A box on the film with its label.

    Args:
        finding: Name of the finding.
        box: In source pixels, (0, 0) the outer corner of the first pixel.
        label: What stands beside the box, at most 1024 characters.
    """

    finding: str
    box: Box
    label: str


def write_presentation(marks: Sequence[Mark], making: Making) -> Dataset:
    """Builds a presentation state that shows the film as its file does, with boxes and labels as graphic annotations.

    Modality LUT, VOI LUT and polarity are the source's own, since a presentation state replaces them all (PS3.3
    A.33.1). Without a mark it shows the film alone.

    Args:
        marks: Boxes with labels.
        making: Source, model, request and time.

    Returns:
        A data set with file meta information, ready to be saved; the same again for the same arguments.

    Raises:
        InvalidValueError: A box lies outside the film.
        InputError: The source is a colour image, or its attributes do not allow a valid object.
    """
    source = making.source
    for mark in marks:
        box = mark.box
        if min(box.x, box.y) < 0 or box.x + box.width > source.columns or box.y + box.height > source.rows:
            raise InvalidValueError(f"the box of {mark.finding!r} lies outside the film")
    if source.display.get("SamplesPerPixel", 1) != 1:
        raise InputError(
            "a grayscale presentation state cannot show a colour image",
            code="unwritable",
            next_step="Leave `gsps` out of --write for this image; `sc` shows the same marks.",
        )
    with quiet(), converting("the presentation state cannot be written", InputError, "unwritable"):
        return _state(marks, making)


def _state(marks: Sequence[Mark], making: Making) -> Dataset:
    image = making.image()
    image.update(making.source.display)
    image.SamplesPerPixel = 1
    layer = hd.pr.GraphicLayer(_LAYER, order=1, description="Research use", display_color=_COLOUR)
    annotations = [_annotation(mark, image, layer, making) for mark in marks]
    inverse = image.get("PhotometricInterpretation") == "MONOCHROME1" or image.get("PresentationLUTShape") == "INVERSE"
    shape = hd.PresentationLUTTransformation(presentation_lut_shape="INVERSE" if inverse else "IDENTITY")
    algorithm = making.algorithm
    state = hd.pr.GrayscaleSoftcopyPresentationState(
        referenced_images=[image],
        series_instance_uid=making.series_uid("gsps"),
        series_number=_SERIES_NUMBER,
        series_description="Boxes and labels (research use)",
        sop_instance_uid=making.instance_uid("gsps"),
        instance_number=1,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=algorithm.name,
        software_versions=cast("tuple[str]", tuple(algorithm.software_versions)),
        device_serial_number=algorithm.weights_sha256[:LONG_STRING] or "none",
        content_label="MEDCAM_BOXES",
        content_description=f"Findings by {algorithm.name}"[:LONG_STRING],
        graphic_layers=[layer] if annotations else None,
        graphic_annotations=annotations or None,
        presentation_lut_transformation=shape,
        contributing_equipment=[algorithm.contribution()],
    )
    _restore_tables(state, image)
    making.complete(state)
    state.PresentationCreationDate, state.PresentationCreationTime = state.ContentDate, state.ContentTime
    del state.ContentDate, state.ContentTime  # of no module of this object
    # Required unless the body part is known to be unpaired; empty means unknown (PS3.3 C.7.3.1).
    state.Laterality = making.source.dataset.get("Laterality", "")
    return state


def _restore_tables(state: Dataset, image: Dataset) -> None:
    """Puts the source's own lookup tables back: highdicom rewrites their descriptors as if all had 16 bits."""
    if "ModalityLUTSequence" in image:
        state.ModalityLUTSequence = image.ModalityLUTSequence
    if "VOILUTSequence" in image:
        state.SoftcopyVOILUTSequence[0].VOILUTSequence = image.VOILUTSequence


def _annotation(mark: Mark, image: Dataset, layer: hd.pr.GraphicLayer, making: Making) -> hd.pr.GraphicAnnotation:
    box, rows, columns = mark.box, making.source.rows, making.source.columns
    identifier, uid = tracking(making, mark.finding)
    corners = np.array(
        [
            (box.x, box.y),
            (box.x + box.width, box.y),
            (box.x + box.width, box.y + box.height),
            (box.x, box.y + box.height),
            (box.x, box.y),
        ],
        dtype=np.float64,
    )
    # PS3.3 C.10.5.1.2: the outer corner of the first pixel is (0, 0) here and (0, 0) there.
    outline = hd.pr.GraphicObject(
        graphic_type="POLYLINE", graphic_data=corners, units="PIXEL", tracking_id=identifier, tracking_uid=uid
    )
    height = _LABEL_HEIGHT * rows
    top = box.y - height if box.y >= height else min(box.y + box.height, rows - height)
    label = hd.pr.TextObject(
        text_value=mark.label,
        units="PIXEL",
        bounding_box=(
            float(min(box.x, columns - 1)),
            float(max(top, 0.0)),
            float(columns),
            float(max(top, 0.0) + height),
        ),
        text_justification="LEFT",
        tracking_id=identifier,
        tracking_uid=uid,
    )
    return hd.pr.GraphicAnnotation(
        referenced_images=[image], graphic_layer=layer, graphic_objects=[outline], text_objects=[label]
    )
