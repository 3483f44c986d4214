"""Object storage behind one door: fsspec, which the extra `ray` brings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from medcam.core.errors import UsageError

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://[^/].*")
_INSTALL = "Install it: python -m pip install 'medcam-cxr[ray]'"


def is_object_url(text: object) -> bool:
    """Whether a text names a place in object storage, such as s3://bucket/films; DICOMweb services are none."""
    return isinstance(text, str) and bool(_URL.fullmatch(text)) and not text.lower().startswith("dicomweb")


def storage(url: str) -> tuple[AbstractFileSystem, str]:
    """The file system of a URL and the path in it. Keys, endpoints and regions come from the environment.

    Args:
        url: Such as s3://bucket/films.

    Raises:
        UsageError: fsspec, or what it needs for this kind of URL, is not installed (code `no-object-storage`), or there
            is no such kind (code `no-such-storage`).
    """
    try:
        from fsspec.core import url_to_fs
    except ImportError as error:
        raise UsageError(
            "object storage needs fsspec, which is not installed", code="no-object-storage", next_step=_INSTALL
        ) from error
    options: dict[str, Any] = {"use_listings_cache": False}  # other machines write while this one looks
    try:
        system, path = url_to_fs(url, **options)
    except ImportError as error:
        raise UsageError(
            f"what reads {url.partition('://')[0]}:// is not installed",
            code="no-object-storage",
            next_step=f"{_INSTALL}; for other kinds than s3:// the package that fsspec names: {error}",
        ) from error
    except ValueError as error:
        raise UsageError(
            f"there is no kind of storage {url.partition('://')[0]}://",
            code="no-such-storage",
            next_step="Use s3://BUCKET/PREFIX, or another protocol that fsspec knows.",
        ) from error
    return system, str(path).rstrip("/")


def key_of(error: Exception) -> str:
    """What may be said of an error of a storage: its type and no more, since its text may hold addresses and keys."""
    return type(error).__name__
