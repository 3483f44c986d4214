"""OpenVINO reports nothing about its use from here, and leaves nothing in the user's home."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medcam.models.engines.openvino_engine import openvino_precisions

pytestmark = pytest.mark.skipif(not openvino_precisions(), reason="OpenVINO is not installed")

WATCHED = """
import json, sys

seen = []

def watch(event, args):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "os.fork",
                 "urllib.Request"):
        seen.append(event)
        raise OSError("nothing goes out of this test")

sys.addaudithook(watch)
"""
USED = """
from medcam.models.engines import choose, converted
from medcam.models.registry import load_model

model = load_model("text", "openvino:fp32")
print(json.dumps({"seen": seen, "engine": model.engine.name, "warnings": model.engine_warnings,
                  "telemetry": sys.modules.get("openvino_telemetry", "absent") is not None
                  and "openvino_telemetry" in sys.modules}))
"""
BEFORE = """
import os, types

class Telemetry:
    def __init__(self, **_):
        self.backend = types.SimpleNamespace(app_name=_.get("app_name"))
    def init(self, **_): pass
    def __getattr__(self, name):
        return lambda *_, **__: sent.append(name)

sent = []
import openvino
import openvino.tools.ovc.convert_impl
for name in ("telemetry_utils", "convert_impl"):
    sys.modules["openvino.tools.ovc." + name].tm = types.SimpleNamespace(Telemetry=Telemetry)
sent.clear()
seen.clear()
"""


def run(tmp_path: Path, program: str) -> dict[str, object]:
    """Runs it in a home of its own, where nothing says that this is CI and telemetry therefore off."""
    environment = {name: value for name, value in os.environ.items() if name not in ("CI", "TF_BUILD", "JENKINS_URL")}
    environment |= {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True, timeout=300
    )
    told: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return told


def test_nothing_is_sent_and_nothing_is_left_behind(tmp_path: Path) -> None:
    told = run(tmp_path, WATCHED + USED)
    assert told == {"seen": [], "engine": "openvino", "warnings": [], "telemetry": False}
    assert {path.name for path in tmp_path.iterdir()} == {"cache"}


def test_the_converter_is_silent_where_somebody_else_has_imported_openvino_with_its_telemetry(tmp_path: Path) -> None:
    (tmp_path / "intel").mkdir()
    (tmp_path / "intel" / "openvino_telemetry").write_text("0")  # declined: the import itself must not send either
    told = run(tmp_path, WATCHED + BEFORE + USED + "print(json.dumps({'sent': sent, 'seen': seen}))")
    assert told == {"sent": [], "seen": []}
