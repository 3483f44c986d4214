"""How the page is served: on this computer alone, sending nothing anywhere, and ended with its caller."""

from __future__ import annotations

import signal
import socket
import sys
import time

import pytest
from streamlit import config

import serve
from access import HeaderWay
from medcam.core.errors import UsageError
from medcam.service import review
from medcam.service.review_settings import HOST, ReviewSettings, read_sign_in
from medcam.service.studies.opened import open_studies, opened_store


@pytest.fixture
def options():
    """Streamlit's settings, as the server's program sets them."""
    return serve.options(ReviewSettings(port=8123))


@pytest.fixture
def free_port():
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


@pytest.fixture
def taken_port():
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_nothing_is_reported_to_anyone(options):
    assert options["browser.gatherUsageStats"] is False
    assert options["server.showEmailPrompt"] is False


def test_the_page_listens_on_this_computer_alone(options):
    assert HOST == "127.0.0.1"
    assert options["server.address"] == "127.0.0.1"
    assert options["server.port"] == 8123
    assert options["server.enableXsrfProtection"] is True


def test_the_command_is_the_servers_program_and_says_no_secret():
    assert review.server_command() == [sys.executable, str(review.dashboards_folder() / "serve.py")]


@pytest.mark.parametrize("address", ["0.0.0.0", "192.0.2.1"])
def test_without_sign_in_no_other_address_is_served(address):
    with pytest.raises(UsageError):
        serve.way_of(ReviewSettings(address)).check_start(address)


def test_ways_of_signing_in_come_from_a_file(tmp_path):
    path = tmp_path / "sign-in.toml"
    path.write_text('sign_in = "proxy"\n[proxy]\nproxies = ["192.0.2.7"]\nhosts = ["medcam.example"]\n')
    kind, given = read_sign_in(path)
    settings = ReviewSettings.from_json(ReviewSettings("0.0.0.0", 1, kind, given).to_json())
    way = serve.way_of(settings)

    assert isinstance(way, HeaderWay)
    assert way.proxies == ("192.0.2.7",)
    assert way.hosts == frozenset({"medcam.example"})


@pytest.mark.parametrize(
    "text", ["", "nonsense", 'sign_in = "magic"', 'sign_in = "oidc"\noidc = 3', "sign_in = 7", None]
)
def test_a_file_that_says_no_way_is_refused(tmp_path, text):
    path = tmp_path / "sign-in.toml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError) as refused:
        read_sign_in(path)
    assert refused.value.code == "sign-in"


@pytest.mark.parametrize("given", [{}, {"proxies": ["nonsense"]}, {"proxies": ["192.0.2.7"], "unknown": 1}])
def test_settings_that_do_not_fit_are_refused(given):
    with pytest.raises(UsageError) as refused:
        serve.way_of(ReviewSettings(sign_in="proxy", sign_in_settings=given))
    assert refused.value.code == "sign-in"


@pytest.mark.parametrize("changes", [{"sign_in": "none"}, {"idle_minutes": 0.0}, {"idle_minutes": 1000.0}])
def test_settings_that_are_none_are_refused(changes):
    with pytest.raises(UsageError):
        ReviewSettings(**changes)


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
        review.serve_review(str(tmp_path), ReviewSettings(port=taken_port), lambda _: None)

    assert refused.value.code == "port-unavailable"


def test_a_store_that_is_not_there_is_told_before_anything_is_started(tmp_path):
    with pytest.raises(UsageError) as refused:
        review.check_store(tmp_path / "none")
    assert refused.value.code == "no-store"


def test_a_store_is_told_to_the_server_by_its_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCAM_AUDIT_KEY", str(tmp_path / "audit.pem"))
    open_studies(tmp_path / "store").close()
    assert review.check_store(tmp_path / "store") == str(tmp_path / "store")


def test_a_file_that_is_named_by_a_url_is_told_to_the_server_by_it(tmp_path, monkeypatch):
    monkeypatch.setenv("MEDCAM_AUDIT_KEY", str(tmp_path / "audit.pem"))
    monkeypatch.setenv("MEDCAM_FILMS", str(tmp_path / "archive"))
    monkeypatch.chdir(tmp_path)
    open_studies("sqlite:///ward.db").close()

    told = review.check_store("sqlite:///ward.db")

    monkeypatch.chdir("/")
    with opened_store(told, make=False) as opened:
        assert opened.address.file == (tmp_path / "ward.db").resolve()
        assert opened.address.films == tmp_path / "archive"


def test_missing_parts_are_named(monkeypatch, tmp_path):
    monkeypatch.setattr(review.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(review.ReviewError) as refused:
        review.server_command()
    assert refused.value.code == "no-streamlit"

    monkeypatch.setattr(review.medcam, "__file__", str(tmp_path / "medcam" / "__init__.py"))
    with pytest.raises(review.ReviewError) as refused:
        review.dashboards_folder()
    assert refused.value.code == "no-dashboards"


def serve_instead(monkeypatch, program):
    """Puts a small program in the server's place; returns the processes that are started."""
    started = []
    popen = review.subprocess.Popen
    monkeypatch.setattr(review, "server_command", lambda: [sys.executable, "-c", program])
    monkeypatch.setattr(
        review.subprocess, "Popen", lambda *args, **options: started.append(popen(*args, **options)) or started[-1]
    )
    return started


def test_a_server_that_stops_by_itself_is_told(monkeypatch, tmp_path, free_port):
    started = serve_instead(monkeypatch, "raise SystemExit(7)")

    settings = ReviewSettings(port=free_port, workers=0)
    with pytest.raises(review.ReviewError, match="exit code 7") as stopped:
        review.serve_review(str(tmp_path), settings, lambda _: pytest.fail("it never answered"))

    assert stopped.value.code == "review-stopped"
    assert [server.returncode for server in started] == [7]


def test_a_server_that_never_answers_is_ended_and_told(monkeypatch, tmp_path, free_port):
    started = serve_instead(monkeypatch, "import time; time.sleep(60)")
    monkeypatch.setattr(review, "_START_SECONDS", 0.3)

    settings = ReviewSettings(port=free_port, workers=0)
    with pytest.raises(review.ReviewError) as silent:
        review.serve_review(str(tmp_path), settings, lambda _: pytest.fail("it never answered"))

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
    review.serve_review(str(tmp_path), ReviewSettings(port=free_port, workers=0), ready)

    assert told == [f"http://127.0.0.1:{free_port}"]
    assert started[0].poll() is not None
    assert signal.getsignal(signal.SIGTERM) is before
    assert time.monotonic() - began < 30
