"""Models to choose from."""

from __future__ import annotations

import subprocess
import sys

from medcam.service.submissions.models import models_to_choose


def test_the_default_comes_first_and_every_shipped_model_is_there():
    assert models_to_choose()[0] == "phantom"
    assert {"phantom", "nih-opacity"} <= set(models_to_choose())
    assert len(set(models_to_choose())) == len(models_to_choose())


def test_no_network_is_loaded_for_it():
    lines = ("import sys", "from medcam.service.submissions import models", "models.models_to_choose()")
    code = "; ".join((*lines, "print('torch' in sys.modules)"))
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == "False"
