"""A published model by name: downloaded because somebody asked, checked, imported, and the download thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from medcam.core.card import ModelCard
from medcam.core.folders import cache_folder
from medcam.models.published.catalogue import Published, published
from medcam.models.published.download import Wanted, discard, download
from medcam.models.published.trust import Seen, check_and_record, seen
from medcam.service.published.bring import Request, import_model
from medcam.service.published.names import new_model_folder

Report = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of it.

    Attributes:
        card: Of the model as it is kept.
        entry: What the catalogue knows of it.
        seen: The file as it was first downloaded.
        first_time: Whether that was now, and nobody could say beforehand which digest it should have.
    """

    card: ModelCard
    entry: Published
    seen: Seen
    first_time: bool


def fetch_model(name: str, request: Request, report: Report = lambda *_: None) -> Fetched:
    """Downloads a published model and imports it.

    Args:
        name: Of the catalogue, or "hf:OWNER/REPOSITORY".
        request: As for `import_model`; its name is that of the catalogue where it is empty.
        report: Told of bytes that are here and of all bytes, 0 where nobody knows.

    Raises:
        UsageError: As from `import_model`.
        ModelError: There is no such published model ("not-published"), the download fails (codes "download-..."), or
            the file is refused.
    """
    entry = published(name)
    asked = replace(request, name=request.name or entry.name, published=entry)
    new_model_folder(asked.name, replace=asked.replace)
    known = seen(entry.url)
    wanted = Wanted(entry.url, entry.size, entry.sha256 or (known.sha256 if known else ""))
    file = download(wanted, cache_folder() / "downloads", report)
    record = check_and_record(entry.url, file)
    card = import_model(file.path, asked)
    discard(file)
    return Fetched(card, entry, record, known is None and not entry.sha256)
