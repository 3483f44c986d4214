"""Objects that hold results: what a reader finds in them, that they are valid, and the same when made again."""

from __future__ import annotations

import io
import pickle
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset

from medcam.core.activation import ActivationMap
from medcam.core.codes import CodedConcept
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Evidence, Finding, Point, Region
from medcam.core.geometry import Box, GridTransform
from medcam.dicom import (
    AlgorithmIdentity,
    Making,
    Mark,
    Segment,
    context_from_dataset,
    read_record,
    write_key_objects,
    write_maps,
    write_presentation,
    write_regions,
    write_report,
    write_secondary_capture,
)

from .builders import image, table

ROWS, COLUMNS = 40, 60
NODULE = CodedConcept("427359005", "SCT", "Solitary nodule of lung")
WHEN = datetime(2026, 1, 2, 3, 4, 5)
RECORD = b'{"schema_version": "1.0"}'
VALIDATED = ("sc", "seg", "seg-map", "sr", "ko", "gsps")


def making(request: str = "as asked", **attributes: object) -> Making:
    stored = np.zeros((ROWS, COLUMNS), np.uint16)
    source = image(stored, bits=12, PatientName="Test^Case", PatientAge="045Y", StudyDate="20260101", **attributes)
    source.StudyTime, source.StudyID, source.AccessionNumber = "120000", "1", "A1"
    source.PatientBirthDate, source.PatientSex, source.ReferringPhysicianName = "19800101", "O", "Ward^A"
    context = context_from_dataset(source, sha256="0" * 64)
    return Making(context, AlgorithmIdentity("tiny", "1", "ab" * 32, "0.1"), request, WHEN)


def pixels() -> np.ndarray:
    mask = np.zeros((ROWS, COLUMNS), dtype=np.bool_)
    mask[10:20, 30:50] = True
    return mask


def explanation(present: bool | None = True) -> Explanation:
    activation = ActivationMap(np.full((4, 6), 1.5), -1.0, GridTransform.identity(ROWS, COLUMNS).resize(4, 6))
    contour = (Point(30, 10), Point(50, 10), Point(50, 20), Point(30, 20))
    region = Region(Box(30, 10, 20, 10), Point(40, 15), 0.75, contour, "calibrated")
    evidence = Evidence(-1.0, 1.5, 0.0, {"heart": 0.5, "mediastinum": 1.0})
    findings = (
        Finding("Nodule", NODULE, 0.62, 0.5, 0.4, present, activation, evidence, (region,)),
        Finding("Odd Thing", None, 0.3, 0.5, 0.4, False if present is not None else None, activation, None, ()),
    )
    return Explanation(
        Source(making().source.identity, ROWS, COLUMNS, "0" * 64),
        ModelReference("tiny", "1", "ab" * 32),
        Engine(),
        "cam",
        findings,
        OutOfDistribution(None, None, False),
    )


def made(kind: str, who: Making) -> Dataset:
    if kind == "sc":
        return write_secondary_capture(np.zeros((8, 9, 3), np.uint8), who)
    if kind == "seg":
        return write_regions([Segment("Nodule", NODULE, pixels()), Segment("Odd Thing", None, ~pixels())], who)
    if kind == "seg-map":
        share = np.linspace(0, 1, ROWS * COLUMNS, dtype=np.float32).reshape(ROWS, COLUMNS)
        return write_maps([Segment("Nodule", NODULE, share, "a share of 3 logit units")], who)
    if kind == "sr":
        return write_report(explanation(), RECORD, who)
    if kind == "ko":
        return write_key_objects(["Nodule"], who)
    return write_presentation([Mark("Nodule", Box(30, 10, 20, 10), "Nodule 0.62")], who)


def encoded(dataset: Dataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def back(dataset: Dataset) -> Dataset:
    return pydicom.dcmread(io.BytesIO(encoded(dataset)))


@pytest.mark.parametrize("kind", VALIDATED)
def test_the_same_work_gives_the_same_bytes(kind: str) -> None:
    assert encoded(made(kind, making())) == encoded(made(kind, making()))
    first, other = made(kind, making()), made(kind, making("asked for otherwise"))
    assert first.SOPInstanceUID != other.SOPInstanceUID
    assert first.SeriesInstanceUID == other.SeriesInstanceUID


@pytest.mark.parametrize("kind", VALIDATED)
def test_an_object_lies_in_its_source_s_study_and_names_its_maker(kind: str) -> None:
    who = making()
    thing, source = back(made(kind, who)), who.source
    assert thing.StudyInstanceUID == source.identity.study_instance_uid
    assert thing.SeriesInstanceUID != source.identity.series_instance_uid
    assert (thing.PatientID, str(thing.PatientName), thing.PatientAge) == ("TEST", "Test^Case", "045Y")
    (equipment,) = [item for item in thing.ContributingEquipmentSequence if item.Manufacturer == "medcam"]
    assert equipment.ManufacturerModelName == "tiny"
    assert list(equipment.SoftwareVersions) == ["tiny 1", "medcam 0.1"]
    assert source.identity.sop_instance_uid in str(thing)


@pytest.mark.parametrize("kind", VALIDATED)
def test_an_object_is_valid(kind: str, tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    path = tmp_path / "object.dcm"
    path.write_bytes(encoded(made(kind, making())))
    said = subprocess.run([require_tool("dciodvfy"), path], capture_output=True, text=True, check=False).stderr
    assert said
    assert "Error" not in said


def test_all_objects_agree_about_patient_and_study(tmp_path: Path, require_tool: Callable[[str], str]) -> None:
    paths = []
    for kind in VALIDATED:
        paths.append(tmp_path / f"{kind}.dcm")
        paths[-1].write_bytes(encoded(made(kind, making())))
    said = subprocess.run([require_tool("dcentvfy"), *paths], capture_output=True, text=True, check=False)
    assert said.returncode == 0
    assert "Error" not in said.stdout + said.stderr


def test_regions_come_back_pixel_by_pixel() -> None:
    thing = back(made("seg", making()))
    assert (thing.SegmentationType, thing.Rows, thing.Columns) == ("BINARY", ROWS, COLUMNS)
    first, second = thing.SegmentSequence
    assert first.SegmentedPropertyTypeCodeSequence[0].CodeValue == NODULE.value
    assert second.SegmentedPropertyTypeCodeSequence[0].CodingSchemeDesignator == "99MEDCAM"
    assert np.array_equal(thing.pixel_array[0].astype(bool), pixels())
    assert np.array_equal(thing.pixel_array[1].astype(bool), ~pixels())


def test_maps_come_back_within_half_a_step_and_are_compressed() -> None:
    thing = back(made("seg-map", making()))
    assert (thing.SegmentationType, thing.MaximumFractionalValue) == ("FRACTIONAL", 255)
    assert thing.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.4.80"
    share = np.linspace(0, 1, ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    assert np.abs(thing.pixel_array / 255 - share).max() <= 0.5 / 255 + 1e-6
    assert thing.SegmentSequence[0].SegmentDescription == "a share of 3 logit units"


def test_a_report_tells_each_finding_and_keeps_the_record_byte_for_byte() -> None:
    thing = back(made("sr", making()))
    text = str(thing)
    for said in ("Nodule", "Odd Thing", "Present", "Absent", "Certainty of Finding", "Evidence in heart"):
        assert said in text
    assert read_record(thing) == RECORD
    tracked = back(made("seg", making())).SegmentSequence[0].TrackingUID
    assert tracked in text


def test_a_withheld_finding_is_reported_as_withheld() -> None:
    text = str(write_report(explanation(present=None), RECORD, making()))
    assert "Withheld" in text
    assert "Present'" not in text


def test_a_report_without_or_with_a_damaged_record_is_refused() -> None:
    with pytest.raises(InputError) as raised:
        read_record(made("ko", making()))
    assert raised.value.code == "no-explanation-record"
    for damage in (b"rubbish!", encoded(made("sr", making()))[:64]):
        thing = made("sr", making())
        thing.private_block(0x0099, "MEDCAM EXPLANATION 1")[0x01].value = damage
        with pytest.raises(InputError) as raised:
            read_record(thing)
        assert raised.value.code == "broken-explanation-record"


@pytest.mark.parametrize(
    ("attributes", "shape"),
    [
        ({}, "IDENTITY"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "INVERSE"),
        ({"PresentationLUTShape": "INVERSE"}, "INVERSE"),
    ],
)
def test_a_presentation_state_shows_the_film_as_its_file_does(attributes: dict[str, str], shape: str) -> None:
    who = making(WindowCenter=2000.0, WindowWidth=3000.0, RescaleSlope=2.0, RescaleIntercept=-5.0, **attributes)
    thing = back(made("gsps", who))
    assert thing.PresentationLUTShape == shape
    assert (thing.RescaleSlope, thing.RescaleIntercept) == (2, -5)
    window = thing.SoftcopyVOILUTSequence[0]
    assert (window.WindowCenter, window.WindowWidth) == (2000, 3000)
    graphic = thing.GraphicAnnotationSequence[0].GraphicObjectSequence[0]
    assert list(graphic.GraphicData) == [30, 10, 50, 10, 50, 20, 30, 20, 30, 10]
    assert thing.GraphicAnnotationSequence[0].TextObjectSequence[0].UnformattedTextValue == "Nodule 0.62"


@pytest.mark.parametrize("stored_as", ["US", "OW"])
def test_a_presentation_state_takes_the_film_s_tables_along(stored_as: str) -> None:
    who = making(VOILUTSequence=[table([0, 100, 200, 4095], first=7, bits=12, data_vr=stored_as)])
    thing = back(made("gsps", who))
    item = thing.SoftcopyVOILUTSequence[0].VOILUTSequence[0]
    assert list(item.LUTDescriptor) == [4, 7, 12]
    assert np.frombuffer(item.LUTData, "<u2").tolist() == [0, 100, 200, 4095]


@pytest.mark.parametrize("stored_as", ["US", "OW"])
def test_a_film_with_a_table_travels_to_another_process_and_gives_the_same_objects(stored_as: str) -> None:
    who = making(VOILUTSequence=[table([0, 100, 200, 4095], first=7, bits=12, data_vr=stored_as)], WindowCenter="1.50")
    context = pickle.loads(pickle.dumps(who.source))
    assert (context.identity, context.rows, context.columns) == (who.source.identity, ROWS, COLUMNS)
    assert (context.dataset, context.display) == (who.source.dataset, who.source.display)
    there = replace(who, source=context)
    for kind in ("sr", "gsps"):
        assert encoded(made(kind, there)) == encoded(made(kind, who))


def test_what_cannot_be_drawn_is_refused() -> None:
    who = making()
    with pytest.raises(InvalidValueError, match="outside the film"):
        write_presentation([Mark("Nodule", Box(50, 10, 20, 10), "")], who)
    with pytest.raises(InvalidValueError, match="at least one segment"):
        write_regions([], who)
    with pytest.raises(InvalidValueError, match="bool"):
        write_regions([Segment("Nodule", NODULE, pixels()[:5])], who)
    with pytest.raises(InvalidValueError, match="between 0 and 1"):
        write_maps([Segment("Nodule", NODULE, np.full((ROWS, COLUMNS), 1.5, np.float32))], who)
    with pytest.raises(InvalidValueError, match="at least one finding"):
        write_key_objects([], who)
    colour = image(np.zeros((ROWS, COLUMNS, 3), np.uint8))
    painted = Making(context_from_dataset(colour, sha256="0" * 64), who.algorithm, "", WHEN)
    with pytest.raises(InputError, match="colour"):
        write_presentation([], painted)
