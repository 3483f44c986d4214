"""What the profile and its options keep, replace and say."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag

from medcam.core.errors import InvalidValueError, MedcamError
from medcam.dicom import derived_uid
from medcam.dicom.deidentify import UNKNOWN_ANNOTATION, Kind, Profile, Secret, deidentify
from medcam.dicom.deidentify.codes import cleaned_code
from medcam.dicom.deidentify.dates import plain_time, shifted_date, shifted_date_time
from medcam.dicom.deidentify.rules import Rule, rule_of
from medcam.dicom.uids import is_valid_uid

from ..builders import STORED, film, image
from .planting import SECRET, parsed

PATIENT = {
    "PatientName": "Doe^Jane",
    "PatientBirthDate": "19500101",
    "PatientSex": "F",
    "PatientAge": "095Y",
    "PatientSize": "1.71",
    "PatientWeight": "62",
    "StudyDate": "20200229",
    "SeriesDate": "20200301",
    "StudyTime": "101112",
    "AccessionNumber": "ACC123",
    "StudyID": "S77",
    "Manufacturer": "SIEMENS",
    "BodyPartExamined": "PORT CHEST",
    "ViewPosition": "AP",
    "KVP": "125",
    "ExposureInuAs": 1200,
    "BurnedInAnnotation": "NO",
}


def made(profile: Profile | None = None, **attributes: object) -> Dataset:
    return parsed(deidentify(film(**(PATIENT | attributes)), SECRET, profile or Profile()).data)


def test_the_basic_profile_says_what_was_done_and_keeps_no_characteristics() -> None:
    result = made()
    assert result.PatientIdentityRemoved == "YES"
    assert [item.CodeValue for item in result.DeidentificationMethodCodeSequence] == ["113100"]
    assert result.LongitudinalTemporalInformationModified == "REMOVED"
    assert (result.PatientSex, result.PatientBirthDate, result.StudyDate, result.StudyTime) == ("", "", "", "")
    assert not {"PatientAge", "PatientSize", "PatientWeight", "SeriesDate"} & {e.keyword for e in result}
    assert (result.Manufacturer, result.BodyPartExamined, result.ViewPosition) == ("Siemens", "CHEST", "AP")
    assert (result.KVP, result.ExposureInuAs, result.Rows) == (125, 1200, STORED.shape[0])
    assert str(result.PatientName) == f"{result.PatientID}^PSEUDONYM"


def test_the_options_keep_what_they_name_and_say_so() -> None:
    result = made(Profile(True, True, True))
    codes = [item.CodeValue for item in result.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113101", "113107", "113108"]
    assert result.LongitudinalTemporalInformationModified == "MODIFIED"
    assert (result.PatientSex, result.PatientAge, result.PatientSize, result.PatientWeight) == ("F", "090Y", 1.71, 62)
    assert result.PatientBirthDate == ""
    assert result.StudyTime == "101112"
    assert result.BurnedInAnnotation == "NO"


def test_dates_of_a_patient_move_by_the_same_days_in_every_film() -> None:
    first, second = (
        made(Profile(retain_longitudinal=True)),
        made(Profile(retain_longitudinal=True), StudyDate="20210301"),
    )
    moved = [date.fromisoformat(each.StudyDate) for each in (first, second)]
    assert (moved[1] - moved[0]).days == (date(2021, 3, 1) - date(2020, 2, 29)).days
    assert 366 <= (date(2020, 2, 29) - moved[0]).days <= 3650
    assert (date.fromisoformat(first.SeriesDate) - moved[0]).days == 1
    other = made(Profile(retain_longitudinal=True), PatientID="ANOTHER")
    assert other.StudyDate != first.StudyDate


def test_pseudonyms_are_the_same_for_the_same_key_and_others_for_another() -> None:
    again, other = Secret(bytes(range(32))), Secret.make()
    for kind in Kind:
        assert SECRET.pseudonym(kind, "a") == again.pseudonym(kind, "a") != SECRET.pseudonym(kind, "b")
        assert SECRET.pseudonym(kind, "a") != other.pseudonym(kind, "a")
        assert len(SECRET.pseudonym(kind, "a")) <= (64 if kind is Kind.PATIENT else 16)
    assert SECRET.uid("1.2") == again.uid("1.2") != other.uid("1.2")
    assert is_valid_uid(SECRET.uid("1.2"))
    assert SECRET.days("p") == again.days("p") < 0
    assert "000102" not in repr(SECRET)
    with pytest.raises(InvalidValueError):
        Secret(b"short")


def test_a_patient_is_the_id_with_its_issuer_however_it_is_written() -> None:
    same = [made(PatientID=number, PatientName=name).PatientID for number, name in (("ab 1", "A^B"), (" AB 1", "C"))]
    assert same[0] == same[1]
    assert made(PatientID="AB 1", IssuerOfPatientID="ELSEWHERE").PatientID != same[0]
    nameless = [
        made(PatientID="", PatientName="", StudyInstanceUID=uid).PatientID for uid in ("1.2.3", "1.2.4", "1.2.3")
    ]
    assert nameless[0] == nameless[2] != nameless[1]


def test_uids_are_replaced_alike_wherever_they_stand() -> None:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2.840.10008.5.1.4.1.1.1", derived_uid("other")
    one = made(SOPInstanceUID=derived_uid("one"), SourceImageSequence=Sequence([item]), FrameOfReferenceUID="1.2.3.4")
    two = made(SOPInstanceUID=derived_uid("other"), FrameOfReferenceUID="1.2.3.4")
    assert one.SourceImageSequence[0].ReferencedSOPInstanceUID == two.SOPInstanceUID
    assert one.SourceImageSequence[0].ReferencedSOPClassUID == "1.2.840.10008.5.1.4.1.1.1"
    assert one.FrameOfReferenceUID == two.FrameOfReferenceUID != "1.2.3.4"
    assert one.file_meta.MediaStorageSOPInstanceUID == one.SOPInstanceUID
    assert one.StudyInstanceUID == two.StudyInstanceUID != one.SeriesInstanceUID


def test_missing_uids_are_made() -> None:
    dataset = film(**PATIENT)
    del dataset.SeriesInstanceUID
    result = parsed(deidentify(dataset, SECRET, Profile()).data)
    assert is_valid_uid(result.SeriesInstanceUID)


@pytest.mark.parametrize(
    ("said", "clean", "code", "warnings"),
    [
        ("YES", False, "burned-in-annotation", ()),
        ("YES", True, None, ()),
        ("NO", False, None, ()),
        (None, False, None, (UNKNOWN_ANNOTATION,)),
        (None, True, None, ()),
    ],
)
def test_burned_in_annotation(said: str | None, clean: bool, code: str | None, warnings: tuple[str, ...]) -> None:
    dataset = film(**(PATIENT | {"BurnedInAnnotation": said}))
    if said is None:
        del dataset.BurnedInAnnotation
    if code:
        with pytest.raises(MedcamError) as caught:
            deidentify(dataset, SECRET, Profile(clean))
        assert caught.value.code == code
        return
    result = deidentify(dataset, SECRET, Profile(clean))
    assert result.warnings == warnings
    assert parsed(result.data).get("BurnedInAnnotation") == ("NO" if clean else said)


@pytest.mark.parametrize(
    ("sop_class", "code"),
    [
        ("1.2.840.10008.5.1.4.1.1.88.33", "not-an-image"),
        ("1.2.840.10008.5.1.4.1.1.104.1", "not-an-image"),
        ("1.2.840.10008.5.1.4.1.1.11.1", "not-an-image"),
        ("1.2.3.4.77123456", "unknown-sop-class"),
        ("1.2.840.10008.1.2.1", "unknown-sop-class"),
    ],
)
def test_what_is_not_passed_on(sop_class: str, code: str) -> None:
    with pytest.raises(MedcamError) as caught:
        deidentify(image(STORED, bits=12, sop_class=sop_class), SECRET, Profile())
    assert caught.value.code == code


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-3650, -366))
def test_moved_dates_keep_their_distances(day: date, days: int) -> None:
    moved = shifted_date(f"{day:%Y%m%d}", days)
    assert moved is not None
    assert (date.fromisoformat(moved) - day).days == days
    assert shifted_date_time(f"{day:%Y%m%d}0102+0100", days) == f"{moved}0102"


@pytest.mark.parametrize("text", ["", "2020", "20201301", "SMITH", "2020010", "20200101 SMITH", "00010101"])
def test_what_is_no_date_is_not_moved(text: str) -> None:
    assert shifted_date(text, -400) is None


def test_times_and_old_dates() -> None:
    assert plain_time("10:11:12.5") == "101112.5"
    assert plain_time("Smith") is None
    assert plain_time("2511") is None
    assert shifted_date("2020.01.01", -1) == "20191231"
    assert shifted_date_time("2020", -1) is None


def test_codes_of_public_dictionaries_get_their_own_meaning() -> None:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = "51185008", "SCT", "Chest of Mr Smith"
    item.CodingSchemeVersion = "Smith"
    cleaned = cleaned_code(item)
    assert cleaned is not None
    assert "Smith" not in str(cleaned)
    assert (cleaned.CodeValue, cleaned.CodingSchemeDesignator) == ("51185008", "SCT")
    item.CodingSchemeDesignator = "99SMITH"
    assert cleaned_code(item) is None
    item.CodingSchemeDesignator, item.CodeValue = "SRT", "T-D3000"
    assert cleaned_code(item) is not None


def test_the_table_of_the_standard_is_followed() -> None:
    basic, dates = Profile(), Profile(retain_longitudinal=True)
    assert rule_of(Tag(0x00100030), basic) is Rule.EMPTY
    assert rule_of(Tag(0x00100030), dates) is Rule.EMPTY
    assert rule_of(Tag(0x00080020), basic) is Rule.EMPTY
    assert rule_of(Tag(0x00080020), dates) is Rule.DATE
    assert rule_of(Tag(0x0008103E), basic) is Rule.DROP  # Series Description
    assert rule_of(Tag(0x00181000), basic) is Rule.DROP  # Device Serial Number
    assert rule_of(Tag(0x0020000D), basic) is Rule.UID
    assert rule_of(Tag(0x00089999), basic) is Rule.DROP
    assert rule_of(Tag(0x60003000), basic) is Rule.DROP
    assert rule_of(Tag(0x00280030), basic) is Rule.NUMBER
