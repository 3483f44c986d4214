"""The tutorial on training as it is written, with fewer films: every command ends well, and the report is there."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from medcam.models.cards import read_card_file

PAGE = Path(__file__).parents[2] / "docs" / "tutorials" / "from-dicom-files-to-an-audited-model.md"
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FEWER = {"--count 160": "--count 60", "--count 60 --seed 7002": "--count 10 --seed 7002", "--epochs 4": "--epochs 1"}


@pytest.mark.timeout(900)
def test_every_command_of_the_page_ends_well(tmp_path: Path) -> None:
    own = {"XDG_DATA_HOME": str(tmp_path / "share"), "MEDCAM_AUDIT_KEY": str(tmp_path / "key.pem")}
    page = PAGE.read_text(encoding="utf-8")
    for written, smaller in reversed(FEWER.items()):
        assert written in page
        page = page.replace(written, smaller)
    commands = []
    for language, text in BLOCK.findall(page):
        if language == "python":
            commands.append([sys.executable, "-c", text])
            continue
        for line in text.splitlines():
            words = shlex.split(line)
            assert words[0] == "medcam"
            commands.append([sys.executable, "-m", *words])
    for command in commands:
        done = subprocess.run(command, cwd=tmp_path, env=os.environ | own, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stdout, done.stderr)
    assert (tmp_path / "report.html").is_file()
    card = read_card_file(tmp_path / "share" / "medcam" / "models" / "my-hospital")
    assert "60 films of 60 patients" in card.training_data
    assert card.training_licence.startswith("CC0-1.0, synthetic.")
