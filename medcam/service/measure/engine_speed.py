"""How much faster an engine is than eager torch, and how long it takes to be ready.

python -m medcam.service.measure.engine_speed [--side 224] [--batch 16] [--repeats 9]
"""

from __future__ import annotations

import argparse
import json
import logging
import time
from dataclasses import asdict, dataclass

import numpy as np
import torch
from monai.networks.nets import DenseNet121

from medcam.core.arrays import FloatArray
from medcam.core.card import FindingCard, InputRecipe, Interval, ModelCard
from medcam.models.engines.calibration import calibration_inputs
from medcam.models.engines.choose import with_engine
from medcam.models.loaded import LoadedModel
from medcam.models.surgery.gap_head import with_gap_head

FINDINGS = 14
"""As many as ChestX-ray14 has."""
WARM_UP = 2
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EngineSpeed:
    """An engine beside eager torch in fp32: DenseNet-121 with random weights, 14 findings, logits and all maps.

    Args:
        asked: The engine that was asked for.
        engine: What was chosen, name and precision.
        side: Of the films in pixels.
        batch: Films per pass.
        repeats: Pairs of passes, in turns.
        threads: Of torch.
        eager_ms: Median time of a pass by eager torch.
        engine_ms: The same by the engine.
        ratio: Median of the pairs' ratios, eager over engine, with its 95 % bootstrap interval.
        max_logit_error: On the calibration films.
        ready_s: Time until the model was on the engine, the check on the calibration films included.
        notes: Which engines were tried and not used.
    """

    asked: str
    engine: str
    side: int
    batch: int
    repeats: int
    threads: int
    eager_ms: float
    engine_ms: float
    ratio: Interval
    max_logit_error: float
    ready_s: float
    notes: tuple[str, ...]

    @property
    def name(self) -> str:
        """The figure's name among those of `medcam bench`."""
        return f"engine-over-eager/{self.side}/b{self.batch}"

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return {"name": self.name, **asdict(self)}


def densenet(side: int) -> LoadedModel:
    """MONAI's DenseNet-121 with a GAP head, random weights by a fixed seed."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = with_gap_head(DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS))
    findings = tuple(FindingCard(f"Finding {number}") for number in range(FINDINGS))
    return LoadedModel(network, ModelCard("densenet121", "0", findings, InputRecipe(side, side), "densenet121"))


def engine_speed(side: int, batch: int, repeats: int, engine: str = "auto") -> EngineSpeed:
    """Times an engine and eager torch in turns, so that what else the machine does meets both alike.

    Args:
        side: Of the films in pixels.
        batch: Films per pass.
        repeats: Pairs of passes; two more warm up.
        engine: See `medcam.load_model`.
    """
    eager = densenet(side)
    started = time.perf_counter()
    fast = with_engine(eager, engine)
    ready = time.perf_counter() - started
    films = calibration_inputs(eager.card.input)
    films = films[np.arange(batch) % len(films)]
    pairs = np.array([(_seconds(eager, films), _seconds(fast, films)) for _ in range(repeats + WARM_UP)])[WARM_UP:]
    ratios = pairs[:, 0] / pairs[:, 1]
    drawn = np.random.default_rng(0).integers(0, repeats, (2000, repeats))
    low, high = np.percentile(np.median(ratios[drawn], axis=1), [2.5, 97.5])
    value = float(np.median(ratios))
    medians = 1000.0 * np.median(pairs, axis=0)
    return EngineSpeed(
        asked=engine,
        engine=f"{fast.engine.name} {fast.engine.precision}",
        side=side,
        batch=batch,
        repeats=repeats,
        threads=torch.get_num_threads(),
        eager_ms=float(medians[0]),
        engine_ms=float(medians[1]),
        ratio=Interval(value, min(float(low), value), max(float(high), value)),
        max_logit_error=fast.engine.max_logit_error,
        ready_s=ready,
        notes=fast.engine_notes,
    )


def _seconds(model: LoadedModel, films: FloatArray) -> float:
    started = time.perf_counter()
    model.predict(films)
    return time.perf_counter() - started


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--repeats", type=int, default=9)
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for engine in ("torch", "torch:bf16", "openvino:fp32", "auto"):
        figures = engine_speed(given.side, given.batch, given.repeats, engine)
        _log.info("%s", json.dumps(figures.as_dict()))


if __name__ == "__main__":
    main()
