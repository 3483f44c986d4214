"""What is installed, what works, and what does not."""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from medcam.anatomy import shipped_atlas
from medcam.core.errors import MedcamError
from medcam.core.zones import BODY_ZONES
from medcam.dicom.decoders import available_decoders
from medcam.models.cards import DEFAULT_MODEL
from medcam.models.engines.choose import engines_here
from medcam.models.registry import load_model
from medcam.service.explanations.software import DISTRIBUTION, UNKNOWN, package_version
from medcam.service.phantoms.sample_data import sample_films
from medcam.service.review import dashboards_folder

_NEEDED = ("torch", "monai", "numpy", "scipy", "scikit-image", "pydicom", "highdicom", "SimpleITK", "streamlit")
_OPTIONAL = ("openvino", "isal")
"""What works without them works more slowly: networks, and the packing of pictures."""
_LEAST_FREE = 1 << 30
"""Bytes: 2,000 films with a picture or two each take about this much."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Args:
        name: What.
        value: What was found: a version, a size, an error.
        ok: Whether it works.
        needed: Whether medcam needs it; what is not needed never makes the whole fail.
        next_step: What to do where it does not work.
    """

    name: str
    value: str
    ok: bool = True
    needed: bool = True
    next_step: str = ""

    @property
    def failed(self) -> bool:
        """Whether something that is needed does not work."""
        return self.needed and not self.ok


def examine() -> tuple[Check, ...]:
    """Looks at versions, codecs, the shipped model, the sample data and the disk. Nothing is changed or downloaded."""
    return (*_versions(), *_codecs(), _engines(), _model(), _atlas(), _sample_data(), _dashboard(), _disk(Path.cwd()))


def _versions() -> Iterator[Check]:
    # A checkout that is run in place has no version of its own, which is no fault.
    yield Check("medcam", package_version(DISTRIBUTION))
    yield Check("python", platform.python_version())
    for name in (*_NEEDED, *_OPTIONAL):
        version = package_version(name)
        found = version != UNKNOWN
        step = "" if found else f"Install it with `python -m pip install {name}`."
        yield Check(name, version if found else "not installed", found, name in _NEEDED, step)


def _codecs() -> Iterator[Check]:
    for name, available in available_decoders().items():
        step = "" if available else "Install medcam-cxr again: its codecs come with it."
        yield Check(f"decoder: {name}", "available" if available else "missing", available, True, step)


def _engines() -> Check:
    return Check("engines", ", ".join(engines_here()))


def _model() -> Check:
    def look() -> str:
        card = load_model(DEFAULT_MODEL).card
        return f"{card.version}, {len(card.findings)} findings, weights as on the card ({card.weights_sha256[:12]})"

    return _tried(f"model: {DEFAULT_MODEL}", look)


def _atlas() -> Check:
    return _tried("anatomical atlas", lambda: f"readable, {len(BODY_ZONES)} zones" if shipped_atlas() else "")


def _sample_data() -> Check:
    return _tried("sample data", lambda: f"{len(sample_films())} films")


def _dashboard() -> Check:
    return _tried("dashboard", lambda: "present" if dashboards_folder() else "")


def _disk(folder: Path) -> Check:
    free = shutil.disk_usage(folder).free
    step = "" if free >= _LEAST_FREE else "Free some space, or write results to another disk."
    return Check("free disk here", f"{free / 1e9:.1f} GB", free >= _LEAST_FREE, True, step)


def _tried(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, look())
    except MedcamError as error:
        return Check(name, f"{error.message} [{error.code}]", ok=False, next_step=error.next_step)
