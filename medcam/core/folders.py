"""Where a user's own things live."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """`$XDG_DATA_HOME/medcam` (XDG Base Directory Specification): models, stores, keys, the node's data."""
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "medcam"


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/medcam` (XDG Base Directory Specification): what can be made again, and may be deleted."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "medcam"
