"""What is kept of films, as frozen values. Patient data: never logged, hence not in any repr."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from medcam.core.study import Study
from medcam.store.schema.base import SHORT_ID

_COMPRESSION = 6


@dataclass(frozen=True, slots=True)
class KeptRadiograph:
    """A film as it is kept.

    Args:
        id: 16 hexadecimal digits: how addresses name it.
        study_id: Of its study.
        uid: SOP Instance UID.
        sha256: Digest of its DICOM file.
        source: Where that file lies.
        view: PA, AP, lateral or unknown.
        display: All that a viewer needs to know: size, scale of the packed pixels, window, spacing, orientation.
        attributes: DICOM attributes by keyword. Patient data.
        zones: Where the anatomy lies, packed; None where it is not known.
    """

    id: str
    study_id: str
    uid: str
    sha256: str
    source: str
    view: str
    display: Mapping[str, Any] = field(repr=False)
    attributes: Mapping[str, Any] = field(repr=False)
    zones: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class KeptFinding:
    """A finding as far as lists and statistics need it.

    Args:
        name: Its name.
        probability: 0 to 1.
        threshold: Operating threshold on the probability.
        margin: How far its logit lies over the threshold's, in logit units.
        present: None when withheld.
    """

    name: str
    probability: float
    threshold: float
    margin: float
    present: bool | None


@dataclass(frozen=True, slots=True)
class KeptModel:
    """A model as it was when it spoke.

    Args:
        card_sha256: Digest of its card.
        name: Its name.
        version: Its version.
        weights_sha256: Digest of its weights.
        card: The card, as JSON.
        explanations: How many explanations of the store are by it.
    """

    card_sha256: str
    name: str
    version: str
    weights_sha256: str
    card: str = field(repr=False)
    explanations: int = 0


def pack_content(content: bytes) -> bytes:
    """An `explanation.json` as a `KeptExplanation` holds it, compressed by zlib."""
    return zlib.compress(content, _COMPRESSION)


@dataclass(frozen=True)
class KeptExplanation:
    """What one model said of one film.

    Args:
        request: Digest of all that decides what is said; equal requests are kept once.
        card_sha256: Digest of the model's card, which `FilmStore.keep_model` keeps.
        model: Name of the model.
        version: Its version.
        weights_sha256: Digest of its weights.
        method: Attribution method.
        flagged: Whether the film is out of distribution.
        rank: Where the film belongs in a worklist: the smallest is to be read first.
        findings: In the model's order.
        packed: `explanation.json`, from `pack_content`: a third of its size, and many of them are kept in memory.
        created: Seconds since 1970 UTC.
    """

    request: str
    card_sha256: str
    model: str
    version: str
    weights_sha256: str
    method: str
    flagged: bool
    rank: float
    findings: tuple[KeptFinding, ...]
    packed: bytes = field(repr=False)
    created: float = 0.0

    @property
    def content(self) -> bytes:
        """`explanation.json`, unpacked anew each time."""
        return zlib.decompress(self.packed)

    @cached_property
    def sha256(self) -> str:
        """Digest of the content."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def id(self) -> str:
        """16 hexadecimal digits: how addresses and the audit trail name it."""
        return self.sha256[:SHORT_ID]


@dataclass(frozen=True, slots=True)
class StudyContents:
    """A study with all that a page shows of it.

    Args:
        study: The study.
        films: Its films in the order in which they came, each with what models said of it, the newest first.
        priors: Earlier studies of the same patient, the latest first; none where patient or date are not known.
    """

    study: Study = field(repr=False)
    films: tuple[tuple[KeptRadiograph, tuple[KeptExplanation, ...]], ...] = field(repr=False)
    priors: tuple[Study, ...] = field(repr=False)
