import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from medcam.core.activation import ActivationMap
from medcam.core.codes import CodedConcept
from medcam.core.errors import InputError, InvalidValueError
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Evidence, Finding, Point, Region, ZonesSource
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import Identity
from medcam.core.zones import ZONES
from medcam.service.explanations.explained import ExplainedRadiograph
from medcam.service.explanations.explanation_json import (
    SCHEMA_PATH,
    explanation_from_dict,
    explanation_text,
    explanation_to_dict,
    read_explanation,
    schema,
    write_explanation,
)

SIZES = st.integers(1, 5)
POSITIONS = st.floats(0, 4000)
EXTENTS = st.floats(0.01, 4000)
TEXTS = st.text(max_size=12)


def closed(form: Any) -> Any:
    """The schema with every object closed: what we write is described to the last field."""
    if isinstance(form, list):
        return [closed(item) for item in form]
    if not isinstance(form, dict):
        return form
    made = {key: closed(value) for key, value in form.items()}
    return made | {"additionalProperties": False} if "properties" in form else made


def outline(region: Region) -> list[float]:
    return [value for point in region.contour for value in (point.x, point.y)]


VALIDATOR = Draft202012Validator(closed(schema()))


@st.composite
def regions(draw: st.DrawFn) -> Region:
    points = st.builds(Point, POSITIONS, POSITIONS)
    return Region(
        box=Box(draw(POSITIONS), draw(POSITIONS), draw(EXTENTS), draw(EXTENTS)),
        peak=draw(points),
        share=draw(st.floats(0, 1)),
        contour=tuple(draw(st.lists(points, max_size=4))),
        rule=draw(st.sampled_from(("paper", "calibrated"))),
    )


def ledgers(draw: st.DrawFn, activation: ActivationMap) -> Evidence:
    values = activation.values.astype(np.float64)
    positive, negative = float(np.maximum(values, 0).mean()), float(np.minimum(values, 0).mean())
    shares = np.array(draw(st.lists(st.floats(0.01, 1), min_size=len(ZONES), max_size=len(ZONES))))
    split = (positive + negative) * shares / shares.sum()
    zones = dict(zip(ZONES, map(float, split), strict=True)) if draw(st.booleans()) else None
    quality = draw(st.none() | st.floats(0, 1))
    return Evidence(activation.bias, positive, negative, zones, draw(st.sampled_from(ZonesSource)), quality)


@st.composite
def findings(draw: st.DrawFn, name: str) -> Finding:
    height, width = draw(SIZES), draw(SIZES)
    cells = st.floats(-50, 50, width=32)
    values = np.array(draw(st.lists(cells, min_size=height * width, max_size=height * width)), dtype=np.float32)
    transform = GridTransform(
        draw(st.integers(1, 5000)),
        draw(st.integers(1, 5000)),
        height,
        width,
        draw(st.floats(-3, -1e-3)),
        draw(st.floats(1e-3, 3)),
        draw(st.floats(-9, 9)),
        draw(st.floats(-9, 9)),
    )
    ledger = draw(st.booleans())
    bias = draw(st.floats(-5, 5, width=32))
    activation = ActivationMap(values.reshape(height, width), bias, transform, "cam", draw(TEXTS), ledger)
    logit = float(values.mean(dtype=np.float32) + np.float32(bias))
    return Finding(
        name=name,
        code=draw(st.none() | st.just(CodedConcept("46621007", "SCT", "Atelectasis"))),
        probability=1.0 / (1.0 + float(np.exp(-logit))),
        logit=logit,
        threshold=draw(st.floats(0.01, 0.99)),
        present=draw(st.none() | st.booleans()),
        map=activation,
        evidence=ledgers(draw, activation) if ledger else None,
        regions=tuple(draw(st.lists(regions(), max_size=2))),
    )


@st.composite
def explanations(draw: st.DrawFn) -> Explanation:
    digests = st.just("") | st.just("0123456789abcdef" * 4)
    # UIDs are as found in the file, and files hold anything.
    identity = Identity(*(draw(st.text(max_size=8)) for _ in range(4)))
    score = draw(st.none() | st.floats(0, 1e6))
    return Explanation(
        source=Source(
            identity, draw(SIZES), draw(SIZES), draw(digests), draw(st.sampled_from(("PA", "AP", "unknown")))
        ),
        model=ModelReference(draw(TEXTS), draw(TEXTS), draw(digests)),
        engine=Engine("torch", "fp32", draw(st.floats(0, 1))),
        method="cam",
        findings=tuple(draw(findings(name)) for name in ("nodule", "mass")[: draw(st.integers(1, 2))]),
        out_of_distribution=OutOfDistribution(score, draw(st.none() | st.floats(0, 9)), draw(st.booleans())),
        warnings=tuple(draw(st.lists(TEXTS, max_size=2))),
        software={"medcam": draw(TEXTS)},
        created=draw(st.none() | st.datetimes(timezones=st.just(UTC), min_value=datetime(2020, 1, 1))),
        features=draw(st.none() | st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=4).map(np.float32)),
    )


@settings(max_examples=40, deadline=None)
@given(explanations())
def test_any_explanation_survives_the_way_to_json_and_back(explanation: Explanation) -> None:
    data = explanation_to_dict(explanation)
    text = json.dumps(data, allow_nan=False)
    again = explanation_from_dict(json.loads(text))
    assert json.dumps(explanation_to_dict(again)) == text
    assert list(VALIDATOR.iter_errors(json.loads(text))) == []
    assert (again.source, again.model, again.warnings) == (explanation.source, explanation.model, explanation.warnings)
    assert (again.software, again.created) == (explanation.software, explanation.created)
    np.testing.assert_array_equal(explanation.features, again.features)
    for before, after in zip(explanation.findings, again.findings, strict=True):
        np.testing.assert_array_equal(before.map.values, after.map.values)
        assert before.map.transform == after.map.transform
        assert (before.name, before.code, before.present) == (after.name, after.code, after.present)
        assert after.logit == pytest.approx(before.logit, rel=1e-8)
        assert after.probability == pytest.approx(before.probability, rel=1e-8)
        for one, other in zip(before.regions, after.regions, strict=True):
            assert other.box.corners == pytest.approx(one.box.corners, abs=2e-3)
            assert outline(other) == pytest.approx(outline(one), abs=6e-3)


@settings(max_examples=40, deadline=None)
@given(findings("nodule"))
def test_written_values_and_bias_add_up_to_the_written_logit(finding: Finding) -> None:
    source = Source(Identity(), 1, 1, "")
    model, ood = ModelReference("m", "1", ""), OutOfDistribution(None, None, False)
    [written] = explanation_to_dict(Explanation(source, model, Engine(), "cam", (finding,), ood))["findings"]
    total = sum(written["map"]["values"]) / len(written["map"]["values"]) + written["bias"]
    assert total == pytest.approx(written["logit"], abs=1e-4)


def test_a_real_explanation_is_as_published(explained: ExplainedRadiograph) -> None:
    data = json.loads(json.dumps(explanation_to_dict(explained), allow_nan=False))
    assert list(VALIDATOR.iter_errors(data)) == []
    for finding, written in zip(explained.findings, data["findings"], strict=True):
        values = written["map"]["values"]
        assert len(values) == written["map"]["height"] * written["map"]["width"]
        assert values[written["map"]["width"]] == pytest.approx(float(finding.map.values[1, 0]))
        ledger = written["evidence"]
        total = written["bias"] + ledger["total_positive"] + ledger["total_negative"]
        assert total == pytest.approx(written["logit"], abs=1e-4)
        assert sum(ledger["zones"].values()) + written["bias"] == pytest.approx(written["logit"], abs=1e-4)
        assert [region["rule"] for region in written["regions"]] == [region.rule for region in finding.regions]


def test_the_fields_that_other_programs_rely_on_are_there(explained: ExplainedRadiograph) -> None:
    data = explanation_to_dict(explained)
    assert {"schema_version", "source", "model", "engine", "method", "findings", "out_of_distribution"} <= set(data)
    assert {"warnings", "software", "created"} <= set(data)
    assert {"sop_instance_uid", "study_instance_uid", "rows", "columns", "sha256"} <= set(data["source"])
    assert set(data["model"]) == {"name", "version", "weights_sha256"}
    assert set(data["engine"]) == {"name", "precision", "max_logit_error"}
    assert {"score", "flagged"} <= set(data["out_of_distribution"])
    finding = data["findings"][0]
    assert {"name", "code", "probability", "logit", "bias", "threshold", "present"} <= set(finding)
    assert {"height", "width", "values"} <= set(finding["map"])
    wanted = {"total_positive", "total_negative", "zones", "zones_source", "zones_quality"}
    assert wanted <= set(finding["evidence"])
    assert {"x", "y", "width", "height", "peak", "share"} <= set(finding["regions"][0])
    assert data["notice"] == "Research use. Not a medical device."


def test_the_published_schema_is_the_one_in_use() -> None:
    published = json.loads(SCHEMA_PATH.read_text(encoding="utf-8"))
    assert published == schema(), "run `python -m medcam.service.explanations.explanation_schema`"
    Draft202012Validator.check_schema(published)


def test_the_schema_refuses_what_is_wrong(explained: ExplainedRadiograph) -> None:
    data = json.loads(json.dumps(explanation_to_dict(explained)))
    validator = Draft202012Validator(schema())
    assert validator.is_valid(data | {"later_addition": 1})
    for change in ({"schema_version": "2.0"}, {"findings": []}, {"method": None}):
        assert not validator.is_valid(data | change)
    data["findings"][0]["probability"] = 1.5
    assert not validator.is_valid(data)


def test_a_file_is_read_as_it_was_written(explained: ExplainedRadiograph, tmp_path: Path) -> None:
    path = write_explanation(tmp_path / "explanation.json", explained)
    again = read_explanation(path)
    assert explanation_to_dict(again) == explanation_to_dict(explained)
    assert [item.name for item in tmp_path.iterdir()] == ["explanation.json"]


def test_a_uid_of_broken_characters_is_kept(explained: ExplainedRadiograph, tmp_path: Path) -> None:
    source = replace(explained.source, identity=Identity(sop_instance_uid="1.2.\udcff"))
    path = write_explanation(tmp_path / "explanation.json", replace(explained, source=source))
    assert read_explanation(path).source == source


@pytest.mark.parametrize("scale", [1e-40, 1e-20, 1e-7, 1e-3, 1.0, 37.0, 1e5, 1e20, 1e38])
@pytest.mark.parametrize("uid", ["1.2", "1.2.\udcff"])
def test_maps_are_the_shortest_decimals_of_their_float32(
    explained: ExplainedRadiograph, scale: float, uid: str
) -> None:
    finding = explained.findings[0]
    values = (np.random.default_rng(3).uniform(-1, 1, size=finding.map.values.shape) * scale).astype(np.float32)
    values[0, :2] = 0.0, scale
    source = replace(explained.source, identity=Identity(sop_instance_uid=uid))
    changed = replace(finding, map=replace(finding.map, values=values))
    text = explanation_text(replace(explained, source=source, findings=(changed,)))
    found = json.loads(text)["findings"][0]["map"]["values"]
    assert found == [float(str(value)) for value in values.ravel()]
    assert (np.array(found, dtype=np.float32) == values.ravel()).all()
    assert text.count("\n") == 1


def test_numbers_that_are_not_finite_are_never_written(explained: ExplainedRadiograph) -> None:
    finding = explained.findings[0]
    broken = np.array(finding.map.values)
    broken[0, 0] = np.inf
    strange = OutOfDistribution(float("nan"), 1.0, True)
    with pytest.raises(InvalidValueError, match="finite"):
        explanation_to_dict(replace(explained, findings=(replace(finding, map=replace(finding.map, values=broken)),)))
    with pytest.raises(InvalidValueError, match="finite"):
        explanation_to_dict(replace(explained, out_of_distribution=strange))
    with pytest.raises(InvalidValueError, match="finite"):
        explanation_to_dict(replace(explained, features=np.array([np.nan], dtype=np.float32)))


def test_maps_of_another_method_are_refused(explained: ExplainedRadiograph) -> None:
    with pytest.raises(InvalidValueError, match="grad-cam"):
        explanation_to_dict(replace(explained, method="grad-cam"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data.pop("findings"),
        lambda data: data["findings"][0]["map"].update(width=99),
        lambda data: data["findings"][0]["map"]["transform"].update(scale_x=0.0),
        lambda data: data["findings"][0].update(logit="high"),
        lambda data: data["findings"][0]["regions"][0].update(width=-1.0),
        lambda data: data["findings"][0]["evidence"].update(zones_source="guess"),
        lambda data: data.update(created="yesterday"),
        lambda data: data.update(source=None),
    ],
)
def test_what_is_no_explanation_is_refused(explained: ExplainedRadiograph, spoil: Any) -> None:
    data = json.loads(json.dumps(explanation_to_dict(explained)))
    spoil(data)
    with pytest.raises(InputError) as caught:
        explanation_from_dict(data)
    assert caught.value.code == "not-an-explanation"


def test_another_major_version_is_refused_and_a_minor_one_is_read(explained: ExplainedRadiograph) -> None:
    data = explanation_to_dict(explained)
    assert len(explanation_from_dict(data | {"schema_version": "1.7", "later_addition": 1}).findings) == 8
    with pytest.raises(InputError) as caught:
        explanation_from_dict(data | {"schema_version": "2.0"})
    assert caught.value.code == "schema-version"


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[]", b"[" * 100_000, b'{"schema_version": NaN}'])
def test_files_that_are_no_explanation_are_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "explanation.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_explanation(path)
    assert caught.value.code == "not-an-explanation"


def test_a_missing_file_is_unreadable(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        read_explanation(tmp_path / "none.json")
    assert caught.value.code == "unreadable"
