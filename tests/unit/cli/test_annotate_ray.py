"""`medcam annotate --ray`: what reaches the job of a cluster, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from medcam.service.cluster import run as service
from medcam.service.cluster.settings import RayOptions

from .conftest import Ended
from .test_annotate import manifest


class Several:
    """Stands in for the job, which has tests of its own."""

    def __init__(self) -> None:
        self.asked: tuple[Any, ...] = ()

    def __call__(self, *asked: Any) -> dict[str, Any]:
        self.asked = asked
        return {"tiny": manifest(annotated=2), "strict": manifest(annotated=1, quarantined=1)}


@pytest.fixture
def job(monkeypatch: pytest.MonkeyPatch) -> Several:
    stand_in = Several()
    monkeypatch.setattr(service, "annotate_with_on_ray", stand_in)
    return stand_in


def test_several_models_a_store_and_a_search_reach_the_job(medcam: Callable[..., Ended], job: Several) -> None:
    ended = medcam(
        *("annotate", "dicomweb://127.0.0.1/pacs", "--out", "my out/", "--ray", "auto", "--actors", 3),
        *("--model", "a", "--model", "b", "--store", "postgresql+psycopg://medcam@db/medcam"),
    )

    models, sources, out, options, cluster, _ = job.asked
    assert (list(models), list(sources), out) == (["a", "b"], ["dicomweb://127.0.0.1/pacs"], "my out/")
    assert cluster == RayOptions("auto", actors=3)
    assert (options.store, options.workers) == ("postgresql+psycopg://medcam@db/medcam", 2)
    assert ended.code == 1, "one of the models has refused something"
    assert "my out/strict" in ended.out
    assert "medcam models compare 'my out/'" in ended.out


def test_results_in_object_storage_are_not_compared_from_there(medcam: Callable[..., Ended], job: Several) -> None:
    places = ("s3://films/2025", "--out", "s3://results/2025")
    ended = medcam("annotate", *places, "--ray", "local", "--model", "a", "--model", "b")

    assert job.asked[2] == "s3://results/2025"
    assert "s3://results/2025/tiny" in ended.out
    assert "models compare" not in ended.out
