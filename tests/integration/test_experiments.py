"""Three of the lecture's experiments, as small as they go: whether everything runs, and is kept."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SLICE = ("pooling-heads", "anatomy-behind-findings", "units")


def run(folder: Path) -> subprocess.CompletedProcess[str]:
    words = ["experiments", "--slice", "--out", folder / "pages", "--work", folder / "work", "--workers", "2"]
    words += [word for name in SLICE for word in ("--only", name)]
    return subprocess.run(
        [sys.executable, "-m", "medcam", *map(str, words)], capture_output=True, text=True, check=False
    )


def test_a_slice_of_three_writes_its_pages_and_is_kept(tmp_path: Path) -> None:
    first = run(tmp_path)
    assert first.returncode == 0, first.stderr
    pages = {path.name: path.read_bytes() for path in (tmp_path / "pages").glob("*.md")}
    assert set(pages) == {"README.md", *(f"{name}.md" for name in SLICE)}
    summary = pages["README.md"].decode()
    assert all(f"| {row} |" in summary for row in ("L3", "L7", "L10"))

    again = run(tmp_path)
    assert again.returncode == 0, again.stderr
    assert all(f"{name}: kept" in again.stderr for name in SLICE)
    assert {path.name: path.read_bytes() for path in (tmp_path / "pages").glob("*.md")} == pages
