"""docs/reference/published-models.md says what the catalogue says."""

from __future__ import annotations

from medcam.models.published.catalogue import catalogue
from medcam.models.published.layouts import XRAYVISION

from .pages import ROOT, read, section, table

PAGE = ROOT / "docs" / "reference" / "published-models.md"


def test_every_published_model_is_described():
    rows = {row[0]: row for row in table(read(PAGE)) if row[0] in catalogue()}

    assert set(rows) >= set(catalogue())
    for name, entry in catalogue().items():
        _, findings, size, trained, licence = rows[name]
        assert findings == str(len(entry.findings)) or not entry.findings
        assert size == f"{entry.side} x {entry.side}"
        assert entry.training_data in trained
        assert entry.weights_licence.startswith(licence)
        assert f"<{entry.source}>" in read(PAGE)
        if entry.size is not None:
            assert f"{entry.size:,}" in read(PAGE)
            assert entry.sha256 in read(PAGE)


def test_thresholds_are_those_of_the_catalogue():
    text = section(read(PAGE), "Findings and operating thresholds")
    entries = [entry for entry in catalogue().values() if entry.outputs]
    rows = {row[0]: row[1:] for row in table(text) if row[0] in XRAYVISION}

    assert list(rows) == list(XRAYVISION)
    for number, name in enumerate(XRAYVISION):
        outputs = [entry.outputs[number] for entry in entries]
        assert list(rows[name]) == [f"{one.threshold:.4f}" if one.name else "" for one in outputs]
