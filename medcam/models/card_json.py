"""Model cards as JSON, the way they lie beside the weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from medcam.core.card import FindingCard, InputRecipe, Interval, ModelCard, RegionRule, RegionRuleKind
from medcam.core.codes import CodedConcept
from medcam.core.errors import MedcamError, ModelError


def card_to_json(card: ModelCard) -> str:
    """The card as indented JSON text."""
    return json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n"


def card_from_json(text: str) -> ModelCard:
    """Reads what `card_to_json` wrote.

    Raises:
        ModelError: The text is not a card (code "broken-card").
    """
    try:
        fields: dict[str, Any] = json.loads(text)
        fields["findings"] = tuple(finding_from_json(item) for item in fields["findings"])
        fields["input"] = InputRecipe(**fields["input"])
        fields["limits"] = tuple(fields["limits"])
        fields["performance"] = _intervals(fields["performance"])
        return ModelCard(**fields)
    except (KeyError, TypeError, ValueError, AttributeError, MedcamError) as error:
        raise ModelError(
            "the model card is damaged", code="broken-card", next_step="Import the model again."
        ) from error


def finding_from_json(fields: Mapping[str, Any]) -> FindingCard:
    """A finding's card from its fields as JSON holds them; raises whatever a wrong field raises."""
    rule = dict(fields["region_rule"])
    rule["kind"] = RegionRuleKind(rule["kind"])
    return FindingCard(
        **{
            **fields,
            "code": CodedConcept(**fields["code"]) if fields["code"] else None,
            "region_rule": RegionRule(**rule),
            "performance": _intervals(fields["performance"]),
        }
    )


def _intervals(fields: Mapping[str, Any]) -> dict[str, Interval]:
    return {name: Interval(**value) for name, value in fields.items()}
