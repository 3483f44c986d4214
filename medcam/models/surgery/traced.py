"""Finding and cutting a tail in the graph of a network, by symbolic tracing (torch.fx)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, fx, nn

from medcam.models.surgery.cut import Cut, check_output, no_map, shape_of, unused
from medcam.models.surgery.tail import FUNCTIONS, NAME_A_LAYER, Kind, Step, is_map, refusal

POOLING = (Kind.MEAN, Kind.MAXIMUM, Kind.IDLE)


class Untraceable(Exception):  # noqa: N818  no fault: another way is taken then
    """The graph cannot be had, or does not compute what the network does."""


def cut_traced(network: nn.Module, probe: Tensor, output: object, layer: str | None, *, fresh: bool) -> Cut:
    """Cuts a network behind its last feature map.

    Args:
        network: In evaluation mode; its modules are shared with the result.
        probe: An input.
        output: What the network makes of the probe.
        layer: Name of the layer to cut behind; None finds it.
        fresh: Whether the linear layer will be a new one: the last pooling of features then belongs to the tail.

    Returns:
        The parts; `features` is a graph module with the network's own names of layers.

    Raises:
        Untraceable: See there.
        ModelError: There is no feature map where one is needed (code "no-gap-tail").
    """
    steps: tuple[Step, ...] = ()
    graph = _trace(network, layer)
    shapes = _shapes(network, graph, probe, output)
    if layer is not None:
        place = _named(graph, layer)
        if not is_map(shapes.get(place)):
            raise no_map(f"behind {layer}")
        if not fresh:
            found, steps = _walk(network, graph, shapes, output)
            if found is not place:
                raise refusal(f"{layer} is not what its linear layer sees, pooled", NAME_A_LAYER)
    else:
        place, steps = _walk(network, graph, shapes, output)
        while fresh and _kind(network, place) in POOLING:
            steps = (_step(network, place), *steps)
            place = place.all_input_nodes[0]
        if place.op == "placeholder":
            raise no_map()
    shape = shapes[place]
    assert shape is not None
    return Cut(_upto(network, graph, place), _layer(place), shape, steps, named=layer is not None and fresh)


def _trace(network: nn.Module, layer: str | None) -> fx.Graph:
    class Tracer(fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return module_qualified_name == layer or super().is_leaf_module(m, module_qualified_name)

    try:
        return Tracer().trace(network)
    except Exception as error:
        raise Untraceable from error


def _shapes(
    network: nn.Module, graph: fx.Graph, probe: Tensor, output: object
) -> dict[fx.Node, tuple[int, ...] | None]:
    shapes: dict[fx.Node, tuple[int, ...] | None] = {}

    class Recorder(fx.Interpreter):
        def run_node(self, n: fx.Node) -> Any:  # noqa: ANN401  whatever a node gives
            value = super().run_node(n)
            shapes[n] = shape_of(value)
            return value

    try:
        again = Recorder(fx.GraphModule(network, graph)).run(probe)
    except Exception as error:
        raise Untraceable from error
    if isinstance(output, Tensor) and not (
        isinstance(again, Tensor) and again.shape == output.shape and torch.allclose(again, output, atol=1e-5)
    ):
        raise Untraceable
    return shapes


def _walk(
    network: nn.Module, graph: fx.Graph, shapes: dict[fx.Node, tuple[int, ...] | None], output: object
) -> tuple[fx.Node, tuple[Step, ...]]:
    """The last feature map and the steps behind it, from the output backwards."""
    check_output(output)
    node = next(node for node in graph.nodes if node.op == "output").all_input_nodes[0]
    steps: list[Step] = []
    while not is_map(shapes.get(node)):
        if not node.all_input_nodes:
            raise no_map()
        steps.append(_step(network, node))
        node = node.all_input_nodes[0]
    if node.op == "placeholder":
        raise no_map()
    return node, tuple(reversed(steps))


def _named(graph: fx.Graph, layer: str) -> fx.Node:
    found = [node for node in graph.nodes if node.op == "call_module" and node.target == layer]
    if not found:
        raise unused(layer)
    last: fx.Node = found[-1]
    return last


def _kind(network: nn.Module, node: fx.Node) -> Kind:
    return _step(network, node).kind


def _step(network: nn.Module, node: fx.Node) -> Step:
    if node.op == "call_module":
        return Step.of_module(str(node.target), network.get_submodule(str(node.target)))
    kind = FUNCTIONS.get(_name(node), Kind.OTHER)
    if kind is Kind.LINEAR:
        return _functional_linear(network, node)
    # An operation that joins several values, such as two kinds of pooling, is no single step.
    return Step(kind, _name(node))


def _functional_linear(network: nn.Module, node: fx.Node) -> Step:
    given = dict(zip(("input", "weight", "bias"), node.args, strict=False)) | node.kwargs
    values: list[Tensor | None] = []
    for name in ("weight", "bias"):
        source = given.get(name)
        if source is None:
            values.append(None)
        elif isinstance(source, fx.Node) and source.op == "get_attr":
            owner, _, attribute = str(source.target).rpartition(".")
            values.append(getattr(network.get_submodule(owner), attribute))
        else:
            return Step(Kind.OTHER, "linear with computed weights")
    return Step(Kind.LINEAR, "linear", *values)


def _name(node: fx.Node) -> str:
    target = node.target
    return target if isinstance(target, str) else getattr(target, "__name__", str(target))


def _layer(node: fx.Node) -> str:
    """A node's layer; of a function, with the layer before it, as "bn1.relu"."""
    names = [_name(node)]
    while node.op != "call_module" and node.all_input_nodes:
        node = node.all_input_nodes[0]
        if node.op == "call_module":
            names.append(_name(node))
    return ".".join(reversed(names))


def _upto(network: nn.Module, graph: fx.Graph, place: fx.Node) -> fx.GraphModule:
    """A module that computes a node's value and nothing that comes after it."""
    part = fx.Graph()
    copies: dict[fx.Node, fx.Node] = {}
    for node in graph.nodes:
        copies[node] = part.node_copy(node, copies.__getitem__)
        if node is place:
            break
    part.output(copies[place])
    return fx.GraphModule(network, part, type(network).__name__)
