"""A probe from reports to maps by the command line: fitted, listed, shown, and used beside the model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from medcam.cli.main import app
from medcam.core.errors import UsageError
from medcam.dicom import DxAttributes, save_dx
from medcam.service.explanations.explanation_json import read_explanation

FILMS = 8
SENTENCES = {
    True: ("There is a bright square.", "Bright squares in the lower zone.", "Square, unusually bright."),
    False: ("No bright square.", "Bright squares are not seen.", "Normal film."),
}


@pytest.fixture
def films(tmp_path: Path) -> Path:
    """Films with a bright square and without, and what reports say of them; one cannot be read, one is in doubt."""
    folder = tmp_path / "films"
    folder.mkdir()
    rows = [
        {"image": "broken.dcm", "report": "A bright square."},
        {"image": "0-0.dcm", "report": "Possible bright square."},
    ]
    (folder / "broken.dcm").write_bytes(b"no film")
    for bright in (True, False):
        for number in range(FILMS):
            random = np.random.default_rng([int(bright), number])
            pixels = random.normal(1500.0, 120.0, (96, 96))
            if bright:
                row, column = random.integers(20, 60, 2)
                pixels[row : row + 24, column : column + 24] += 1800.0
            name = f"{int(bright)}-{number}.dcm"
            attributes = DxAttributes(seed=f"square-{name}", window=(2048, 4096))
            save_dx(folder / name, np.clip(pixels, 0, 4095).astype(np.uint16), attributes)
            if name != "0-0.dcm":
                rows.append({"image": name, "report": SENTENCES[bright][number % 3]})
    (folder / "reports.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return folder


def test_from_reports_to_maps(
    films: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, save_tiny_model: Callable[..., Path]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    save_tiny_model(tmp_path / "data" / "medcam" / "models" / "tiny", "Nodule", "Mass")
    run = CliRunner()

    fit = ["probe", "fit", "--model", "tiny", "--name", "square", "--phrase", "bright square"]
    fitted = run.invoke(app, [*fit, "--reports", str(films / "reports.jsonl"), "--json"])
    assert fitted.exit_code == 0, fitted.output
    assert "1 doubted" in fitted.stderr
    assert "left out: broken.dcm" in fitted.stderr
    card = json.loads(fitted.stdout)
    assert (card["positives"], card["negatives"], card["phrase"]) == (FILMS, FILMS - 1, "bright square")
    auc = card["finding"]["performance"]["auc"]
    assert auc["low"] <= auc["value"] <= auc["high"]

    listed = json.loads(run.invoke(app, ["models", "list", "--json"]).stdout)
    assert "tiny+square" in [model["name"] for model in listed]
    assert "By the phrase 'bright square'" in run.invoke(app, ["probe", "show", "square"]).stdout

    annotate = ["annotate", str(films / "1-0.dcm"), "--out", str(tmp_path / "out"), "--model", "tiny+square"]
    assert run.invoke(app, [*annotate, "--allow-out-of-distribution"]).exit_code == 0
    [path] = (tmp_path / "out").glob("*/*/explanation.json")
    explanation = read_explanation(path)
    assert [finding.name for finding in explanation.findings] == ["Nodule", "Mass", "square"]
    square = explanation.findings[-1]
    assert square.map.values.mean() + square.map.bias == pytest.approx(square.logit, abs=1e-4)
    assert (path.parent / "overlay-square.png").is_file()

    again = run.invoke(app, [*fit, "--reports", str(films / "reports.jsonl")])
    assert isinstance(again.exception, UsageError)
    assert again.exception.code == "probe-name"
