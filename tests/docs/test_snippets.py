"""The Python in the documentation runs: page by page, block by block, against the films in `sample_data`."""

from __future__ import annotations

import pytest

from medcam.service.training.recipes import FOLDER_RECIPE, configured

from .pages import PAGES, ROOT, fences, name, read

WITH_PYTHON = [page for page in PAGES if fences(read(page), "python")]


def test_there_is_python_to_run():
    assert {"README.md", "docs/tutorials/first-explanation.md", "docs/reference/python.md"} <= set(
        map(name, WITH_PYTHON)
    )


# MONAI looks for a GPU decoder of its own whenever it makes a transform that loads.
@pytest.mark.filterwarnings("ignore:NvImgCodecPydicomReader:UserWarning")
@pytest.mark.parametrize("page", WITH_PYTHON, ids=name)
def test_python_in_a_page_runs(page, tmp_path, monkeypatch, capsys):
    (tmp_path / "sample_data").symlink_to(ROOT / "sample_data", target_is_directory=True)
    (tmp_path / "cohort").mkdir()  # what pages call a folder of phantoms that their reader has made
    (tmp_path / "cohort" / "truth.json").write_bytes((ROOT / "sample_data" / "truth.json").read_bytes())
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {"__name__": "__main__"}

    for fence in fences(read(page), "python"):
        source = "\n" * (fence.line - 1) + fence.text
        exec(compile(source, str(page), "exec"), scope)


@pytest.mark.parametrize("page", [page for page in PAGES if fences(read(page), "json")], ids=name)
def test_training_configurations_that_are_shown_are_valid(page, tmp_path):
    for fence in fences(read(page), "json"):
        (tmp_path / "config.json").write_text(fence.text, encoding="utf-8")

        assert configured(FOLDER_RECIPE, tmp_path / "config.json") != FOLDER_RECIPE
