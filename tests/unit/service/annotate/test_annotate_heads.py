"""Every pooling head from training to the reader's page: its relation holds, its ledger is there or is refused."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from jsonschema import Draft202012Validator
from safetensors.numpy import load_file
from streamlit.testing.v1 import AppTest

from medcam.cam.evidence import evidence
from medcam.core.errors import InvalidValueError
from medcam.core.explanation import Explanation
from medcam.core.finding import ZonesSource
from medcam.core.radiograph import Identity
from medcam.core.reader import Role
from medcam.core.zones import Zones
from medcam.dicom import load_radiograph
from medcam.models.files import WEIGHTS
from medcam.models.loaded import LoadedModel
from medcam.models.registry import load_model
from medcam.models.training.config import Augmentation, TrainingConfig
from medcam.models.training.films import Films
from medcam.phantom import Phantom
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.explain import explain
from medcam.service.explanations.explained import ExplainedRadiograph
from medcam.service.explanations.explanation_json import FILE_NAME, read_explanation, schema
from medcam.service.explanations.from_dicom import load_explanation
from medcam.service.review import dashboards_folder
from medcam.service.studies.opened import opened_store
from medcam.service.training.train import Provenance, split_sets, train_model

SIDE = 64
HEADS = {
    "gap": {},
    "gmp": {},
    "map-gmp": {},
    "lse": {"r": 3.0},
    "pcam": {},
}
LEDGERS = {"gap", "pcam"}
NAMES = ("Pleural Effusion", "Nodule")


def bright_films() -> Films:
    """Films that are brighter on one side, or have a bright spot, or both, or neither."""
    rng = np.random.default_rng(0)
    images = rng.normal(0.0, 0.2, (64, SIDE, SIDE))
    labels = np.stack([np.arange(64) % 2, np.arange(64) // 2 % 2], axis=1).astype(np.int8)
    images[labels[:, 0] == 1, 16:48, 32:] += 1.0
    images[labels[:, 1] == 1, 20:28, 8:16] += 2.0
    return Films(NAMES, images.astype(np.float16), labels, np.arange(64), np.full(64, -1))


@dataclass(frozen=True)
class Trained:
    """A head's model, as it lies on the disk."""

    head: str
    folder: Path
    model: LoadedModel
    weights: dict[str, np.ndarray]

    def recomputed(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Maps and logits of features [k, h, w] in float64, from the weights on the disk alone."""
        weight, bias = self.weights["head.weight"], self.weights["head.bias"]
        scores = np.einsum("ck,kyx->cyx", weight, features)
        flat = scores.reshape(len(scores), -1)
        if self.head == "gap":
            return scores, flat.mean(axis=1) + bias
        if self.head == "gmp":
            return scores, weight @ features.max(axis=(1, 2)) + bias
        if self.head == "map-gmp":
            return scores, flat.max(axis=1) + bias
        sharpness = self.weights["head.sharpness"]
        if self.head == "lse":
            return scores, np.log(np.exp(sharpness[:, None] * flat).mean(axis=1)) / sharpness + bias
        sigmoid = 1.0 / (1.0 + np.exp(-sharpness[:, None] * flat))
        shown = sigmoid / sigmoid.sum(axis=1, keepdims=True) * flat
        return shown.reshape(scores.shape), shown.sum(axis=1) + bias


@pytest.fixture(scope="module", params=HEADS)
def trained(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """One epoch on synthetic films, saved and loaded."""
    folder = tmp_path_factory.mktemp("heads") / request.param
    config = TrainingConfig(
        backbone="resnet",
        backbone_options={"stride": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 8]},
        head=request.param,
        head_options=HEADS[request.param],
        augmentation=Augmentation(shift=0.0, turn=0.0, zoom=0.0),
        epochs=1,
        batch=8,
        threads=1,
    )
    provenance = Provenance("synthetic films", "CC0-1.0", "none")
    card = train_model("headed", split_sets(bright_films(), 1), config, folder, provenance=provenance)
    assert card.head == request.param
    weights = {name: value.astype(np.float64) for name, value in load_file(folder / WEIGHTS).items()}
    return Trained(request.param, folder, load_model(folder), weights)


@pytest.fixture(scope="module")
def explanation(trained: Trained, phantom_dicom: Path, phantoms: tuple[Phantom, ...]) -> ExplainedRadiograph:
    zones = Zones.from_anatomy(phantoms[0].zones, source=ZonesSource.PHANTOM, quality=1.0)
    return explain(phantom_dicom / "film-0.dcm", trained.model, zones=zones, allow_out_of_distribution=True)


def features(trained: Trained, film: Path) -> np.ndarray:
    """What the head was given, [k, h, w]."""
    values = trained.model.prepare(load_radiograph(film)).values
    with torch.inference_mode():
        return trained.model.network.backbone(torch.from_numpy(values[None].copy()))[0].double().numpy()


def test_map_and_logit_are_what_the_head_says_they_are(
    trained: Trained, explanation: ExplainedRadiograph, phantom_dicom: Path
) -> None:
    maps, logits = trained.recomputed(features(trained, phantom_dicom / "film-0.dcm"))
    for finding, values, logit in zip(explanation.findings, maps, logits, strict=True):
        np.testing.assert_allclose(finding.map.values, values, atol=1e-4, rtol=1e-4)
        assert finding.logit == pytest.approx(logit, abs=1e-3)
        assert finding.probability == pytest.approx(1.0 / (1.0 + np.exp(-logit)), abs=1e-4)


def test_the_relation_in_the_file_leads_from_the_map_to_the_logit(
    trained: Trained, explanation: ExplainedRadiograph, tmp_path: Path
) -> None:
    path = explanation.save(tmp_path)
    data = json.loads((path if path.is_file() else path / FILE_NAME).read_text())
    Draft202012Validator(schema()).validate(data)
    for number, finding in enumerate(data["findings"]):
        values = np.array(finding["map"]["values"], dtype=np.float64)
        relation, rest = finding["map"]["relation"], finding["logit"] - finding["bias"]
        if relation == "mean":
            assert values.mean() == pytest.approx(rest, abs=1e-3)
        elif relation == "sum":
            assert values.sum() == pytest.approx(rest, abs=1e-3)
        elif relation == "maximum":
            assert values.max() == pytest.approx(rest, abs=1e-3)
        elif relation == "log-mean-exp":
            r = trained.weights["head.sharpness"][number]
            assert np.log(np.exp(r * values).mean()) / r == pytest.approx(rest, abs=1e-3)
        else:
            # The maxima lie in different cells: nothing that is made of the map alone is the logit.
            assert relation == "feature-maxima"
            assert min(abs(made - rest) for made in (values.mean(), values.max(), values.sum())) > 1e-3
        assert finding["map"]["ledger"] == (finding["evidence"] is not None) == (trained.head in LEDGERS)
    again = read_explanation(path)
    assert [one.map.relation for one in again.findings] == [one.map.relation for one in explanation.findings]


def test_the_ledger_is_there_where_it_holds_and_refused_with_its_reason_elsewhere(
    trained: Trained, explanation: ExplainedRadiograph
) -> None:
    told = [warning for warning in explanation.warnings if warning.startswith("no ledger of evidence")]
    assert len(told) == (trained.head not in LEDGERS)
    for finding in explanation.findings:
        if trained.head in LEDGERS:
            assert finding.evidence is not None
            assert finding.evidence.logit == pytest.approx(finding.logit, abs=1e-4)
            assert finding.evidence.bias + sum(finding.evidence.zones.values()) == pytest.approx(
                finding.logit, abs=1e-3
            )
        else:
            assert finding.evidence is None
            assert finding.map.relation.words in told[0]
            with pytest.raises(InvalidValueError, match="do not add up to a logit"):
                evidence(finding.map)


def test_pictures_and_the_notebook_do_without_a_ledger(trained: Trained, explanation: ExplainedRadiograph) -> None:
    for name in NAMES:
        picture = explanation.overlay(name)
        assert (picture.dtype, picture.shape[2]) == (np.uint8, 3)
    page = explanation._repr_html_()
    assert all(f"{finding.logit:+.2f}" in page for finding in explanation.findings)
    assert ("no ledger of evidence" in page) == (trained.head not in LEDGERS)


def review_page(store: Path, explanation: Explanation, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The review page of a film, as somebody with all roles sees it."""
    monkeypatch.syspath_prepend(str(dashboards_folder()))
    import desk
    import session

    with opened_store(store) as opened:
        reader = opened.readers.set("local", "ada", name="Ada", roles=list(Role), everything=True)
        monkeypatch.setattr(desk, "_OPENED", [opened])
        monkeypatch.setattr(session, "current_reader", lambda: desk.DeskReader(reader))
        page = AppTest.from_file(str(dashboards_folder() / "pages" / "review.py"), default_timeout=60)
        page.query_params["study"] = Identity.folder_name(explanation.source.identity.study_instance_uid)
        return page.run()


def test_files_dicom_objects_and_the_page_bear_a_head_without_a_ledger(
    trained: Trained, phantom_dicom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    options = AnnotateOptions(
        model=str(trained.folder),
        workers=1,
        outputs=tuple(Output),
        allow_out_of_distribution=True,
        store=str(tmp_path / "store"),
    )
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    manifest = annotate([phantom_dicom / "film-0.dcm"], out, options)
    assert manifest.counts.annotated == 1
    [path] = out.rglob(FILE_NAME)
    written = read_explanation(path)
    from_report = load_explanation(path.with_name("sr.dcm"))
    for one, other in zip(written.findings, from_report.findings, strict=True):
        assert (other.evidence is None) == (one.evidence is None) == (trained.head not in LEDGERS)
        assert other.map.relation is one.map.relation
        assert other.logit == pytest.approx(one.logit, abs=1e-6)

    page = review_page(tmp_path / "store", written, monkeypatch)
    assert [error.message for error in page.exception] == []
    captions = "\n".join(element.value for element in page.caption)
    assert ("There is no ledger: the logit is" in captions) == (trained.head not in LEDGERS)
    assert ("Ledger, in logit units" in "\n".join(element.value for element in page.html)) == (trained.head in LEDGERS)
