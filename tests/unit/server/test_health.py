"""Health and metrics over HTTP."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest
import requests

from medcam.core.errors import UsageError
from medcam.server.health import HOST, HealthServer, health_app


@pytest.fixture
def serve() -> Iterator[Callable[..., str]]:
    """Serves what is dead and what is not ready; gives the address."""
    servers = []

    def start(dead: list[str], unready: list[str]) -> str:
        server = HealthServer(health_app(lambda: dead, lambda: unready, lambda: b"medcam_received_total 7.0\n"), 0)
        servers.append(server)
        server.start()
        return f"http://{HOST}:{server.port}"

    yield start
    for server in servers:
        server.stop()


@pytest.mark.parametrize(
    ("dead", "unready", "status"),
    [([], [], 200), (["medcam-worker-0 has ended"], [], 503), ([], ["no room for received objects"], 503)],
)
def test_health_says_what_is_wrong(serve, dead, unready, status):
    answer = requests.get(serve(dead, unready) + "/health", timeout=10)

    assert answer.status_code == status
    assert answer.json() == {"live": not dead, "ready": status == 200, "reasons": [*dead, *unready]}


def test_metrics_are_those_of_prometheus_text_format(serve):
    answer = requests.get(serve([], []) + "/metrics", timeout=10)

    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.text == "medcam_received_total 7.0\n"


def test_nothing_else_is_served(serve):
    address = serve([], [])

    assert [requests.get(address + path, timeout=10).status_code for path in ("/", "/docs", "/openapi.json")] == [
        404
    ] * 3


def test_it_is_bound_to_this_computer_and_a_taken_port_is_told():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(UsageError) as refused:
            HealthServer(health_app(list, list, bytes), taken.getsockname()[1])
    assert (HOST, refused.value.code) == ("127.0.0.1", "port-unavailable")
