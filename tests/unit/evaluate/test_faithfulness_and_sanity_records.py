import json

import pytest

from medcam.core.errors import UsageError
from medcam.evaluate.agreement_figure import Doubt, Figure
from medcam.evaluate.faithfulness.record import CurveRow, FaithfulnessRecord, LedgerRow, LinearRow
from medcam.evaluate.sanity.record import SanityRecord, SanityRow, Verdict

FIGURE = Figure(0.5, 0.4, 0.6, 20, 18)
FEW = Figure(0.5, None, None, 3, 3, Doubt.FEW)
FAITHFULNESS = FaithfulnessRecord(
    model="m",
    weights_sha256="ab",
    data="phantoms",
    films=20,
    patients=18,
    exact=True,
    cells=16,
    curves=(
        CurveRow("cam", False, "", "mean", 20, 18, *[FIGURE] * 5),
        CurveRow("random", True, "", "mean", 20, 18, FIGURE, FIGURE, FEW, FEW, FEW),
    ),
    linear=(LinearRow("cam", False, 20, 18, {"8": FIGURE}, FEW),),
    ledger=(LedgerRow("finding", "healthy", 20, 18, *[FIGURE] * 4),),
    notes=("small",),
    skipped={"score-cam": "cam-method"},
)


def row(method, verdict, *, decides=True):
    return SanityRow(
        method, False, "flip", "", "spearman", "keep", 20, 18, FIGURE, 0.2, 0.6, decides=decides, verdict=verdict
    )


SANITY = SanityRecord(
    "m",
    "ab",
    "phantoms",
    20,
    18,
    "a rule",
    (
        row("cam", Verdict.PASSED),
        row("cam", Verdict.FAILED, decides=False),
        row("half", Verdict.PASSED),
        row("half", Verdict.UNDECIDED),
        row("bad", Verdict.UNDECIDED),
        row("bad", Verdict.FAILED),
    ),
)


@pytest.mark.parametrize("record", [FAITHFULNESS, SANITY], ids=["faithfulness", "sanity"])
def test_a_record_is_read_as_it_was_written(record):
    assert type(record).from_json(record.to_json()) == record


@pytest.mark.parametrize("change", [{"schema_version": "0"}, {"model": None, "strange": 1}, {"notes": 3}])
@pytest.mark.parametrize("record", [FAITHFULNESS, SANITY], ids=["faithfulness", "sanity"])
def test_what_is_no_record_is_refused(record, change):
    with pytest.raises(UsageError, match="no record") as told:
        type(record).from_json(json.dumps(json.loads(record.to_json()) | change))

    assert told.value.code in ("not-a-faithfulness-record", "not-a-sanity-record")


@pytest.mark.parametrize("text", ["", "[]", "3"])
def test_other_text_is_refused(text):
    with pytest.raises(UsageError):
        SanityRecord.from_json(text)


def test_a_methods_verdict_is_its_worst_deciding_row():
    assert SANITY.methods == ("cam", "half", "bad")
    assert [SANITY.verdict(name) for name in SANITY.methods] == [Verdict.PASSED, Verdict.UNDECIDED, Verdict.FAILED]
    assert SANITY.verdict("unknown") is Verdict.UNDECIDED


def test_the_rows_of_a_fill_are_the_best_first():
    assert [each.method for each in FAITHFULNESS.overall("mean")] == ["cam", "random"]
    assert FAITHFULNESS.overall("healthy") == ()
