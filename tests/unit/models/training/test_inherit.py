"""Going on from another network: what it knew of the findings that both know is kept to the digit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from medcam.core.errors import UsageError
from medcam.models.classifier import GapClassifier
from medcam.models.training.config import TrainingConfig
from medcam.models.training.inherit import inherit
from medcam.models.training.losses import MapParameters
from medcam.models.training.network import new_classifier

OLD, NEW = ("A", "B", "C"), ("D", "C", "A")


def network(config: TrainingConfig, findings: int, seed: int) -> GapClassifier:
    made = new_classifier(replace(config, seed=seed), findings)
    with torch.no_grad():
        for name, value in made.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                value.uniform_(0.5, 1.5, generator=torch.Generator().manual_seed(seed))
    return made.eval()


@pytest.mark.parametrize("units", [True, False])
@pytest.mark.parametrize("head", ["gap", "map-gmp"])
def test_shared_findings_say_what_they_said(toy_config: TrainingConfig, head: str, *, units: bool) -> None:
    config = replace(toy_config, head=head, head_options={"finding_units": units})
    source, target = network(config, 3, seed=1), network(config, 3, seed=2)
    with torch.no_grad():
        source.head.bias.copy_(torch.tensor([0.5, -1.0, 2.0]))
        if units:
            # Evidence by way of a unit that is left out cannot be kept: here each finding has its own alone.
            source.head.weight.copy_(torch.diag(torch.tensor([1.5, 2.0, 0.5])))
    parameters = MapParameters.of(target, 3)
    taken = inherit(target, parameters, NEW, source, OLD)
    assert taken.findings == ("C", "A")
    films = torch.randn(2, 1, 64, 64, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        said, says = source(films).logits, parameters.logits(target(films).logits)
        assert torch.equal(target.backbone(films), source.backbone(films))
    torch.testing.assert_close(says[:, [1, 2]], said[:, [2, 0]], rtol=1e-4, atol=1e-4)
    assert bool((target.head.bias == 0).all())


def test_a_finding_that_is_new_starts_anew(toy_config: TrainingConfig) -> None:
    config = replace(toy_config, head_options={})
    source, target = network(config, 3, seed=1), network(config, 3, seed=2)
    fresh = target.head.weight[0].detach().clone()
    parameters = MapParameters.of(target, 3)
    untouched = parameters.gap_bias[0].item()
    inherit(target, parameters, NEW, source, OLD)
    assert torch.equal(target.head.weight[0], fresh)
    assert parameters.gap_bias[0].item() == untouched


@pytest.mark.parametrize(
    "changed",
    [
        {"head": "lse"},
        {"head_options": {}},
        {"backbone_options": {"stride": 4, "neck": 8, "layers": [1, 1, 1, 1], "block_inplanes": [8, 8, 8, 16]}},
    ],
)
def test_another_architecture_is_refused(toy_config: TrainingConfig, changed: dict[str, object]) -> None:
    target = new_classifier(toy_config, 3)
    other = new_classifier(replace(toy_config, **changed), 3)
    with pytest.raises(UsageError) as caught:
        inherit(target, MapParameters.of(target, 3), NEW, other, OLD)
    assert caught.value.code == "training-start"


def test_a_tail_of_several_layers_is_refused(toy_config: TrainingConfig) -> None:
    config = replace(toy_config, head="none", head_options={"hidden": [4], "head": "none"})
    other = new_classifier(config, 3)
    with pytest.raises(UsageError) as caught:
        inherit(new_classifier(config, 3), MapParameters(3), NEW, other, OLD)
    assert caught.value.code == "training-start"
