"""Signals are survived after a model was let go of by another thread than the one that loaded it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from medcam.models.engines.openvino_core import openvino_core
from medcam.models.engines.quiet_openvino import load_openvino

_PROGRAM = """
import gc, os, signal, sys, threading
from medcam.models.registry import load_model

kept = [load_model(sys.argv[1], "openvino:fp32")]
assert kept[0].engine.name == "openvino", kept[0].engine

def let_go():
    kept.clear()
    gc.collect()

thread = threading.Thread(target=let_go)
thread.start()
thread.join()
signal.signal(signal.SIGTERM, lambda *_: print("handled"))
os.kill(os.getpid(), signal.SIGTERM)
"""


def test_a_signal_is_handled_after_a_model_was_let_go_of_elsewhere() -> None:
    if load_openvino() is None:
        pytest.skip("OpenVINO is not installed")
    ended = subprocess.run(
        [sys.executable, "-c", _PROGRAM, "phantom"], cwd=Path.cwd(), capture_output=True, text=True, timeout=300
    )
    assert (ended.returncode, ended.stdout.strip()) == (0, "handled"), ended.stderr


def test_there_is_one_runtime() -> None:
    package = load_openvino()
    if package is None:
        pytest.skip("OpenVINO is not installed")
    assert openvino_core(package) is openvino_core(package)
