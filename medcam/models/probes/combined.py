"""The card of a model with probes beside its own findings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from medcam.core.card import ModelCard
from medcam.core.codes import slug
from medcam.core.errors import ModelError
from medcam.models.probes.card import ProbeCard

JOIN = "+"
"""Between the names of a model and its probes."""

LONGEST_NAME = 64
"""Characters; DICOM objects name the model in an attribute of that length (LO)."""


def combined_card(card: ModelCard, probes: Sequence[ProbeCard]) -> ModelCard:
    """The card of a model with probes: its own findings first, then those of the probes.

    Args:
        card: The model's.
        probes: The probes', in the order of the outputs.

    Returns:
        A card whose digest is the SHA-256 of the digests of model and probes, joined by "+".

    Raises:
        ModelError: A probe was fitted to a model of other weights (code "probe-model"), two findings have one name, or
            the joined name is too long (code "probe-name").
    """
    for probe in probes:
        if probe.model_sha256 != card.weights_sha256:
            raise ModelError(
                f"the probe {probe.name} was fitted to features of {probe.model} with other weights than {card.name}'s",
                code="probe-model",
                next_step=f"Fit it again with --model {card.name}.",
            )
    slugs = [slug(name) for name in (*card.finding_names, *(probe.name for probe in probes))]
    name = JOIN.join((card.name, *(probe.name for probe in probes)))
    if len(set(slugs)) < len(slugs) or len(name) > LONGEST_NAME:
        what = "have two findings of one name" if len(set(slugs)) < len(slugs) else "have too long a name together"
        raise ModelError(
            f"{card.name} and its probes {what}",
            code="probe-name",
            next_step="Name each probe once, and fit it under a short name that the model does not use.",
        )
    at = dict.fromkeys((card.layer, *(probe.layer for probe in probes)))
    digests = JOIN.join((card.weights_sha256, *(probe.weights_sha256 for probe in probes)))
    return replace(
        card,
        name=name,
        findings=(*card.findings, *(probe.finding for probe in probes)),
        layer=", ".join(layer for layer in at if layer),
        weights_sha256=hashlib.sha256(digests.encode("ascii")).hexdigest(),
        limits=(*card.limits, *dict.fromkeys(limit for probe in probes for limit in probe.limits)),
    )
