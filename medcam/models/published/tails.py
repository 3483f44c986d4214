"""Which head a foreign tail becomes: one linear layer a GAP head with exact maps, several a head without maps."""

from __future__ import annotations

from collections.abc import Mapping

from medcam.core.errors import ModelError
from medcam.models.published.mapped import Tail
from medcam.models.tail_head import ACTIVATIONS

_CLASSES = {
    "ReLU": "relu",
    "LeakyReLU": "leaky-relu",
    "ELU": "elu",
    "GELU": "gelu",
    "SiLU": "silu",
    "Tanh": "tanh",
}
_IDLE = frozenset(("Dropout", "Dropout2d", "Identity", "Flatten"))
_LAST = frozenset(("Sigmoid",))
"""What may follow the last linear layer: logits are what comes before it."""


def head_options(tail: Tail, kinds: Mapping[str, str], activation: str | None) -> dict[str, object]:
    """The head's options on a card.

    Args:
        tail: Of the network.
        kinds: Classes of modules by name, where the checkpoint tells them.
        activation: What stands between several linear layers, where the user says so: a name of `ACTIVATIONS`.

    Returns:
        {} for a GAP head.

    Raises:
        ModelError: There is more in the tail than linear layers, or it is not known what stands between them (code
            "no-gap-tail").
    """
    if tail.others:
        raise _refusal(f"{tail.others[0][:80]} stands in its tail beside linear layers", "Use `medcam.with_gap_head`.")
    if len(tail.linear) == 1:
        return {}
    names = ", ".join(tail.names)
    reason = f"{len(tail.linear)} linear layers follow its last feature map: {names}"
    chosen = activation or _between(tail, kinds)
    if chosen not in ACTIVATIONS:
        raise _refusal(
            f"{reason}, and the file does not tell what stands between them",
            "No class map adds up to such a logit. To explain it by an attribution method instead, say what stands "
            f"between them with --tail: {', '.join(ACTIVATIONS)}.",
        )
    return {"hidden": [int(weight.shape[0]) for weight, _ in tail.linear[:-1]], "activation": chosen}


def _between(tail: Tail, kinds: Mapping[str, str]) -> str | None:
    """The activation between the linear layers of a whole module; None where it is not told, or not one."""
    parent = tail.names[0].rpartition(".")[0]
    kind = {name: word for name, word in kinds.items() if name.rpartition(".")[0].endswith(parent) and parent}
    between = [word for word in kind.values() if word not in _IDLE | _LAST | {"Linear"}]
    known = {_CLASSES.get(word) for word in between}
    return known.pop() if len(between) == len(tail.linear) - 1 and len(known) == 1 else None


def _refusal(reason: str, next_step: str) -> ModelError:
    return ModelError(f"this network cannot be given exact maps: {reason}", code="no-gap-tail", next_step=next_step)
