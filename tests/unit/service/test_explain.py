import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pydicom
import pytest

from medcam.core.card import PAPER_RULE, ModelCard
from medcam.core.display import DisplayWindow
from medcam.core.errors import InputError, InvalidValueError, ModelError, UsageError
from medcam.core.finding import ZonesSource
from medcam.core.prediction import Prediction
from medcam.core.protocols import Classifier, ModelInput
from medcam.core.radiograph import Radiograph, View
from medcam.core.zones import ZONES, Zones
from medcam.dicom import load_radiograph
from medcam.phantom import Phantom
from medcam.service import explain as explain_module
from medcam.service.explain import explain, explain_batch
from medcam.service.explanations.explained import ExplainedRadiograph


class Changed:
    """The tiny model with parts of its answer replaced."""

    def __init__(self, model: Classifier, scores=None, card: ModelCard | None = None, **parts) -> None:
        self.model, self.scores, self.parts = model, scores, parts
        self.card = card or model.card

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        return self.model.prepare(radiograph)

    def predict(self, inputs: np.ndarray) -> Prediction:
        return replace(self.model.predict(inputs), **self.parts)

    def out_of_distribution(self, inputs: np.ndarray, prediction: Prediction) -> np.ndarray | None:
        return None if self.scores is None else np.full(len(prediction), self.scores, dtype=np.float32)


@pytest.fixture(scope="module")
def film(phantom_dicom: Path) -> Radiograph:
    return load_radiograph(phantom_dicom / "film-0.dcm")


@pytest.fixture(scope="module")
def true_zones(phantoms: tuple[Phantom, ...]) -> Zones:
    return Zones.from_anatomy(phantoms[0].zones, source=ZonesSource.PHANTOM, quality=1.0)


def test_the_maps_add_up_to_the_networks_own_logits(
    explained: ExplainedRadiograph, tiny_model: Classifier, film: Radiograph
) -> None:
    own = tiny_model.predict(tiny_model.prepare(film).values[None]).logits[0]
    assert [finding.name for finding in explained.findings] == list(tiny_model.card.finding_names)
    for finding, logit in zip(explained.findings, own, strict=True):
        assert finding.logit == pytest.approx(float(logit), abs=1e-4)
        assert float(finding.map.values.mean(dtype=np.float64)) + finding.map.bias == pytest.approx(
            finding.logit, abs=1e-5
        )
        assert finding.probability == pytest.approx(1.0 / (1.0 + np.exp(-float(logit))), abs=1e-5)
        assert finding.present is (finding.probability >= finding.threshold)
    assert {finding.present for finding in explained.findings} == {True, False}


def test_the_ledger_is_split_over_zones_found_on_the_film(explained: ExplainedRadiograph) -> None:
    for finding in explained.findings:
        ledger = finding.evidence
        assert ledger is not None
        assert ledger.zones_source is ZonesSource.REGISTRATION
        assert ledger.logit == pytest.approx(finding.logit, abs=1e-4)
        assert ledger.zones is not None
        assert set(ledger.zones) == set(ZONES)
        assert ledger.bias + sum(ledger.zones.values()) == pytest.approx(finding.logit, abs=1e-4)


def test_regions_come_by_both_rules_and_lie_on_the_film(explained: ExplainedRadiograph) -> None:
    for finding in explained.findings:
        rules = [region.rule for region in finding.regions]
        assert rules == sorted(rules, key=("calibrated", "paper").index)
        assert rules.count("paper") == 1
        for region in finding.regions:
            left, top, right, bottom = region.box.corners
            assert 0 <= left < right <= explained.source.columns
            assert 0 <= top < bottom <= explained.source.rows
            assert region.box.contains(region.peak.x, region.peak.y)
            assert len(region.contour) >= 3


def test_a_card_with_the_papers_rule_gives_its_region_once(
    tiny_model: Classifier, film: Radiograph, true_zones: Zones
) -> None:
    plain = tuple(replace(card, region_rule=PAPER_RULE) for card in tiny_model.card.findings)
    model = Changed(tiny_model, card=replace(tiny_model.card, findings=plain))
    result = explain(film, model, zones=true_zones)
    assert [[region.rule for region in finding.regions] for finding in result.findings] == [["paper"]] * len(plain)


def test_an_explanation_names_all_that_it_came_from(
    explained: ExplainedRadiograph, phantom_dicom: Path, tiny_model_folder: Path
) -> None:
    path = phantom_dicom / "film-0.dcm"
    assert explained.source.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert explained.source.identity.sop_instance_uid == pydicom.dcmread(path).SOPInstanceUID
    assert (explained.source.rows, explained.source.columns) == (160, 160)
    weights = (tiny_model_folder / "weights.safetensors").read_bytes()
    assert explained.model.weights_sha256 == hashlib.sha256(weights).hexdigest()
    assert (explained.method, explained.engine.name, explained.engine.precision) == ("cam", "torch", "fp32")
    assert {finding.map.layer for finding in explained.findings} == {"layer4"}
    libraries = {"torch", "openvino", "monai", "pydicom", "numpy", "highdicom", "simpleitk"}
    assert set(explained.software) == {"medcam", "medcam.anatomy"} | libraries
    assert explained.created is not None
    assert timedelta(0) <= datetime.now(UTC) - explained.created < timedelta(hours=1)


def test_known_zones_are_used_and_nothing_is_registered(
    tiny_model: Classifier, film: Radiograph, true_zones: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(explain_module, "find_zones", lambda _: pytest.fail("a known film was registered"))
    result = explain(film, tiny_model, zones=true_zones)
    assert {finding.evidence.zones_source for finding in result.findings} == {ZonesSource.PHANTOM}


def test_zones_are_looked_for_once_per_film(
    tiny_model: Classifier, film: Radiograph, true_zones: Zones, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(explain_module, "find_zones", lambda one: asked.append(one) or true_zones)
    explain_batch([film, film, film], tiny_model, zones=[None, true_zones, None])
    assert len(asked) == 2


def test_poor_zones_leave_the_ledger_unsplit(tiny_model: Classifier, film: Radiograph, true_zones: Zones) -> None:
    poor = Zones(true_zones.masks, ZonesSource.REGISTRATION, quality=0.2)
    for finding in explain(film, tiny_model, zones=poor).findings:
        assert finding.evidence.zones is None
        assert (finding.evidence.zones_source, finding.evidence.zones_quality) == (ZonesSource.REGISTRATION, 0.2)


def test_a_batch_says_what_single_films_say(phantom_dicom: Path, tiny_model: Classifier, true_zones: Zones) -> None:
    films = [load_radiograph(path) for path in sorted(phantom_dicom.glob("*.dcm"))]
    together = explain_batch(films, tiny_model, zones=[true_zones] * len(films))
    for one, result in zip(films, together, strict=True):
        [alone] = explain_batch([one], tiny_model, zones=[true_zones])
        assert result.source == alone.source
        for first, second in zip(result.findings, alone.findings, strict=True):
            np.testing.assert_allclose(first.map.values, second.map.values, atol=1e-5)
    assert len({result.source.sha256 for result in together}) == len(films)


def test_a_batch_of_nothing_is_nothing(tiny_model: Classifier) -> None:
    assert explain_batch([], tiny_model) == []


def test_zones_must_match_the_films(tiny_model: Classifier, film: Radiograph) -> None:
    with pytest.raises(InvalidValueError, match="1 films"):
        explain_batch([film], tiny_model, zones=[None, None])


def test_a_strange_film_is_withheld_unless_allowed(
    strict_model: Classifier, film: Radiograph, true_zones: Zones
) -> None:
    withheld = explain(film, strict_model, zones=true_zones)
    allowed = explain(film, strict_model, zones=true_zones, allow_out_of_distribution=True)
    for result in (withheld, allowed):
        assert result.out_of_distribution.flagged
        assert result.out_of_distribution.score > result.out_of_distribution.threshold
        assert result.warnings[0].startswith("out of distribution: ")
    assert {finding.present for finding in withheld.findings} == {None}
    assert {finding.present for finding in allowed.findings} == {True, False}


@pytest.mark.parametrize(("scores", "threshold", "flagged"), [(1.0, 2.0, False), (2.5, 2.0, True), (np.nan, 2.0, True)])
def test_scores_are_held_against_the_card(
    tiny_model: Classifier, film: Radiograph, true_zones: Zones, scores: float, threshold: float, flagged: bool
) -> None:
    card = replace(tiny_model.card, out_of_distribution_threshold=threshold)
    result = explain(film, Changed(tiny_model, scores, card), zones=true_zones)
    assert result.out_of_distribution.flagged is flagged
    assert any("out of distribution" in warning for warning in result.warnings) is flagged


def test_a_model_without_a_gate_says_so(explained: ExplainedRadiograph) -> None:
    assert explained.out_of_distribution.score is None
    assert not explained.out_of_distribution.flagged
    assert any("no out-of-distribution gate" in warning for warning in explained.warnings)


def test_scores_that_the_maps_do_not_explain_are_refused(
    tiny_model: Classifier, film: Radiograph, true_zones: Zones
) -> None:
    logits = tiny_model.predict(tiny_model.prepare(film).values[None]).logits + np.float32(0.01)
    with pytest.raises(ModelError) as caught:
        explain(film, Changed(tiny_model, logits=logits), zones=true_zones)
    assert caught.value.code == "ledger-mismatch"


def test_a_head_without_a_ledger_keeps_its_own_logit(
    tiny_model: Classifier, film: Radiograph, true_zones: Zones
) -> None:
    logits = np.full((1, len(tiny_model.card.findings)), 1.5, dtype=np.float32)
    result = explain(film, Changed(tiny_model, logits=logits, ledger=False), zones=true_zones)
    assert {finding.logit for finding in result.findings} == {1.5}
    assert {finding.evidence for finding in result.findings} == {None}


def test_every_kind_of_source_gives_the_same_findings(
    tiny_model: Classifier, film: Radiograph, phantom_dicom: Path, true_zones: Zones
) -> None:
    path = phantom_dicom / "film-0.dcm"
    sources = (path, str(path), pydicom.dcmread(path), film, film.pixels, film.pixels.astype(np.float64).tolist())
    for source in sources:
        for first, second in zip(
            explain(source, tiny_model, zones=true_zones).findings,
            explain(film, tiny_model, zones=true_zones).findings,
            strict=True,
        ):
            np.testing.assert_allclose(first.map.values, second.map.values, atol=1e-5)


def test_a_model_is_named_by_its_folder_too(film: Radiograph, tiny_model_folder: Path, true_zones: Zones) -> None:
    assert explain(film, tiny_model_folder, zones=true_zones).model.name == "tiny"
    with pytest.raises(ModelError) as caught:
        explain(film, "no such model", zones=true_zones)
    assert caught.value.code == "no-such-model"
    with pytest.raises(UsageError, match="int is no model"):
        explain(film, 7, zones=true_zones)


def test_an_array_is_told_apart_by_its_content_and_says_what_it_lacks(
    tiny_model: Classifier, true_zones: Zones
) -> None:
    film = np.arange(48 * 64, dtype=np.uint16).reshape(48, 64)
    results = [explain(one, tiny_model, zones=true_zones) for one in (film, film.copy(), film.reshape(64, 48))]
    assert results[0].source.sha256 == results[1].source.sha256 != results[2].source.sha256
    assert results[0].source.identity.sop_instance_uid == ""
    assert any("made from an array" in warning for warning in results[0].warnings)
    shown = results[0].radiograph.display()
    assert shown[0, 0] == 0
    assert shown[-1, -1] == 255


def test_a_constant_array_still_gets_an_answer(tiny_model: Classifier, true_zones: Zones) -> None:
    result = explain(np.full((40, 40), 7), tiny_model, zones=true_zones)
    assert len(result.findings) == len(tiny_model.card.findings)


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        (None, UsageError),
        (["a", "b"], UsageError),
        (np.zeros((4, 4, 3)), InvalidValueError),
        (np.full((4, 4), np.nan), InvalidValueError),
        (np.zeros((0, 4)), InvalidValueError),
    ],
)
def test_what_is_no_film_is_refused(tiny_model: Classifier, source: object, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        explain(source, tiny_model)


def test_a_file_that_is_no_dicom_is_refused_with_a_way_on(tiny_model: Classifier, tmp_path: Path) -> None:
    path = tmp_path / "film.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200))
    with pytest.raises(InputError) as caught:
        explain(path, tiny_model)
    assert caught.value.code == "not-dicom"
    assert "array" in caught.value.next_step
    with pytest.raises(InputError):
        explain(tmp_path / "missing.dcm", tiny_model)


def test_a_film_known_not_to_be_frontal_is_explained_with_a_warning(tiny_model: Classifier, true_zones: Zones) -> None:
    lateral = Radiograph(
        np.random.default_rng(0).random((64, 64)),
        DisplayWindow(center=0.5, width=1.0),
        view=View.LATERAL,
        attributes={"modality": "DX", "body_part": "CHEST"},
    )
    assert any(warning.startswith("not frontal") for warning in explain(lateral, tiny_model, zones=true_zones).warnings)
