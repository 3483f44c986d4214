"""Foreign networks that have no GAP head in them: refused with the reason, and what helps."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.core.errors import InvalidValueError, ModelError
from medcam.models.surgery.gap_head import with_gap_head

from .foreign import FINDINGS, KEPT, SIDE, Plain, Pooled, convolutions, probe, vgg


class Tuple(Plain):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return super().forward(x), x


class Patches(nn.Module):
    """A transformer on patches: by torch's layer, or by its function."""

    def __init__(self, *, written_out: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(1, 8, 16, 16)
        self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
        self.fc, self.written_out = nn.Linear(8, FINDINGS), written_out

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = F.scaled_dot_product_attention(x, x, x) if self.written_out else self.encoder(x)
        return self.fc(x.mean(1))


def two_linear() -> nn.Module:
    return nn.Sequential(convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, FINDINGS))


def curved(*order: nn.Module) -> nn.Module:
    return nn.Sequential(convolutions(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), *order)


# Network, reason, and whether a new linear layer helps (None: not asked).
REFUSED = {
    "no spatial map": (lambda: nn.Sequential(nn.Flatten(), nn.Linear(SIDE**2, FINDINGS)), "no feature map", None),
    "two linear": (two_linear, "2 linear layers follow .*: 3, 4", True),
    "two linear, untraceable": (
        lambda: Pooled(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 4), nn.Linear(4, FINDINGS)),
        "2 linear layers follow",
        True,
    ),
    "vgg": (vgg, "2 linear layers follow", True),
    "flattened": (lambda: Plain(lambda x: x.flatten(1), 6 * 30 * 30), "without being pooled", True),
    "no linear": (lambda: curved(), "no linear layer follows", True),
    "sigmoid": (lambda: curved(nn.Linear(6, FINDINGS), nn.Sigmoid()), "4 comes after its linear layer", True),
    "rectified": (lambda: curved(nn.ReLU(), nn.Linear(6, FINDINGS)), "3 comes before its linear layer", True),
    "global max": (lambda: Plain(lambda x: x.amax((2, 3))), "pools by the maximum", True),
    "global max by module": (
        lambda: nn.Sequential(convolutions(), nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, FINDINGS)),
        "pools by the maximum",
        True,
    ),
    "global max, untraceable": (
        lambda: Pooled(nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(6, FINDINGS)),
        "pools by the maximum",
        True,
    ),
    "scaled where the walk cannot see": (
        lambda: Plain(lambda x: 2 * x.mean((2, 3)), branch=True),
        "the logits are up to .* off",
        True,
    ),
    "both pools": (
        lambda: Plain(lambda x: torch.cat([x.mean((2, 3)), x.amax((2, 3))], 1), 12),
        "cat comes after",
        False,
    ),
    "scaled mean": (lambda: Plain(lambda x: 2 * x.mean((2, 3))), "mul comes after", False),
    "tuple": (lambda: Tuple(lambda x: x.mean((2, 3))), "no tensor but a tuple", False),
    "map out": (convolutions, "4 axes", False),
    "transformer": (Patches, "attention \\(encoder\\), as in a transformer", False),
    "transformer in functions": (lambda: Patches(written_out=True), "attention \\(scaled_dot_product", False),
    "volumes": (lambda: nn.Sequential(nn.Conv3d(1, 2, 3)), "does not take the probe", None),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_turned_is_refused_with_its_reason(name: str) -> None:
    make, reason, fresh = REFUSED[name]
    network = make().eval()
    with pytest.raises(ModelError, match=reason) as caught:
        with_gap_head(network, probe=probe())
    assert caught.value.code == "no-gap-tail"
    if fresh:
        assert "replace=True" in caught.value.next_step
        assert with_gap_head(network, 4, replace=True, probe=probe())(probe()).logits.shape == (2, 4)
    else:
        with pytest.raises(ModelError) as caught:
            with_gap_head(network, 4, replace=True, probe=probe())
        assert caught.value.code == "no-gap-tail"


def test_a_named_layer_helps_where_the_tail_is_strange() -> None:
    for network in (REFUSED["both pools"][0](), REFUSED["tuple"][0](), REFUSED["scaled mean"][0]()):
        classifier = with_gap_head(network, 2, replace=True, layer="features", probe=probe())
        assert classifier(probe()).maps.shape == (2, 2, 30, 30)


def test_a_wrong_number_of_findings_is_refused() -> None:
    network = KEPT["mean"]().eval()
    for options in ({"findings": 2}, {"findings": 0}, {"findings": 0, "replace": True}, {"probe": torch.zeros(3, 3)}):
        with pytest.raises(InvalidValueError):
            with_gap_head(network, **({"probe": probe()} | options))
    assert with_gap_head(network, FINDINGS, probe=probe())(probe()).logits.shape == (2, FINDINGS)
    with pytest.raises(InvalidValueError, match="how many findings"):
        with_gap_head(REFUSED["tuple"][0](), replace=True, layer="features", probe=probe())
