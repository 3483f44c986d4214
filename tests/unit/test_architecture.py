"""The rules of the house that a program can check: who imports what, how long a file is, what is never called."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LONGEST_FILE, LONGEST_FUNCTION = 320, 45
UNFINISHED = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b|^\s*raise NotImplementedError", re.MULTILINE)
DECODERS = {"pyjpegls", "pylibjpeg", "pylibjpeg-libjpeg", "pylibjpeg-openjpeg", "pylibjpeg-rle"}
PLUG_INS = DECODERS | {"authlib", "httpx", "isal"}
"""What others find by themselves, pydicom its decoders and Streamlit its sign-in, and what is taken where it is found
(ISA-L, which packs pictures): declared, never imported by name."""
FOUND_BY_FSSPEC = {"s3fs"}
"""What fsspec imports where a URL begins with s3://."""
PEERS = re.compile(r"medcam/experiments/bench/(peers|baselines)/")
"""What imports other libraries to be measured beside them: from the extra `bench`."""
PEER_PACKAGES = {"captum": "captum", "matplotlib": "matplotlib", "pytorch_grad_cam": "grad-cam", "torchcam": "torchcam"}
"""Distributions of their modules, which need not be installed."""
CODE = sorted((ROOT / "medcam").rglob("*.py")) + sorted((ROOT / "dashboards").rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def imported(path: Path) -> Iterator[str]:
    """Top-level names of all absolute imports, those inside functions included."""
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def third_party(paths: list[Path]) -> set[str]:
    own = {"medcam", "dashboards", "__future__"} | {path.stem for path in paths if path.parts[-2] == "dashboards"}
    own |= {path.name for path in (ROOT / "dashboards").iterdir() if path.is_dir()}
    return {name for path in paths for name in imported(path)} - own - set(sys.stdlib_module_names)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def names_of(lines: list[str]) -> set[str]:
    return {normalised(re.match(r"[A-Za-z0-9._-]+", line)[0]) for line in lines}


def declared(extra: str = "") -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return names_of(project["optional-dependencies"][extra] if extra else project["dependencies"])


def test_there_is_code_to_judge():
    assert len(CODE) > 100
    assert {relative(path).partition("/")[0] for path in CODE} == {"medcam", "dashboards"}


def test_import_contracts_hold():
    """In a process of its own: it sets up logging such that every logger there is falls silent."""
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"]

    ended = subprocess.run([*command, "--no-cache", "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "0 broken" in ended.stdout


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_a_file_is_short_documented_and_silent(path):
    tree = parsed(path)
    calls = {node.func.id for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}

    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST_FILE
    assert ast.get_docstring(tree), "a module says what it is for"
    assert not calls & {"print", "breakpoint", "exec", "eval"}


def lines_of(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function's body, its docstring left out."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("path", CODE, ids=relative)
def test_functions_are_short_and_finished(path):
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(parsed(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]

    assert {function.name: lines_of(function) for function in functions if lines_of(function) > LONGEST_FUNCTION} == {}
    assert not UNFINISHED.search(text)


def test_streamlit_lives_in_the_dashboards_alone():
    assert not [relative(path) for path in CODE if "streamlit" in imported(path) and "dashboards" not in path.parts]


def test_the_dashboards_see_medcam_through_its_front_door_service_and_core():
    allowed = re.compile(r"medcam(\.(service|core)(\..+)?)?")
    strangers = {
        f"{relative(path)}: {node.module}"
        for path in CODE
        if relative(path).startswith("dashboards/")
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("medcam")
        if not allowed.fullmatch(node.module)
    }

    assert not strangers


def test_every_import_is_declared_and_every_declared_package_is_used():
    origins = packages_distributions()
    own = [path for path in CODE if not PEERS.match(relative(path))]
    used = {normalised(dist) for name in third_party(own) for dist in origins.get(name, [f"unknown origin of {name}"])}

    assert used - declared("ray") == declared() - PLUG_INS
    assert not PLUG_INS - declared()
    assert used & declared("ray") == declared("ray") - FOUND_BY_FSSPEC


def test_what_peers_import_is_declared_here_or_in_the_extra_bench():
    peers = [path for path in CODE if PEERS.match(relative(path))]
    beyond = third_party(peers) & set(PEER_PACKAGES)
    origins = packages_distributions()
    rest = {normalised(dist) for name in third_party(peers) - beyond for dist in origins.get(name, [f"unknown {name}"])}

    assert {PEER_PACKAGES[name] for name in beyond} == declared("bench") - {"torchvision"}
    assert rest <= declared()
