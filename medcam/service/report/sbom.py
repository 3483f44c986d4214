"""The software bill of materials, in the form of CycloneDX 1.6."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distributions
from typing import Any

from medcam.service.explanations.software import DISTRIBUTION, __version__

_LONGEST_LICENCE = 60


def bill_of_materials() -> dict[str, Any]:
    """Every distribution that is installed beside medcam, by name, with version, licence and package URL.

    No time stamp and no serial number: the same environment gives the same bill.
    """
    found = {_name(one): one for one in distributions() if one.metadata["Name"]}
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": DISTRIBUTION, "version": __version__}},
        "components": list(_components(found)),
    }


def _components(found: dict[str, Distribution]) -> Iterator[dict[str, Any]]:
    for name in sorted(found):
        one = found[name]
        licence = _licence(one)
        yield {
            "type": "library",
            "name": name,
            "version": one.version,
            "purl": f"pkg:pypi/{name}@{one.version}",
            **({"licenses": [{"license": {"name": licence}}]} if licence else {}),
        }


def _name(one: Distribution) -> str:
    return re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower()


def _licence(one: Distribution) -> str:
    """What the package states in a line; its classifier where it states a whole text."""
    stated = next((text for key in ("License-Expression", "License") for text in one.metadata.get_all(key) or ()), "")
    line = stated.strip().splitlines()[0] if stated.strip() else ""
    if line and len(line) <= _LONGEST_LICENCE:
        return line
    classes = [text for text in one.metadata.get_all("Classifier") or () if text.startswith("License ::")]
    return classes[0].rpartition("::")[2].strip() if classes else ""
