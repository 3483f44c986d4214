"""What a run asks of a Ray cluster, and what it is told where there is none."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from medcam.core.errors import UsageError
from medcam.dicom.network.destination import parse_destination
from medcam.service.annotate.options import AnnotateOptions, parse_outputs
from medcam.service.cluster.blocks import Pool
from medcam.service.cluster.cluster import connected
from medcam.service.cluster.run import annotate_on_ray
from medcam.service.cluster.settings import RayOptions
from medcam.service.cluster.storage import is_object_url, storage


@pytest.mark.parametrize("address", ["local", "auto", "10.0.0.1:6379", "head.example:6379", "[::1]:6379"])
def test_addresses_of_clusters(address):
    assert RayOptions(address).address == address


@pytest.mark.parametrize("address", ["", "ray://head:10001", "head", "head:0", "head:70000", "a b:1"])
def test_what_is_no_address(address):
    with pytest.raises(UsageError) as raised:
        RayOptions(address)
    assert raised.value.code == "ray-address"


@pytest.mark.parametrize(
    ("address", "on_loopback"),
    [
        ("local", True),
        ("127.0.0.1:6379", True),
        ("localhost:1", True),
        ("[::1]:9", True),
        ("auto", False),
        ("10.0.0.1:6379", False),
        ("head.example:6379", False),
    ],
)
def test_whether_a_cluster_is_of_this_machine_alone(address, on_loopback):
    assert RayOptions(address).on_loopback is on_loopback


@pytest.mark.parametrize("gpus", [-0.5, 1.5])
def test_gpus_are_a_share_of_one_or_whole(gpus):
    with pytest.raises(UsageError) as raised:
        RayOptions("local", gpus=gpus)
    assert raised.value.code == "ray-gpus"
    assert RayOptions("local", gpus=0.25).gpus == 0.25
    assert RayOptions("local", gpus=2).gpus == 2


def test_there_is_one_process_at_least():
    with pytest.raises(UsageError) as raised:
        RayOptions("local", actors=0)
    assert raised.value.code == "ray-actors"


@pytest.mark.parametrize(
    ("pool", "resources", "room"),
    [
        (Pool(2), {"CPU": 7.0}, 3),
        (Pool(2, most=2), {"CPU": 64.0}, 2),
        (Pool(4, gpus=0.25), {"CPU": 64.0, "GPU": 2.0}, 8),
        (Pool(4, gpus=0.25), {"CPU": 8.0, "GPU": 2.0}, 2),
        (Pool(8), {}, 1),  # what grows from nothing
    ],
)
def test_how_many_processes_fit(pool, resources, room):
    assert pool.room(resources) == room


def test_without_ray_the_next_step_is_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "1")

    with pytest.raises(UsageError) as raised, connected(RayOptions("local"), 1):
        pass

    assert raised.value.code == "no-ray"
    assert "medcam-cxr[ray]" in raised.value.next_step
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0", "statistics are off before Ray is looked for"


def test_without_fsspec_the_next_step_is_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec.core", None)

    with pytest.raises(UsageError) as raised:
        storage("s3://bucket/films")

    assert raised.value.code == "no-object-storage"
    assert "medcam-cxr[ray]" in raised.value.next_step


def test_kinds_of_urls():
    assert is_object_url("s3://bucket/films")
    assert not any(map(is_object_url, ["films", "/films", "dicomweb://host/path", "file:///films", Path("s3:/x")]))
    with pytest.raises(UsageError) as raised:
        storage("nothing-known://bucket/films")
    assert raised.value.code == "no-such-storage"


@pytest.mark.parametrize(
    ("sources", "out", "options"),
    [
        (["s3://bucket/films", "films"], "out", AnnotateOptions()),
        (["s3://bucket/films", "dicomweb://127.0.0.1/pacs"], "out", AnnotateOptions()),
        (
            ["s3://bucket/films"],
            "s3://bucket/out",
            AnnotateOptions(outputs=parse_outputs("sc"), send_to=parse_destination("A@127.0.0.1:104")),
        ),
    ],
    ids=["mixed", "mixed-web", "send-to"],
)
def test_what_many_machines_do_not_do(sources, out, options):
    with pytest.raises(UsageError) as raised:
        annotate_on_ray(sources, out, options, RayOptions("local"))
    assert raised.value.code == "not-with-ray"
