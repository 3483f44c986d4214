"""L1: one forward pass gives the maps of all findings, and they add up to the logits."""

from __future__ import annotations

from medcam.experiments.experiment import Experiment, Figures, Line, Page, Setting
from medcam.experiments.phantom_cohort import MODEL, phantom_cohort
from medcam.experiments.tables import interval, table
from medcam.models.registry import load_model
from medcam.service.evaluation.cohort import Cohort
from medcam.service.measure.ledger import cost_figures, ledger_figures

_BATCHES = (1, 16)


def run(setting: Setting) -> Figures:
    """Adds up the maps of a cohort, and times a network with and without them."""
    side, repeats = setting.budget.of(64, 224, 224), setting.budget.of(4, 12, 40)
    sums = ledger_figures(Cohort(phantom_cohort(setting)), load_model(MODEL))
    costs = []
    for batch in _BATCHES:
        costs.append(cost_figures(batch, side, max(4, repeats // (1 if batch == 1 else 3)), setting.threads).as_dict())
        setting.report(f"cost at batch {batch}")
    return {"sums": sums.as_dict(), "costs": costs}


def page(figures: Figures) -> Page:
    """Differences and costs."""
    sums = figures["sums"]
    rows = [
        [
            str(cost["batch"]),
            str(cost["side"]),
            str(cost["repeats"]),
            f"{cost['plain_ms']:.0f} ms",
            interval(cost["ratio"]),
        ]
        for cost in figures["costs"]
    ]
    return Page(f"""A class activation map is the last feature maps weighted by one class's weights and summed: with
global average pooling its mean plus the bias is the logit. The shipped model on {sums["films"]} phantoms,
{sums["findings"]} logits:

- largest difference between a logit and its map's mean plus bias, added up in double precision:
  {sums["map_difference"]:.1e} logit units;
- largest difference between a logit and its bias plus the evidence of all zones: {sums["ledger_difference"]:.1e}.

What the maps cost: DenseNet-121 with a GAP head and 14 findings, fp32, beside the same network with pooling and a
linear layer alone, which gives no maps; passes in turns.

{table(("batch", "side", "pairs", "without maps", "time with maps / without"), rows)}
""")


def summary(figures: Figures) -> list[Line]:
    """One row."""
    ratios = ", ".join(f"{interval(cost['ratio'])} at batch {cost['batch']}" for cost in figures["costs"])
    here = f"maps add up to the logit within {figures['sums']['map_difference']:.0e}; cost over plain logits {ratios}"
    return [Line("L1", "all maps in one pass", here, "one pass; an identity, no figure")]


LEDGER = Experiment("one-pass", "Maps of all findings in one pass, and their sum", run, page, summary)
