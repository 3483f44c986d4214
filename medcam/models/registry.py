"""Models by name: those inside the package, the user's own, and those of plug-ins."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError
from medcam.models.files import CARD, load_folder, read_card_file
from medcam.models.loaded import LoadedModel

DEFAULT_MODEL = "phantom"
ENTRY_POINTS = "medcam.models"
SHIPPED = Path(__file__).with_name("weights")


def user_folder() -> Path:
    """`$XDG_DATA_HOME/medcam/models`, where models of the user's own live."""
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "medcam" / "models"


def model_names() -> tuple[str, ...]:
    """Names that `load_model` knows, sorted."""
    return tuple(sorted(_known()))


def load_model(name: str | Path = DEFAULT_MODEL) -> LoadedModel:
    """Loads a classifier.

    Args:
        name: A name of `model_names`, or the path of a model folder (what `medcam train` writes).

    Returns:
        The classifier, fp32, in evaluation mode; its weights were checked against the card's digest.

    Raises:
        ModelError: There is no such model ("no-such-model"), or it is damaged.
    """
    return load_folder(find_model(name))


def read_card(name: str | Path = DEFAULT_MODEL) -> ModelCard:
    """The card of a model without loading its weights; raises as `load_model`."""
    return read_card_file(find_model(name))


def find_model(name: str | Path) -> Path:
    """The folder of a model.

    Raises:
        ModelError: There is no such model (code "no-such-model").
    """
    known = _known()
    if str(name) in known:
        return known[str(name)]
    with suppress(OSError):  # such as a name too long for a path
        if (Path(name) / CARD).is_file():
            return Path(name)
    raise ModelError(
        f"there is no model {str(name)!r}",
        code="no-such-model",
        next_step=f"Known models: {', '.join(sorted(known)) or 'none'}; a model folder's path is taken too.",
    )


def _known() -> dict[str, Path]:
    """Folders by name; a shipped model cannot be replaced by another of the same name."""
    found = {entry.name: Path(str(entry.load())) for entry in entry_points(group=ENTRY_POINTS)}
    for base in (user_folder(), SHIPPED):
        found |= {card.parent.name: card.parent for card in sorted(base.glob(f"*/{CARD}"))}
    return found
