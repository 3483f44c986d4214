"""Every warning that the package gives a film has Korean words: read from the source, so that none is forgotten."""

import ast
from pathlib import Path

import pytest

import medcam
from catalogue.warnings_korean import korean_warning
from medcam.core.explanation import OutOfDistribution
from medcam.service.explanations.strangeness import strangeness_warning

PACKAGE = Path(medcam.__file__).parent
SERVICE = (PACKAGE / "service" / "explain.py").read_text(encoding="utf-8")


def warned():
    """The texts of all `*.warn(...)` in medcam/dicom, 7 standing where a value is put in."""
    for file in sorted((PACKAGE / "dicom").rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            is_call = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "warn"
            if is_call and file.name != "quiet.py":
                yield text_of(node.args[0])


def text_of(node):
    if isinstance(node, ast.Constant):
        return node.value
    assert isinstance(node, ast.JoinedStr), ast.dump(node)
    return "".join(part.value if isinstance(part, ast.Constant) else "7" for part in node.values)


WARNED = sorted(set(warned()))


def test_there_are_many():
    assert len(WARNED) > 20


@pytest.mark.parametrize("text", WARNED)
def test_a_warning_of_the_loader_has_korean_words(text):
    words = korean_warning(text)
    assert words is not None
    assert any("가" <= letter <= "힣" for letter in words)
    assert ("7" in words) == ("7" in text), "what was put in is told"


def test_warnings_of_the_gate_and_of_what_is_no_chest_film_have_korean_words():
    (text,) = strangeness_warning(OutOfDistribution(None, None, False), withheld=False)
    assert korean_warning(text)
    for ending in (
        ", by the file's own attributes: the model is made for frontal chest films",
        ": the file's attributes do not say that this is a frontal chest film",
    ):
        assert ending.strip(", :") in SERVICE
        assert korean_warning(f"not a chest{ending}")


def test_other_words_stand_as_they_are():
    assert korean_warning("something that no version has said") is None
