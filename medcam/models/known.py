"""Which models there are, by name: inside the package, the user's own, and those of plug-ins. Loads no network."""

from __future__ import annotations

from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from medcam.core.folders import data_folder

CARD = "card.json"
"""What makes a folder a model's."""
ENTRY_POINTS = "medcam.models"
SHIPPED = Path(__file__).with_name("weights")


def user_folder() -> Path:
    """`$XDG_DATA_HOME/medcam/models`, where models of the user's own live."""
    return data_folder() / "models"


def model_names() -> tuple[str, ...]:
    """Names that `medcam.models.registry.load_model` knows, sorted."""
    return tuple(sorted({entry.name for entry in plugged()} | set(_folders())))


def model_folders() -> dict[str, Path]:
    """Folders by name; a shipped model cannot be replaced by another of the same name."""
    return {entry.name: Path(str(entry.load())) for entry in plugged()} | _folders()


@cache
def plugged() -> tuple[EntryPoint, ...]:
    """Models of plug-ins. Looked for once: that takes 10 ms, and each request to a server names a model."""
    return tuple(entry_points(group=ENTRY_POINTS))


def _folders() -> dict[str, Path]:
    return {
        card.parent.name: card.parent for base in (user_folder(), SHIPPED) for card in sorted(base.glob(f"*/{CARD}"))
    }
