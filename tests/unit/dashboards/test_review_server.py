"""How the page is served: on this computer alone, sending nothing anywhere, and ended with its caller."""

from __future__ import annotations

import signal
import socket
import sys
import time

import pytest
from streamlit import config

from medcam.core.errors import UsageError
from medcam.service import review


@pytest.fixture
def options():
    """Options of the command that starts the server; a list where one is given several times."""
    command = review.streamlit_command(8123)
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert command[4] == str(review.dashboards_folder() / "home.py")
    given: dict[str, list[str]] = {}
    for name, value in zip(command[5::2], command[6::2], strict=True):
        given.setdefault(name.removeprefix("--"), []).append(value)
    return given


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind((review.HOST, 0))
        return probe.getsockname()[1]


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind((review.HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_nothing_is_reported_to_anyone(options):
    assert options["browser.gatherUsageStats"] == ["false"]
    assert options["server.showEmailPrompt"] == ["false"]


def test_the_page_listens_on_this_computer_alone(options):
    assert review.HOST == "127.0.0.1"
    assert options["server.address"] == ["127.0.0.1"]
    assert options["browser.serverAddress"] == ["127.0.0.1"]
    assert options["server.port"] == ["8123"]
    assert options["server.allowedHosts"] == ["127.0.0.1", "localhost"]
    assert options["server.enableXsrfProtection"] == ["true"]


def test_streamlit_knows_every_option(options):
    known = set(config.get_config_options())

    assert set(options) <= known


@pytest.mark.parametrize("port", [-1, 0, 65536])
def test_a_number_that_is_no_port_is_refused(port):
    with pytest.raises(UsageError) as refused:
        review.check_port(port)

    assert refused.value.code == "port-unavailable"


def test_a_taken_port_is_refused_before_anything_is_started(taken_port, tmp_path, monkeypatch):
    monkeypatch.setattr(review.subprocess, "Popen", lambda *_, **__: pytest.fail("a server was started"))

    with pytest.raises(UsageError) as refused:
        review.serve_review(tmp_path, taken_port, lambda _: None)

    assert refused.value.code == "port-unavailable"


def test_the_results_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError) as refused:
        review.results_folder()
    assert refused.value.code == "no-results"

    (tmp_path / "medcam-demo").mkdir()
    assert review.results_folder() == (tmp_path / "medcam-demo").resolve()
    assert review.results_folder(tmp_path) == tmp_path.resolve()

    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError):
        review.results_folder(tmp_path / "file")


def test_missing_parts_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(review.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(review.ReviewError) as refused:
        review.streamlit_command(8123)
    assert refused.value.code == "no-streamlit"

    monkeypatch.setattr(review.medcam, "__file__", str(tmp_path / "medcam" / "__init__.py"))
    with pytest.raises(review.ReviewError) as refused:
        review.dashboards_folder()
    assert refused.value.code == "no-dashboards"


def serve_instead(monkeypatch, program):
    """Puts a small program in the server's place; returns the processes that are started."""
    started = []
    popen = review.subprocess.Popen
    monkeypatch.setattr(review, "streamlit_command", lambda _: [sys.executable, "-c", program])
    monkeypatch.setattr(
        review.subprocess, "Popen", lambda *args, **options: started.append(popen(*args, **options)) or started[-1]
    )
    return started


def test_a_server_that_stops_by_itself_is_told(monkeypatch, tmp_path, free_port):
    started = serve_instead(monkeypatch, "raise SystemExit(7)")

    with pytest.raises(review.ReviewError, match="exit code 7") as stopped:
        review.serve_review(tmp_path, free_port, lambda _: pytest.fail("it never answered"))

    assert stopped.value.code == "review-stopped"
    assert [server.returncode for server in started] == [7]


def test_a_server_that_never_answers_is_ended_and_told(monkeypatch, tmp_path, free_port):
    started = serve_instead(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(review, "_START_SECONDS", 0.3)

    with pytest.raises(review.ReviewError) as silent:
        review.serve_review(tmp_path, free_port, lambda _: pytest.fail("it never answered"))

    assert silent.value.code == "review-silent"
    assert started[0].returncode == -signal.SIGTERM


ANSWERS = """
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(os.environ["MEDCAM_STORE"].encode())
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


@pytest.fixture
def hears_interrupts():
    """A shell starts what runs in its background deaf to SIGINT, and Python then keeps it so."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("hears_interrupts")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_the_server_ends_with_its_caller(monkeypatch, tmp_path, free_port, number):
    started = serve_instead(monkeypatch, ANSWERS.replace("PORT", str(free_port)))
    before = signal.getsignal(signal.SIGTERM)
    told = []

    def ready(address):
        told.append(address)
        signal.raise_signal(number)

    began = time.monotonic()
    review.serve_review(tmp_path, free_port, ready)

    assert told == [f"http://127.0.0.1:{free_port}"]
    assert started[0].poll() is not None
    assert signal.getsignal(signal.SIGTERM) is before
    assert time.monotonic() - began < 30
