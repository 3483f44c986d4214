"""Silent headers are decided by the look of the film, or left to the gate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from run_files import edited, folders

from medcam.core.display import DisplayWindow
from medcam.core.radiograph import Radiograph
from medcam.dicom import Answer
from medcam.phantom import render, sample_case
from medcam.service.annotate.options import AnnotateOptions
from medcam.service.annotate.run import annotate
from medcam.service.annotate.selection import select
from medcam.service.explanations.explanation_json import read_explanation

SILENT = {"ViewPosition": "", "ViewCodeSequence": [], "PatientOrientation": None, "SeriesDescription": ""}


def film(pixels: np.ndarray, **attributes: str) -> Radiograph:
    window = DisplayWindow(center=0.5, width=1.0)
    return Radiograph(np.asarray(pixels, dtype=np.float32), window, attributes=attributes)


def test_the_look_is_asked_only_where_attributes_are_silent() -> None:
    chest, bars = render(sample_case(31, 4), 256).linear, np.indices((256, 200))[0] // 25 % 2
    assert select(film(chest, modality="CR")).answer is Answer.UNDECIDED
    assert select(film(bars, modality="CR")).reason == "unlike a chest film"
    assert select(film(chest, modality="CT")).reason == "not an x-ray"
    told = {"modality": "CR", "body_part": "CHEST", "described_view": "frontal"}
    assert select(film(bars, **told)).answer is Answer.YES


def test_a_silent_film_is_annotated_with_a_warning_and_a_pattern_is_skipped(
    films: Path, tmp_path: Path, options: AnnotateOptions
) -> None:
    edited(films / "film-0.dcm", films / "film-0.dcm", **SILENT)
    pattern = pydicom.dcmread(edited(films / "film-1.dcm", films / "film-1.dcm", **SILENT))
    stored = pattern.pixel_array
    pattern.PixelData = ((np.indices(stored.shape)[0] // 25 % 2) * 4000).astype(stored.dtype).tobytes()
    pattern.save_as(films / "film-1.dcm")

    manifest = annotate([films], tmp_path / "out", options)

    assert {item.source: item.code for item in manifest.skipped} == {"film-1.dcm": "unlike-a-chest-film"}
    folder = folders(manifest, tmp_path / "out")["film-0.dcm"]
    warnings = read_explanation(folder / "explanation.json").warnings
    assert any("do not say that this is a frontal chest film" in warning for warning in warnings)
