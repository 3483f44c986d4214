"""Each method against an independent computation: one image, one finding, written from the paper's formula."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from medcam.cam.methods.attribute import attribute
from medcam.core.errors import InvalidValueError
from medcam.models.gradient import HookedNetwork, SplitNetwork

from .networks import FINDINGS, HEIGHT, WIDTH, Flat, Tailed, films, gap_classifier, seeded

CLOSE = {"rtol": 1e-4, "atol": 1e-6}


class Halves:
    """A network in two plain functions, for references: what `Tailed` does up to its second convolution, and after."""

    def __init__(self) -> None:
        self.network = seeded(Tailed)
        with torch.no_grad():  # so that differences are worth comparing
            self.network.hidden.weight.mul_(6.0)
            self.network.last.weight.mul_(6.0)
        self.model = HookedNetwork(self.network, "second", FINDINGS)

    def features(self, image: Tensor) -> Tensor:
        net = self.network
        return net.second(F.relu(net.norm(net.first(image))))

    def logits(self, features: Tensor) -> Tensor:
        net = self.network
        pooled = F.adaptive_avg_pool2d(F.relu(features), 3).flatten(1)
        return net.last(F.relu(net.hidden(pooled)))


@pytest.fixture(scope="module")
def halves() -> Halves:
    return Halves()


def one_by_one(halves: Halves, inputs: np.ndarray, formula: Callable[[Tensor, Tensor], Tensor]) -> np.ndarray:
    """Maps of each image and finding alone, from features [k, h, w] and the gradient of the finding's logit."""
    rows = []
    for image in torch.from_numpy(inputs):
        row = []
        for finding in range(FINDINGS):
            features = halves.features(image[None]).detach().requires_grad_()
            halves.logits(features)[0, finding].backward()
            row.append(formula(features.detach()[0], features.grad[0]))
        rows.append(torch.stack(row))
    return torch.stack(rows).numpy()


def grad_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum(g[k].mean() * a[k] for k in range(len(a))).clamp(min=0)


def grad_cam_plus_plus(a: Tensor, g: Tensor) -> Tensor:
    result = torch.zeros_like(a[0])
    for k in range(len(a)):
        weight = 0.0
        for i in range(a.shape[1]):
            for j in range(a.shape[2]):
                slope = float(g[k, i, j])
                below = 2 * slope**2 + float(a[k].sum()) * slope**3
                weight += (slope**2 / below if below != 0.0 else 0.0) * max(slope, 0.0)
        result = result + weight * a[k]
    return result.clamp(min=0)


def layer_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum(g[k].clamp(min=0) * a[k] for k in range(len(a))).clamp(min=0)


def hires_cam(a: Tensor, g: Tensor) -> Tensor:
    return sum(g[k] * a[k] for k in range(len(a)))


@pytest.mark.parametrize(
    ("method", "formula"),
    [("grad-cam", grad_cam), ("grad-cam++", grad_cam_plus_plus), ("layercam", layer_cam), ("hirescam", hires_cam)],
)
def test_gradient_methods_follow_their_formula(halves: Halves, method: str, formula) -> None:
    inputs = films(3, seed=4)
    expected = one_by_one(halves, inputs, formula)
    assert np.ptp(expected, axis=(2, 3)).max() > 1e-3
    np.testing.assert_allclose(attribute(halves.model, inputs, method).values, expected, **CLOSE)


def test_ablation_cam_follows_its_formula(halves: Halves) -> None:
    inputs, rows = films(2, seed=5), []
    with torch.no_grad():
        for image in torch.from_numpy(inputs):
            features = halves.features(image[None])
            whole = halves.logits(features)[0]
            total = torch.zeros(FINDINGS, *features.shape[2:])
            for k in range(features.shape[1]):
                without = features.clone()
                without[0, k] = 0.0
                total += (whole - halves.logits(without)[0])[:, None, None] * features[0, k]
            rows.append(total.clamp(min=0))
    expected = torch.stack(rows).numpy()
    assert expected.max() > 1e-3
    np.testing.assert_allclose(attribute(halves.model, inputs, "ablation-cam", chunk=2).values, expected, **CLOSE)


def test_score_cam_follows_its_algorithm(halves: Halves) -> None:
    inputs, rows = films(2, seed=6), []
    with torch.no_grad():
        empty = halves.logits(halves.features(torch.zeros(1, 1, HEIGHT, WIDTH)))[0]
        for image in torch.from_numpy(inputs):
            features = halves.features(image[None])[0]
            gains = []
            for channel in features:
                large = nn.Upsample(size=(HEIGHT, WIDTH), mode="bilinear")(channel[None, None])[0, 0]
                mask = (large - large.min()) / (large.max() - large.min())
                # Scaled before it is enlarged, as here afterwards: bilinear values lie between those of the cells.
                mask = (large - channel.min()) / (channel.max() - channel.min())
                gains.append(halves.logits(halves.features((image * mask)[None]))[0] - empty)
            weights = torch.stack(gains).exp()
            weights = weights / weights.sum(dim=0)
            rows.append(torch.stack([sum(weights[k, c] * features[k] for k in range(len(features))) for c in range(3)]))
    expected = torch.stack(rows).clamp(min=0).numpy()
    assert expected.max() > 1e-3
    np.testing.assert_allclose(attribute(halves.model, inputs, "score-cam", chunk=3).values, expected, **CLOSE)


def test_score_cam_gives_no_weight_to_a_channel_that_is_flat() -> None:
    network = seeded(Tailed)
    with torch.no_grad():
        network.second.weight[1] = 0.0
        network.second.bias[1] = 50.0
    made = attribute(HookedNetwork(network, "second", FINDINGS), films(1), "score-cam").values
    assert made.max() < 50.0


def test_eigen_cam_is_the_first_singular_direction(halves: Halves) -> None:
    inputs = films(3, seed=7)
    made = attribute(halves.model, inputs, "eigen-cam").values
    for image, maps in zip(torch.from_numpy(inputs), made, strict=True):
        features = halves.features(image[None])[0].detach().numpy().astype(np.float64)
        left, values, _ = np.linalg.svd(features.reshape(len(features), -1).T, full_matrices=False)
        expected = (left[:, 0] * values[0]).reshape(features.shape[1:])
        expected *= np.sign(expected.sum())
        for one in maps:
            np.testing.assert_allclose(one, expected, rtol=1e-4, atol=1e-4)


def test_occlusion_is_what_the_logit_loses(halves: Halves) -> None:
    inputs = films(2, seed=8)
    made = attribute(halves.model, inputs, "occlusion", cells=6, chunk=4).values
    assert made.shape == (2, FINDINGS, 6, 5)
    for film, maps in zip(inputs, made, strict=True):
        whole = halves.network(torch.from_numpy(film[None]))[0].detach()
        for row in range(6):
            for column in range(5):
                covered = film.copy()
                top, left = max(0, 8 * row - 4), max(0, 8 * column - 4)
                covered[:, top : 8 * row + 12, left : 8 * column + 12] = film.mean()
                expected = whole - halves.network(torch.from_numpy(covered[None]))[0].detach()
                np.testing.assert_allclose(maps[:, row, column], expected.numpy(), rtol=1e-3, atol=1e-5)


def test_integrated_gradients_are_complete(halves: Halves) -> None:
    inputs = films(3, seed=9)
    made = attribute(halves.model, inputs, "integrated-gradients", steps=256)
    empty = np.broadcast_to(inputs.mean(axis=(2, 3), keepdims=True), inputs.shape).copy()
    with torch.no_grad():
        expected = halves.network(torch.from_numpy(inputs)) - halves.network(torch.from_numpy(empty))
    assert float(expected.abs().max()) > 0.05
    np.testing.assert_allclose(made.values.sum(axis=(2, 3)), expected.numpy(), atol=2e-3)


def test_integrated_gradients_are_the_mean_gradient_along_the_path(halves: Halves) -> None:
    inputs, finding = films(1, seed=10), 1
    made = attribute(halves.model, inputs, "integrated-gradients", [finding], steps=64, cells=HEIGHT).values[0, 0]
    image = torch.from_numpy(inputs)
    baseline = torch.full_like(image, float(image.mean()))
    along = (torch.arange(1000)[:, None, None, None] + 0.5) / 1000
    points = (baseline + along * (image - baseline)).requires_grad_()
    halves.network(points)[:, finding].sum().backward()
    halves.network.zero_grad()
    expected = (points.grad.mean(dim=0)[0] * (image - baseline)[0, 0]).numpy()
    assert np.abs(expected).max() > 1e-3
    assert np.abs(made - expected).max() < 0.03 * np.abs(expected).max()


@pytest.mark.parametrize("options", [{"steps": 0}, {"cells": 0}])
def test_integrated_gradients_need_steps_and_cells(halves: Halves, options: dict[str, int]) -> None:
    with pytest.raises(InvalidValueError):
        attribute(halves.model, films(1), "integrated-gradients", **options)


def test_guided_backpropagation_cuts_gradients_at_every_relu(halves: Halves) -> None:
    """The same by hand: the chain rule from the logit down, cut at 0 at each ReLU of the network."""
    net, inputs = halves.network, films(2, seed=11)
    made = attribute(halves.model, inputs, "guided-backprop", cells=HEIGHT).values
    plain = 0.0
    for image, maps in zip(torch.from_numpy(inputs), made, strict=True):
        with torch.no_grad():
            first = net.norm(net.first(image[None]))
            second = net.second(F.relu(first))
            hidden = net.hidden(F.adaptive_avg_pool2d(F.relu(second), 3).flatten(1))
        for finding in range(FINDINGS):
            slope = net.last.weight[finding].detach().clamp(min=0) * (hidden[0] > 0)
            opened = F.relu(second).requires_grad_()
            pooled = net.hidden(F.adaptive_avg_pool2d(opened, 3).flatten(1))
            (back,) = torch.autograd.grad(pooled, opened, slope[None])
            opened = F.relu(first).requires_grad_()
            (back,) = torch.autograd.grad(net.second(opened), opened, back.clamp(min=0) * (second > 0))
            leaf = image[None].clone().requires_grad_()
            (back,) = torch.autograd.grad(net.norm(net.first(leaf)), leaf, back.clamp(min=0) * (first > 0))
            np.testing.assert_allclose(maps[finding], back[0, 0].numpy(), **CLOSE)
            leaf = image[None].clone().requires_grad_()
            net(leaf)[0, finding].backward()
            plain = max(plain, float((leaf.grad - back).abs().max()))
    net.zero_grad()
    assert plain > 1e-3


def test_guided_relus_are_gone_afterwards(halves: Halves) -> None:
    attribute(halves.model, films(1), "guided-backprop")
    values = torch.tensor([2.0], requires_grad=True)
    (-torch.relu(values)).backward()
    assert values.grad.item() == -1.0


def test_of_a_gap_head_hirescam_is_the_exact_map_over_its_cells() -> None:
    model = SplitNetwork(gap_classifier())
    exact, hires = (attribute(model, films(2), method).values for method in ("cam", "hirescam"))
    np.testing.assert_allclose(hires * exact[0, 0].size, exact, rtol=1e-4, atol=1e-4)
    with torch.no_grad():
        logits = model.logits(torch.from_numpy(films(2))).numpy()
    bias = model.network.head.bias.detach().numpy()
    np.testing.assert_allclose(hires.sum(axis=(2, 3)) + bias, logits, atol=1e-4)


def test_of_a_gap_head_grad_cam_is_the_positive_part_of_the_exact_map() -> None:
    model = SplitNetwork(gap_classifier())
    exact, grad = (attribute(model, films(2), method).values for method in ("cam", "grad-cam"))
    np.testing.assert_allclose(grad * exact[0, 0].size, np.maximum(exact, 0.0), rtol=1e-4, atol=1e-4)
    assert grad.max() > 0.0


def test_of_a_gap_head_ablation_takes_a_channels_share_of_the_logit() -> None:
    classifier = gap_classifier()
    made = attribute(SplitNetwork(classifier), films(2), "ablation-cam").values
    with torch.no_grad():
        features = classifier(torch.from_numpy(films(2))).features
        drops = classifier.head.weight[None] * features.mean(dim=(2, 3))[:, None]
        expected = torch.relu(torch.einsum("nck,nkhw->nchw", drops, features)).numpy()
    np.testing.assert_allclose(made, expected, rtol=1e-3, atol=1e-4)


def test_of_one_linear_layer_on_the_flattened_map_hirescam_adds_up_and_grad_cam_does_not() -> None:
    network = seeded(Flat)
    model = HookedNetwork(network, "relu", FINDINGS)
    with torch.no_grad():
        logits = network(torch.from_numpy(films(3))).numpy() - network.linear.bias.numpy()
    hires, grad = (attribute(model, films(3), method).values.sum(axis=(2, 3)) for method in ("hirescam", "grad-cam"))
    np.testing.assert_allclose(hires, logits, atol=1e-4)
    assert np.abs(grad - logits).max() > 0.05


def test_split_and_hooked_networks_agree() -> None:
    classifier = gap_classifier()
    hooked = HookedNetwork(classifier, "backbone.network.layer4", FINDINGS, lambda output: output.logits)
    for method in ("grad-cam++", "layercam", "hirescam", "ablation-cam", "score-cam"):
        split = attribute(SplitNetwork(classifier), films(2), method).values
        np.testing.assert_allclose(attribute(hooked, films(2), method).values, split, rtol=1e-3, atol=1e-5)
