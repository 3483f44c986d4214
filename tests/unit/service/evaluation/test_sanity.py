from dataclasses import replace

import numpy as np
import pytest
import torch

from medcam.core.errors import UsageError
from medcam.evaluate.sanity.record import SanityRecord, Verdict
from medcam.evaluate.sanity.rule import answers_alike
from medcam.models.classifier import build_classifier
from medcam.models.files import save_model
from medcam.models.randomise import deciding_head, layers_from_output, random_weights
from medcam.models.registry import load_model
from medcam.service.evaluation.judged_films import judged_films
from medcam.service.evaluation.sanity import CASCADE, LABELS, LAYER, MODELS, evaluate_sanity, write_sanity
from medcam.service.evaluation.sanity_changes import CHANGES, GRID


@pytest.fixture(scope="module")
def record(tiny_model_folder) -> SanityRecord:
    return evaluate_sanity(tiny_model_folder, methods=("cam", "eigen-cam", "guided-backprop"), films=20)


def of(record, method, test, *, decides=True):
    return [
        row
        for row in record.rows
        if (row.method, row.test, row.measure) == (method, test, "spearman") and row.decides is decides
    ]


def test_the_exact_map_is_lost_with_the_weights(record):
    for test in (CASCADE, LAYER):
        [row] = of(record, "cam", test)
        assert row.verdict is Verdict.PASSED
        assert row.similarity.high < row.threshold == row.unrelated + 0.1 * (1.0 - row.unrelated)
        assert not row.control


def test_the_known_bad_control_keeps_its_maps_where_the_head_is_at_random(record):
    [row] = of(record, "guided-backprop", LAYER)

    assert row.detail == "head"
    assert row.similarity.low > 0.9 > row.threshold
    assert row.verdict is Verdict.FAILED
    assert row.control
    assert record.verdict("guided-backprop") is Verdict.FAILED


def test_a_map_that_asks_no_finding_keeps_all_where_the_head_is_at_random(record):
    [row] = of(record, "eigen-cam", LAYER)

    assert row.similarity.value == pytest.approx(1.0)
    assert row.verdict is Verdict.FAILED


def test_what_could_not_be_tested_is_said(record):
    assert len(record.notes) == 2
    assert not of(record, "cam", MODELS)
    assert not of(record, "cam", LABELS)
    assert (record.films, record.patients) == (20, 20)


def test_a_model_is_its_own_second_and_keeps_every_map(tiny_model_folder, tmp_path):
    record = evaluate_sanity(
        tiny_model_folder, methods=("cam",), films=10, second=tiny_model_folder, shuffled=tiny_model_folder
    )

    [same], [shuffled] = of(record, "cam", MODELS), of(record, "cam", LABELS)
    assert same.verdict is Verdict.PASSED
    assert "the logits of tiny and tiny correlate by 1.00" in record.notes
    assert shuffled.verdict is Verdict.FAILED, "labels that were not shuffled lose nothing"
    write_sanity(record, tmp_path / "sanity.json")
    assert SanityRecord.from_json((tmp_path / "sanity.json").read_text(encoding="utf-8")) == record


def test_a_second_model_that_answers_otherwise_is_measured_and_does_not_count(
    tiny_network, tiny_model_folder, tmp_path
):
    _, card = tiny_network
    with torch.random.fork_rng():
        torch.manual_seed(77)
        save_model(tmp_path / "other", build_classifier(replace(card, name="other")), replace(card, name="other"))
    record = evaluate_sanity(tiny_model_folder, methods=("cam",), films=10, second=tmp_path / "other")
    first, second = (load_model(folder) for folder in (tiny_model_folder, tmp_path / "other"))
    inputs = np.stack([film.inputs for film in judged_films(first, "phantoms", 10, 0)])
    logits = [model.predict(inputs).logits for model in (first, second)]
    [told] = [note for note in record.notes if "correlate" in note]

    assert answers_alike(*logits) < 0.5, "two random networks: choose another seed"
    assert told.startswith(f"the logits of other and tiny correlate by {answers_alike(*logits):.2f}: under 0.5")
    assert not of(record, "cam", MODELS)
    [row] = of(record, "cam", MODELS, decides=False)
    assert row.similarity.value is not None


def test_models_that_are_not_alike_are_refused(tiny_model_folder):
    with pytest.raises(UsageError) as told:
        evaluate_sanity(tiny_model_folder, methods=("cam",), films=2, second="text")

    assert told.value.code == "models-not-alike"


def test_a_head_of_one_feature_is_joined_by_what_comes_before_it():
    network = torch.nn.ModuleDict({"neck": torch.nn.Conv2d(3, 4, 1), "units": torch.nn.Conv2d(4, 1, 1)})
    network["head"] = torch.nn.Linear(1, 1)
    network["wide"] = torch.nn.Linear(4, 1)

    # Another factor leaves the ranks of a map as they are: only from the units on can they change.
    assert deciding_head(network, ["head", "units", "neck"]) == 2
    assert deciding_head(network, ["wide", "neck"]) == 1
    assert deciding_head(network, ["head"]) == 1


def test_weights_are_at_random_for_as_long_as_the_block_lasts(tiny_model_folder):
    network = load_model(tiny_model_folder).network
    before = {name: value.clone() for name, value in network.state_dict().items()}
    layers = layers_from_output(network, torch.zeros(1, 1, 64, 64))

    assert layers[0] == "head"
    assert layers[-1].endswith("conv1")
    for layer in layers:
        with random_weights(network, [layer], seed=1):
            changed = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
        assert all(name.startswith(f"{layer}.") for name in changed)
        assert changed or "bn" in layer, "a batch norm may be as it was before training"
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.test)
def test_a_map_that_follows_the_film_is_where_it_is_expected(change):
    """A map that is the film itself, on the grid: whatever moves the film moves it alike."""
    inputs = np.random.default_rng(0).normal(size=(1, 1, GRID, GRID)).repeat(4, axis=2).repeat(4, axis=3)
    smooth = np.cumsum(np.cumsum(inputs, axis=2), axis=3).astype(np.float32)

    def maps(images):
        return images[:, 0].reshape(1, GRID, 4, GRID, 4).mean(axis=(2, 4))

    changed, expected = maps(change.inputs(smooth, 0)), change.expected(maps(smooth))

    assert np.corrcoef(changed.ravel(), expected.ravel())[0, 1] > 0.99
