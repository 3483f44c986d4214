"""Which films are frontal chest films by what their headers say."""

from __future__ import annotations

import pytest

from medcam.core.radiograph import View
from medcam.dicom import Answer, frontal_chest, radiograph_from_dataset

from .builders import film

STATED = {"Modality": "DX", "BodyPartExamined": "CHEST", "ViewPosition": "PA"}


def verdict_of(**attributes: object) -> tuple[Answer, str]:
    verdict = frontal_chest(radiograph_from_dataset(film(**attributes)))
    return verdict.answer, verdict.reason


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({}, Answer.YES),
        ({"ViewPosition": "AP"}, Answer.YES),
        ({"ViewPosition": "LL"}, Answer.NO),
        ({"BodyPartExamined": "HAND"}, Answer.NO),
        ({"BodyPartExamined": "TSPINE"}, Answer.NO),
        ({"Modality": "CT"}, Answer.NO),
        ({"Modality": "SC"}, Answer.UNDECIDED),
        ({"ViewPosition": ""}, Answer.UNDECIDED),
        ({"BodyPartExamined": ""}, Answer.UNDECIDED),
    ],
)
def test_what_is_stated_decides(changes: dict[str, str], answer: Answer) -> None:
    assert verdict_of(**{**STATED, **changes})[0] is answer


@pytest.mark.parametrize(
    ("texts", "answer", "reason"),
    [
        ({"SeriesDescription": "CHEST PA"}, Answer.YES, ""),
        ({"ProtocolName": "Thorax a.p."}, Answer.YES, ""),
        ({"SeriesDescription": "W033 Chest LAT"}, Answer.NO, "not frontal"),
        ({"SeriesDescription": "Thorax seitlich"}, Answer.NO, "not frontal"),
        ({"SeriesDescription": "HAND AP"}, Answer.NO, "not a chest"),
        ({"SeriesDescription": "AP", "StudyDescription": "CHEST 2 VIEWS"}, Answer.YES, ""),
        ({"StudyDescription": "CHEST PA AND LATERAL"}, Answer.UNDECIDED, "view not told, or told in two ways"),
        ({"StudyDescription": "CHEST AND ABDOMEN AP"}, Answer.UNDECIDED, "body part not told, or told in two ways"),
        # The series' own text is nearer to the film than that of the study.
        ({"SeriesDescription": "LATERAL", "StudyDescription": "CHEST PA"}, Answer.NO, "not frontal"),
        ({"SeriesDescription": "LATE PAPER"}, Answer.UNDECIDED, "body part, view not told, or told in two ways"),
    ],
)
def test_words_decide_where_nothing_is_stated(texts: dict[str, str], answer: Answer, reason: str) -> None:
    silent = {"Modality": "CR", "BodyPartExamined": "", "ViewPosition": ""}
    assert verdict_of(**silent, **texts) == (answer, reason)


def test_words_give_the_projection() -> None:
    silent = {"Modality": "CR", "BodyPartExamined": "CHEST", "ViewPosition": ""}
    views = [
        radiograph_from_dataset(film(**silent, SeriesDescription=text)).view
        for text in ("CHEST PA", "chest ap portable", "CHEST FRONTAL", "CHEST PA LATERAL", "")
    ]
    assert views == [View.PA, View.AP, View.UNKNOWN, View.UNKNOWN, View.UNKNOWN]


@pytest.mark.parametrize(
    ("orientation", "answer"),
    [(["L", "F"], Answer.YES), (["R", "H"], Answer.YES), (["A", "F"], Answer.NO), (["P", "F"], Answer.NO)],
)
def test_patient_orientation_tells_the_plane(orientation: list[str], answer: Answer) -> None:
    assert verdict_of(**{**STATED, "ViewPosition": "", "PatientOrientation": orientation})[0] is answer


def test_a_stated_chest_or_view_is_doubted_where_words_contradict_it() -> None:
    assert verdict_of(**STATED, SeriesDescription="LATERAL")[0] is Answer.UNDECIDED
    assert verdict_of(**STATED, SeriesDescription="RIBS")[0] is Answer.UNDECIDED
    assert verdict_of(**{**STATED, "ViewPosition": "LL"}, SeriesDescription="CHEST PA")[0] is Answer.NO


def test_no_text_of_the_header_is_kept() -> None:
    attributes = radiograph_from_dataset(film(**STATED, SeriesDescription="CHEST PA of SECRET^NAME")).attributes
    assert not any("SECRET" in value.upper() for value in attributes.values())
    assert attributes["described_view"] == "frontal"
