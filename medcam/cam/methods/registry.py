"""Attribution methods by name: the package's own, and those of plug-ins. Torch is loaded when one is built."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from medcam.cam.methods.method import CamMethod, MethodCard
from medcam.core.errors import UsageError

ENTRY_POINTS = "medcam.cam_methods"
_OWN = {
    "cam": "exact",
    "grad-cam": "gradients",
    "grad-cam++": "gradients",
    "layercam": "gradients",
    "hirescam": "gradients",
    "eigen-cam": "eigen",
    "score-cam": "masking",
    "ablation-cam": "masking",
    "occlusion": "occlusion",
    "integrated-gradients": "integrated",
    "guided-backprop": "guided",
}
"""Modules of the package's own methods by their names, so that a name can be told right or wrong without PyTorch."""
_REGISTRY: dict[str, type[CamMethod]] = {}

Kind = TypeVar("Kind", bound=type[CamMethod])


def register_method(kind: Kind) -> Kind:
    """Registers a class of methods under the name on its card; use it as a decorator.

    Another distribution names its class in the entry point group `medcam.cam_methods`, under the same name.
    """
    _REGISTRY[kind.card.name] = kind
    return kind


def method_names() -> tuple[str, ...]:
    """All registered names, those of installed plug-ins included: exact maps first, controls last."""
    return tuple(card.name for card in method_cards())


def method_cards() -> tuple[MethodCard, ...]:
    """What each method says of itself, in the order of `method_names`."""
    cards = [kind.card for kind in _known().values()]
    return tuple(sorted(cards, key=lambda card: card.control))


def method_name(name: str) -> str:
    """A method's name as its card has it; raises as `build_method`. Only a plug-in's method is loaded for it."""
    asked = name.strip().lower()
    if asked in _OWN:
        return asked
    names = (*_OWN, *_REGISTRY, *(entry.name for entry in _plugged()))
    if asked not in names:
        raise _unknown(name, names)
    return method_card(name).name


def method_card(name: str) -> MethodCard:
    """The card of one method; raises as `build_method`."""
    return _kind(name).card


def build_method(name: str, **options: Any) -> CamMethod:
    """A method, ready for use.

    Args:
        name: See `method_names`; case does not count.
        options: The method's own, such as `cells` of "occlusion"; its class describes them.

    Raises:
        UsageError: There is no such method (code "unknown-cam-method"), or it does not take the options.
    """
    kind = _kind(name)
    try:
        return kind(**options)
    except TypeError as error:
        given = ", ".join(sorted(options))
        raise UsageError(
            f"the method {kind.card.name} does not take the options given ({given or 'none'})",
            next_step="Its class in medcam.cam.methods describes them.",
        ) from error


def _kind(name: str) -> type[CamMethod]:
    asked = name.strip().lower()
    # Plug-ins are looked for on the disk each time: only for a name that is not known without them.
    known = _registered()
    if asked not in known:
        known = _known()
    found = known.get(asked)
    if found is None:
        raise _unknown(name, known)
    return found


def _unknown(name: str, known: Iterable[str]) -> UsageError:
    return UsageError(
        f"there is no attribution method {name!r}",
        code="unknown-cam-method",
        next_step=f"Known methods: {', '.join(dict.fromkeys(known))}.",
    )


def _registered() -> dict[str, type[CamMethod]]:
    """Classes by name: the package's own, and those that were registered by `register_method`."""
    for module in dict.fromkeys(_OWN.values()):
        import_module(f"medcam.cam.methods.{module}")
    return _REGISTRY


def _known() -> dict[str, type[CamMethod]]:
    """Classes by name; a plug-in does not replace a method of the package."""
    own = _registered()
    return {**own, **{entry.name: entry.load() for entry in _plugged() if entry.name not in own}}


def _plugged() -> Iterable[EntryPoint]:
    return entry_points(group=ENTRY_POINTS)
