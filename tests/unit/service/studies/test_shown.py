"""What is unpacked of a store for a page: once for each text, and said where it is damaged."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace

import pytest

from medcam.core.errors import InputError
from medcam.core.reader import Role
from medcam.core.worklist import WorklistQuery
from medcam.service.studies import shown
from medcam.store import pack_content


@pytest.fixture
def said(filled):
    ada = filled.readers.set("local", "ada", name="Ada", roles=[Role.READER], everything=True)
    study = filled.worklist.page(WorklistQuery(), ada, now=0.0).lines[0].study
    [film] = filled.films.films(study.id)
    return filled.films.explanations(film.id)[0]


def test_an_explanation_is_unpacked_once_however_often_it_was_read(said):
    again = replace(said, packed=bytes(bytearray(said.packed)))

    assert shown.explanation_of(again) is shown.explanation_of(said)


def test_another_text_is_another_explanation(said):
    data = json.loads(said.content)
    data["findings"][0]["probability"] = 0.25
    other = replace(said, packed=pack_content(json.dumps(data).encode()))

    assert shown.explanation_of(other).findings[0].probability == 0.25
    assert shown.explanation_of(said).findings[0].probability != 0.25


@pytest.mark.parametrize(
    "packed",
    [b"", b"no zlib", zlib.compress(b"no JSON"), zlib.compress(b"{}")],
    ids=["empty", "unpacked", "text", "bare"],
)
def test_a_damaged_explanation_is_said_to_be_one(said, packed):
    with pytest.raises(InputError) as caught:
        shown.explanation_of(replace(said, packed=packed))

    assert caught.value.code == "not-an-explanation"
