"""Deterministic UIDs, so that doing the same work twice makes the same object."""

from __future__ import annotations

import hashlib
import re

from medcam.core.errors import InvalidValueError

_UID = re.compile(r"^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))*$")
_LONGEST = 64


def derived_uid(*parts: str) -> str:
    """A UID made of a hash of texts, in the UUID-derived form 2.25.<number> (DICOM PS3.5 B.2).

    Args:
        parts: What the UID stands for, such as the source's UID, the model and its version. Their order and their
            borders count: ("a", "bc") and ("ab", "c") give different UIDs.

    Returns:
        "2.25." and a number of 128 bits: 44 characters at most.

    Raises:
        InvalidValueError: No part was given.
    """
    if not parts:
        raise InvalidValueError("a derived UID needs something to be derived from")
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return f"2.25.{int.from_bytes(digest.digest()[:16], 'big')}"


def is_valid_uid(uid: str) -> bool:
    """Whether a text is a UID by DICOM PS3.5 section 9.1: at most 64 digits and dots, no leading zeros."""
    return len(uid) <= _LONGEST and _UID.match(uid) is not None
