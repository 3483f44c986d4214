"""Models that others publish and that can be fetched by name: where they lie, and what is known of them.

What is not known is left empty: a size or digest that upstream does not publish is taken at the first download and
recorded. No weights are shipped.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from medcam.core.errors import ModelError, UsageError

FILE = Path(__file__).with_name("catalogue.json")
HUB = "hf:"
"""What a repository of the Hugging Face hub begins with, as a name: hf:OWNER/REPOSITORY."""
HUB_FILE = "https://huggingface.co/{repository}/resolve/{revision}/{file}"


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a published model.

    Args:
        name: Of the finding; empty for an output that means nothing, which is left out.
        threshold: Operating threshold on the probability; None where upstream gives none.
    """

    name: str
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """A model that somebody else publishes.

    Args:
        name: As `medcam models fetch` takes it.
        url: Of the file with its weights.
        layout: A name of `medcam.models.published.layouts.LAYOUTS`.
        outputs: In order; empty where upstream does not say what they mean.
        side: Rows and columns of its input.
        training_data: What it was trained on.
        weights_licence: Of the weights; empty where nobody says so.
        citation: What to cite.
        source: Page or file that these facts come from.
        purpose: What it is for.
        measured_on: What upstream says about its figures.
        mean: Of each channel, empty for the layout's own.
        std: Of each channel, empty for the layout's own.
        size: Bytes of the file; None where it is not known.
        sha256: Digest of the file; empty where it is not known.
        note: What else a reader must know.
    """

    name: str
    url: str
    layout: str
    outputs: tuple[Output, ...]
    side: int
    training_data: str
    weights_licence: str
    citation: str
    source: str
    purpose: str
    measured_on: str = ""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    size: int | None = None
    sha256: str = ""
    note: str = ""

    @property
    def findings(self) -> tuple[str, ...]:
        """Names of the outputs that mean something."""
        return tuple(output.name for output in self.outputs if output.name)


@cache
def catalogue() -> dict[str, Published]:
    """All published models that are known, by name."""
    entries: list[dict[str, Any]] = json.loads(FILE.read_text(encoding="utf-8"))["models"]
    return {entry["name"]: _entry(entry) for entry in entries}


def _entry(fields: dict[str, Any]) -> Published:
    outputs = zip(fields.pop("labels"), fields.pop("thresholds"), strict=True)
    return Published(
        outputs=tuple(Output(name, threshold) for name, threshold in outputs),
        mean=tuple(fields.pop("mean", ())),
        std=tuple(fields.pop("std", ())),
        **fields,
    )


def published(name: str) -> Published:
    """An entry by name, or one made for "hf:OWNER/REPOSITORY[@REVISION]".

    Raises:
        ModelError: There is none of that name (code "not-published").
        UsageError: It is no name of a repository (code "hub-name").
    """
    if name.startswith(HUB):
        return _on_the_hub(name.removeprefix(HUB))
    found = catalogue().get(name)
    if found is None:
        raise ModelError(
            f"no published model {name!r} is known",
            code="not-published",
            next_step=f"Known: {', '.join(catalogue())}; {HUB}OWNER/REPOSITORY for one of the Hugging Face hub; or "
            "download it yourself and give the file to `medcam models import`.",
        )
    return found


def known_by_file(name: str) -> Published | None:
    """The entry whose file has that name, for a file that was downloaded by other means; None where there is none."""
    found = [entry for entry in catalogue().values() if entry.url.rpartition("/")[2] == name]
    return found[0] if len(found) == 1 and found[0].outputs else None


def _on_the_hub(name: str) -> Published:
    repository, _, revision = name.partition("@")
    words = repository.split("/")
    allowed = all(word and word.replace("-", "").replace("_", "").replace(".", "").isalnum() for word in words)
    plain = revision.replace("-", "").replace(".", "").replace("_", "").isalnum() if revision else True
    if len(words) != 2 or not allowed or not plain or not name.isascii():
        raise UsageError(
            f"{name[:80]!r} names no repository",
            code="hub-name",
            next_step="Write hf:OWNER/REPOSITORY, or @REVISION behind.",
        )
    address = HUB_FILE.format(repository=repository, revision=revision or "main", file="model.safetensors")
    return Published(
        name=words[1],
        url=address,
        layout="timm",
        outputs=(),
        side=224,
        training_data="",
        weights_licence="",
        citation="",
        source=f"https://huggingface.co/{repository}",
        purpose="",
        note="Read the terms on its page: nothing is known about it here.",
    )
