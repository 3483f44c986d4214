"""An explanation comes back from the objects that an archive keeps."""

from __future__ import annotations

import io
import json
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest

import medcam
from medcam.core.errors import InputError
from medcam.dicom import read_record
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.explanations.explanation_json import explanation_to_dict
from medcam.service.phantoms.sample_data import sample_films

TAG = (0x0099, 0x1001)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Results of two sample films that have findings."""
    out = tmp_path_factory.mktemp("results")
    sources = [path for path in sample_films() if path.stem in ("phantom-00000", "phantom-00004")]
    manifest = annotate(sources, out, AnnotateOptions(outputs=(Output.SR, Output.SEG)))
    return [out / item.folder for item in manifest.annotated]


def saved(report: pydicom.Dataset, folder: Path) -> Path:
    report.save_as(folder / "changed.dcm")
    return folder / "changed.dcm"


def code_of(path: Path, segmentation: Path | None = None) -> str:
    with pytest.raises(InputError) as caught:
        medcam.load_explanation(path, segmentation)
    return caught.value.code


def test_report_and_segmentation_give_the_explanation_exactly(folders: list[Path]) -> None:
    for folder in folders:
        written = medcam.load_explanation(folder / "explanation.json")
        rebuilt = medcam.load_explanation(folder / "sr.dcm", folder / "seg-map.dcm")
        assert explanation_to_dict(rebuilt) == explanation_to_dict(written)
        for finding in rebuilt.findings:
            assert finding.map.values.mean() + finding.map.bias == pytest.approx(finding.logit, abs=1e-4)


def test_without_private_data_the_standard_content_is_enough(folders: list[Path], tmp_path: Path) -> None:
    folder = folders[0]
    report = pydicom.dcmread(folder / "sr.dcm")
    report.remove_private_tags()
    rebuilt = medcam.load_explanation(saved(report, tmp_path), folder / "seg-map.dcm")
    written = medcam.load_explanation(folder / "explanation.json")

    assert "without its private data" in rebuilt.warnings[0]
    assert rebuilt.model == written.model
    assert rebuilt.source.identity == written.source.identity
    assert {finding.name for finding in rebuilt.findings} == {finding.name for finding in written.findings}
    seen = 0
    for finding in rebuilt.findings:
        true = written.finding(finding.name)
        assert (finding.code, finding.present) == (true.code, true.present)
        assert finding.logit == pytest.approx(true.logit, rel=1e-4)
        assert finding.probability == pytest.approx(true.probability, rel=1e-4)
        assert finding.evidence is not None
        assert finding.evidence.logit == pytest.approx(true.logit, abs=0.01)
        assert not finding.map.ledger
        if finding.present:
            seen += 1
            assert finding.map.values.max() == pytest.approx(true.map.values.max(), rel=0.1)
            peak, box = finding.regions[0].peak, true.regions[0].box
            assert box.x <= peak.x <= box.x + box.width
            assert box.y <= peak.y <= box.y + box.height
            assert finding.regions[0].box.iou(box) > 0.9
        else:
            assert not finding.map.values.any()
    assert seen


def test_without_private_data_a_segmentation_is_needed(folders: list[Path], tmp_path: Path) -> None:
    report = pydicom.dcmread(folders[0] / "sr.dcm")
    report.remove_private_tags()
    assert code_of(saved(report, tmp_path)) == "no-explanation-record"


def test_a_record_that_contradicts_its_report_is_refused(folders: list[Path], tmp_path: Path) -> None:
    report = pydicom.dcmread(folders[0] / "sr.dcm")
    record = json.loads(read_record(report))
    record["findings"][0]["logit"] += 0.5
    report[TAG].value = zlib.compress(json.dumps(record).encode())
    assert code_of(saved(report, tmp_path)) == "broken-explanation-record"


def test_objects_that_do_not_belong_together_are_refused(folders: list[Path]) -> None:
    one, other = folders
    assert code_of(one / "sr.dcm", other / "seg-map.dcm") == "segmentation-of-another-report"
    assert code_of(one / "seg-map.dcm") == "not-a-medcam-report"
    assert code_of(one / "sr.dcm", one / "sr.dcm") == "not-a-medcam-segmentation"


def test_the_record_is_compressed_json(folders: list[Path]) -> None:
    report = pydicom.dcmread(io.BytesIO((folders[0] / "sr.dcm").read_bytes()))
    assert len(report[TAG].value) < len(read_record(report))
    assert np.isfinite([item["logit"] for item in json.loads(read_record(report))["findings"]]).all()
