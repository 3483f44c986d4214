"""Pieces of HTML: numbers in words, and nothing from a file taken for markup."""

from __future__ import annotations

import pytest

from components.markup import badge, balance, distinct, facts, markdown_text, probability_bar, signed, table


@pytest.mark.parametrize(
    ("value", "words"), [(1.5, "+1.500"), (-1.5, "−1.500"), (0.0, "0.000"), (-0.0004, "0.000"), (0.0004, "0.000")]
)
def test_signed_values(value, words):
    assert signed(value) == words


@pytest.mark.parametrize(("present", "word"), [(True, "present"), (False, "absent"), (None, "withheld")])
def test_an_answer_is_a_word(present, word):
    assert badge(present, "<" + word) == f'<span class="badge {word}">&lt;{word}</span>'


def test_a_bar_says_its_numbers_in_words_and_marks_what_reaches_the_threshold():
    assert 'aria-label="0.25 of &quot;1&quot;"' in probability_bar(0.25, 0.5, '0.25 of "1"')
    assert 'class="bar"' in probability_bar(0.25, 0.5, "")
    assert 'class="bar over"' in probability_bar(0.5, 0.5, "")


def test_labels_that_occur_again_have_a_number():
    assert distinct({"a": "PA", "b": "AP", "c": "PA"}) == {"a": "PA", "b": "AP", "c": "PA (2)"}


def test_a_balance_draws_both_sides_of_zero_to_one_scale():
    html = balance("Ledger", [("For", 2.0), ("Against", -1.0)], ("Logit", 1.0))

    assert 'class="for" style="left:50%;width:50.0%"' in html
    assert 'class="against" style="left:25.0%;width:25.0%"' in html
    assert "+2.000" in html
    assert "−1.000" in html


def test_a_balance_of_zeros_divides_by_nothing():
    assert balance("Ledger", [("For", 0.0)], ("Logit", 0.0)).count("width:0.0%") == 2


def test_names_from_files_are_no_markup():
    evil = "<script>alert(1)</script>"

    for html in (
        balance(evil, [(evil, 1.0)], (evil, 1.0)),
        table(evil, [evil], []),
        facts([(evil, evil)]),
    ):
        assert "<script" not in html
    assert markdown_text("[a](b) *c* $d$ :red[e]") == r"\[a\]\(b\) \*c\* \$d\$ \:red\[e\]"


def test_facts_without_a_value_are_left_out():
    assert facts([("Model", "tiny"), ("Created", "")]) == '<dl class="medcam"><dt>Model</dt><dd>tiny</dd></dl>'
    assert facts([], line=True) == '<dl class="medcam line"></dl>'


def test_one_row_of_a_table_is_set_apart():
    assert table("All", ["Name"], [["a"], ["b"]], marked=1).count("class=marked") == 1
