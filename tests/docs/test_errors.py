"""docs/reference/errors.md lists exactly the codes that the program can give."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping

from .pages import ROOT, read, table

PAGE = ROOT / "docs" / "reference" / "errors.md"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
ABSTRACT = {"error"}
"""The base class's own code; nothing is raised with it."""


def constants(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of texts at the top of a module."""
    for node in tree.body:
        if (
            isinstance(node, ast.Assign)
            and isinstance(node.targets[0], ast.Name)
            and isinstance(node.value, ast.Constant)
        ):
            yield node.targets[0].id, str(node.value.value)


def text_of(node: ast.expr | None, known: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return known.get(node.id)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def codes_of(node: ast.AST, known: Mapping[str, str]) -> Iterator[str | None]:
    """Codes that a node of the syntax tree gives."""
    if isinstance(node, ast.Call):
        yield from (text_of(keyword.value, known) for keyword in node.keywords if keyword.arg == "code")
        called = node.func.id if isinstance(node.func, ast.Name) else ""
        if called == "Verdict" and len(node.args) == 2 and ast.unparse(node.args[0]) == "Answer.NO":
            reason = text_of(node.args[1], known)
            yield reason and reason.replace(" ", "-")
        if called in ("Skipped", "Quarantined") and len(node.args) > 1:
            yield text_of(node.args[1], known)
    names = [node.target] if isinstance(node, ast.AnnAssign) else node.targets if isinstance(node, ast.Assign) else []
    if any(isinstance(name, ast.Name) and name.id == "default_code" for name in names):
        yield text_of(node.value, known)


def codes_in_the_program() -> dict[str, list[str]]:
    trees = {path: ast.parse(read(path)) for path in sorted((ROOT / "medcam").rglob("*.py"))}
    known = {name: text for tree in trees.values() for name, text in constants(tree) if name.isupper()}
    found: dict[str, list[str]] = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            for code in codes_of(node, known):
                if code and CODE.fullmatch(code):
                    found.setdefault(code, []).append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return {code: places for code, places in found.items() if code not in ABSTRACT}


def test_the_search_finds_every_form_of_a_code():
    source = """
raise InputError("x", code="as-keyword")
class E(InputError):
    default_code: ClassVar[str] = "as-annotated"
class F(InputError):
    default_code = "as-assigned"
Verdict(Answer.NO, "as a verdict")
Skipped(file, "as-skipped", "why")
NAMED = "as-named"
Quarantined(file, NAMED, "why", "what")
"""
    tree = ast.parse(source)
    found = {code for node in ast.walk(tree) for code in codes_of(node, dict(constants(tree)))}

    assert found == {"as-keyword", "as-annotated", "as-assigned", "as-a-verdict", "as-skipped", "as-named"}


def test_every_code_is_listed_and_every_listed_code_exists():
    rows = table(read(PAGE))
    listed = [row[0] for row in rows]
    program = codes_in_the_program()

    assert {code: places for code, places in program.items() if code not in listed} == {}
    assert [code for code in listed if code not in program] == []
    assert len(listed) == len(set(listed)) > 30


def test_every_row_says_what_it_means_and_what_to_do():
    for code, meaning, advice in table(read(PAGE)):
        assert len(meaning) > 15, code
        assert len(advice) > 5, code
