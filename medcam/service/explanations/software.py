"""Versions of the software that a result depends on."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import MappingProxyType

DISTRIBUTION = "medcam-cxr"
"""The name `medcam` on the package index belongs to another project."""
UNKNOWN = "0+unknown"
"""Said of a package that runs without being installed, from a bare checkout for example."""

_NAMED = ("torch", "openvino", "monai", "pydicom", "numpy", "highdicom", "simpleitk")
ANATOMY = "medcam.anatomy"
"""Has a version of its own: the same film and model with another registration have other zones."""


def package_version(distribution: str) -> str:
    """The version of an installed distribution, `UNKNOWN` where it is not installed."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return UNKNOWN


@cache
def software_versions() -> Mapping[str, str]:
    """Versions by name: medcam, its registration, and the libraries that read, compute and write."""
    # Here and not above: whoever asks for medcam's version alone need not wait for SimpleITK.
    from medcam.anatomy import VERSION

    own = {"medcam": __version__, ANATOMY: VERSION}
    return MappingProxyType({**own, **{name: package_version(name) for name in _NAMED}})


__version__ = package_version(DISTRIBUTION)
