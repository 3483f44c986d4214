"""An engine beside eager torch."""

from __future__ import annotations

from medcam.service.measure.engine_speed import FINDINGS, densenet, engine_speed


def test_an_engine_is_timed_beside_eager_torch() -> None:
    figures = engine_speed(64, 2, 3, "torch")
    told = figures.as_dict()
    assert told["name"] == "engine-over-eager/64/b2"
    assert (told["engine"], told["side"], told["batch"], told["repeats"]) == ("torch fp32", 64, 2, 3)
    assert figures.ratio.low <= figures.ratio.value <= figures.ratio.high
    assert figures.ratio.low > 0.0
    assert figures.engine_ms > 0.0
    assert figures.eager_ms > 0.0
    assert figures.max_logit_error < 1e-3


def test_the_network_is_the_same_each_time() -> None:
    one, other = densenet(64), densenet(64)
    assert len(one.card.findings) == FINDINGS
    assert all((a == b).all() for a, b in zip(one.network.parameters(), other.network.parameters(), strict=True))
