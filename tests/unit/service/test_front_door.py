import base64
import re
import subprocess
import sys
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import cv2
import numpy as np
import pydicom
import pytest

import medcam
from medcam.core.codes import slug
from medcam.core.errors import InvalidValueError, UsageError
from medcam.core.explanation import Explanation
from medcam.core.protocols import Classifier
from medcam.service.explanations import explained as explained_module
from medcam.service.explanations.explained import ExplainedRadiograph
from medcam.service.explanations.explanation_json import explanation_to_dict, read_explanation
from medcam.service.explanations.software import UNKNOWN, package_version

HEAVY = ("torch", "monai", "pydicom", "numpy", "skimage", "cv2", "SimpleITK")


def test_importing_medcam_loads_no_library() -> None:
    code = f"import sys, medcam; medcam.__version__; print([name for name in {HEAVY} if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


def test_every_public_name_can_be_had_and_listed() -> None:
    for name in medcam.__all__:
        assert getattr(medcam, name) is not None
    assert set(medcam.__all__) <= set(dir(medcam))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        medcam.nothing  # noqa: B018


def test_the_version_is_that_of_the_distribution_or_said_to_be_unknown() -> None:
    try:
        expected = version("medcam-cxr")
    except PackageNotFoundError:
        expected = "0+unknown"
    assert medcam.__version__ == expected
    assert package_version("no-such-distribution-of-anybody") == UNKNOWN


def test_eight_lines_from_a_file_to_an_overlay(phantom_dicom: Path, tiny_model_folder: Path, tmp_path: Path) -> None:
    film = medcam.load_radiograph(phantom_dicom / "film-1.dcm")
    model = medcam.load_model(tiny_model_folder)
    prediction = model.predict(model.prepare(film).values[None])
    explanation = medcam.explain(film, model)
    assert isinstance(explanation, medcam.Explanation)
    assert film.display().dtype == np.uint8
    assert prediction.logits.shape == (1, len(model.card.findings))
    assert prediction.maps.shape[2:] == (8, 8)
    assert explanation.finding("pleural-effusion").logit == pytest.approx(float(prediction.logits[0, 1]), abs=1e-4)
    assert explanation.save(tmp_path).is_file()


def test_an_overlay_is_a_picture_with_the_film_in_it(explained: ExplainedRadiograph) -> None:
    picture = explained.overlay("Pleural Effusion", long_side=256)
    assert picture.dtype == np.uint8
    assert picture.ndim == 3
    assert picture.shape[2] == 3
    assert min(picture.shape[:2]) >= 256
    assert not np.array_equal(picture, explained.overlay("nodule", long_side=256))
    assert not np.array_equal(picture, explained.overlay("pleural effusion", long_side=256, scale="image", signed=True))


def test_an_overlay_of_something_else_is_refused(explained: ExplainedRadiograph) -> None:
    with pytest.raises(UsageError, match="gout"):
        explained.overlay("gout")
    with pytest.raises(InvalidValueError):
        explained.overlay("nodule", long_side=8)


def test_saving_writes_the_pictures_of_what_is_present(explained: ExplainedRadiograph, tmp_path: Path) -> None:
    path = explained.save(tmp_path / "new" / "folder", long_side=128)
    present = {f"overlay-{slug(finding.name)}.png" for finding in explained.findings if finding.present}
    assert {item.name for item in path.parent.iterdir()} == present | {"explanation.json"}
    assert explanation_to_dict(read_explanation(path)) == explanation_to_dict(explained)
    for name in present:
        assert cv2.imread(str(path.parent / name)).shape[2] == 3


def test_saving_where_nothing_is_present_draws_the_likeliest(
    phantom_dicom: Path, strict_model: Classifier, tmp_path: Path
) -> None:
    withheld = medcam.explain(phantom_dicom / "film-0.dcm", strict_model)
    withheld.save(tmp_path, long_side=128)
    likeliest = max(withheld.findings, key=lambda finding: finding.probability)
    assert {item.name for item in tmp_path.iterdir()} == {f"overlay-{slug(likeliest.name)}.png", "explanation.json"}


def test_saving_again_leaves_no_picture_of_before(explained: ExplainedRadiograph, tmp_path: Path) -> None:
    (tmp_path / "overlay-nodule.png").write_bytes(b"old")
    (tmp_path / "notes.txt").write_text("the reader's own")
    none = tuple(replace(finding, present=finding.name == "Mass") for finding in explained.findings)
    replace(explained, findings=none).save(tmp_path, long_side=128)
    assert {item.name for item in tmp_path.iterdir()} == {"overlay-mass.png", "explanation.json", "notes.txt"}


def test_a_stopped_save_leaves_no_explanation(
    explained: ExplainedRadiograph, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    explained.save(tmp_path, long_side=128)

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(explained_module, "save_png", refuse)
    with pytest.raises(OSError, match="disk full"):
        explained.save(tmp_path, long_side=128)
    assert not (tmp_path / "explanation.json").exists()


def test_the_notebook_shows_every_finding_with_its_ledger(explained: ExplainedRadiograph) -> None:
    html = explained._repr_html_()
    rows = re.findall(r"<tr>(.*?)</tr>", html)[1:]
    assert len(rows) == len(explained.findings)
    ranked = sorted(explained.findings, key=lambda finding: -finding.probability)
    for row, finding in zip(rows, ranked, strict=True):
        name, says, probability, threshold, *figures = re.findall(r"<td[^>]*>(.*?)</td>", row)
        assert (name, says) == (finding.name, "present" if finding.present else "absent")
        assert float(probability) == pytest.approx(finding.probability, abs=6e-4)
        assert float(threshold) == pytest.approx(finding.threshold, abs=6e-4)
        logit, bias, positive, negative = map(float, figures)
        assert logit == pytest.approx(bias + positive + negative, abs=0.021)
        assert positive >= 0 >= negative
    assert "Research use. Not a medical device." in html
    assert "A map highlights; it never proves." in html
    assert "tiny 0.1" in html


def test_the_notebooks_thumbnails_are_pictures_within_the_page(explained: ExplainedRadiograph) -> None:
    images = re.findall(r'src="([^"]*)"', explained._repr_html_())
    assert len(images) == min(4, sum(bool(finding.present) for finding in explained.findings))
    for image in images:
        head, data = image.split(",", 1)
        assert head == "data:image/png;base64"
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(data), dtype=np.uint8), cv2.IMREAD_COLOR)
        assert min(picture.shape[:2]) >= 224


def test_the_notebook_tells_nothing_about_the_patient(explained: ExplainedRadiograph, phantom_dicom: Path) -> None:
    header = pydicom.dcmread(phantom_dicom / "film-0.dcm", stop_before_pixels=True)
    html = explained._repr_html_()
    told = (header.PatientName, header.PatientID, header.PatientBirthDate, header.StudyDate)
    uids = (header.SOPInstanceUID, header.StudyInstanceUID, header.SeriesInstanceUID)
    for value in map(str, (*told, *uids)):
        assert len(value) >= 7
        assert value not in html


def test_the_notebook_escapes_what_it_is_given(explained: ExplainedRadiograph) -> None:
    name = '<script>alert("1")</script>'
    finding = replace(explained.findings[0], name=name, present=True, evidence=None)
    hostile = replace(
        explained,
        findings=(finding,),
        warnings=("<b onclick=x>",),
        model=replace(explained.model, name="<i>"),
        card=replace(explained.card, findings=(replace(explained.card.findings[0], name=name),)),
    )
    html = hostile._repr_html_()
    assert "<script" not in html
    assert "<b onclick" not in html
    assert "<i>" not in html
    assert "&lt;script&gt;" in html


def test_the_notebook_says_when_an_answer_is_withheld(phantom_dicom: Path, strict_model: Classifier) -> None:
    html = medcam.explain(phantom_dicom / "film-0.dcm", strict_model)._repr_html_()
    assert html.count("withheld") == 8 + 1
    assert "out of distribution: " in html


def test_the_plain_explanation_is_part_of_the_explained_film(explained: ExplainedRadiograph) -> None:
    assert isinstance(explained, Explanation)
    assert explained.radiograph.sha256 == explained.source.sha256
    assert explained.card.name == explained.model.name
    assert len(repr(explained)) < 20_000
