"""Licence, citation and continuous integration say what the package says."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tomllib

import pytest
import yaml

from .pages import README, ROOT, fences, read, section


@pytest.fixture(scope="module")
def project():
    return tomllib.loads(read(ROOT / "pyproject.toml"))["project"]


@pytest.fixture(scope="module")
def citation():
    return yaml.safe_load(read(ROOT / "CITATION.cff"))


def test_the_licence_is_the_whole_apache_licence(project):
    text = read(ROOT / "LICENSE")
    words = hashlib.sha256(" ".join(text.split()).encode()).hexdigest()

    assert project["license"] == "Apache-2.0"
    assert words == "0ffddef9e48f8a09aed5caf2d44f7ba1c1be2d9b8e0a6f693b1635b2d5566645"


def test_the_citation_has_what_the_format_requires(citation, project):
    assert {"cff-version", "message", "title", "authors"} <= set(citation)
    assert citation["cff-version"] == "1.2.0"
    assert citation["type"] == "software"
    assert citation["version"] == project["version"]
    assert citation["license"] == project["license"]
    assert citation["authors"]
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= set(reference)


def test_the_citation_names_the_paper(citation):
    (paper,) = citation["references"]

    assert paper["title"] == "Learning Deep Features for Discriminative Localization"
    assert [author["family-names"] for author in paper["authors"]] == [
        "Zhou",
        "Khosla",
        "Lapedriza",
        "Oliva",
        "Torralba",
    ]
    assert (paper["year"], "CVPR" in paper["collection-title"]) == (2016, True)
    assert {"arXiv:1512.04150"} == {identifier["value"] for identifier in paper["identifiers"]}


def test_ci_is_an_executable_script_that_bash_can_read():
    script = ROOT / ".ci" / "run"

    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", script], check=True)


@pytest.mark.parametrize("heading", ["Run it", "Test it"])
def test_ci_runs_the_lines_that_the_readme_tells(heading):
    script = read(ROOT / ".ci" / "run")
    function = script[script.index("told_under()") :]
    function = function[: function.index("\n}") + 2]

    told = subprocess.run(
        ["bash", "-c", f"{function}\ntold_under '{heading}'"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert told.stdout == fences(section(read(README), heading), "sh")[0].text
    assert f"told_under '{heading}'" in script


def test_commit_hooks_run_the_four_tools():
    hooks = yaml.safe_load(read(ROOT / ".pre-commit-config.yaml"))["repos"][0]["hooks"]

    assert [hook["entry"] for hook in hooks] == ["ruff check", "ruff format --check", "mypy", "lint-imports"]
    assert {hook["language"] for hook in hooks} == {"system"}
