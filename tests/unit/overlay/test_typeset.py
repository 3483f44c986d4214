import numpy as np
import pytest

from medcam.overlay.panel import number
from medcam.overlay.typeset import Column, plain, text_width, wrapped


@pytest.mark.parametrize(
    ("text", "shown"), [("−1.5 ≥ −2", "-1.5 >= -2"), ("épanchement", "epanchement"), ("a×b", "axb"), ("肺炎", "?")]
)
def test_only_characters_that_the_font_has(text: str, shown: str) -> None:
    assert plain(text) == shown


def test_lines_fit_and_nothing_is_lost() -> None:
    text = "one two three-and-a-very-long-word-that-fits-nowhere-at-all four five six seven"
    lines = wrapped(text, 14, 120.0)
    assert all(text_width(line, 14) <= 120.0 for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert wrapped("", 14, 50.0) == []


def test_a_column_grows_with_its_text() -> None:
    short, tall = Column(200, 10), Column(200, 10)
    short.text("word", 15)
    tall.text("word " * 60, 15)
    assert short.finished().shape[1] == tall.finished().shape[1] == 200
    assert tall.finished().shape[0] > 3 * short.finished().shape[0]
    background = tall.finished()[0, 0]
    assert (tall.finished()[:, :10] == background).all()
    assert (tall.finished()[:, -10:] == background).all()
    assert np.ptp(tall.finished()) > 100


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (12.345, "12.3"), (-0.0205, "-0.0205"), (123.4, "123"), (1e-5, "1.0e-05"), (2e6, "2.00e+06")],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
