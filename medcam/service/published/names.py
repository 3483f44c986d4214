"""Names under which models are brought in."""

from __future__ import annotations

from pathlib import Path

from medcam.core.errors import UsageError
from medcam.models.cards import probe_names
from medcam.models.known import SHIPPED, user_folder
from medcam.models.probes.combined import JOIN

LONGEST_NAME = 64


def new_model_folder(name: str, *, replace: bool) -> Path:
    """The folder of a model that is about to be made, `$XDG_DATA_HOME/medcam/models/NAME`.

    Args:
        name: Of the model.
        replace: Whether a model of the user's own may be replaced.

    Raises:
        UsageError: The name cannot be used (code "model-name").
    """
    problem = ""
    if not _is_folder_name(name):
        problem = "is no name for a model"
    elif (SHIPPED / name).exists():
        problem = "is the name of a model that medcam ships"
    elif name in probe_names():
        problem = "is taken by a probe"
    elif (user_folder() / name).exists() and not replace:
        problem = "is taken; --replace takes the new one instead"
    if problem:
        raise UsageError(f"{name[:80]!r} {problem}", code="model-name", next_step="Choose another name with --as.")
    return user_folder() / name


def _is_folder_name(name: str) -> bool:
    if not name or len(name) > LONGEST_NAME or name[0] == "." or name != name.strip():
        return False
    return any(letter.isalnum() for letter in name) and not any(part in name for part in (JOIN, "/", "\\", "\0", "\n"))
