"""What a simulated reader understands of the server's messages, and what it answers."""

from __future__ import annotations

import json

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from load.wire import PageView, RunEnd, act_message, key_of


def element(fill, **metadata) -> bytes:
    message = ForwardMsg()
    fill(message.delta.new_element)
    if metadata:
        message.hash = metadata["hash"]
        message.metadata.cacheable = True
    return message.SerializeToString()


def began(script: str = "a" * 32) -> bytes:
    message = ForwardMsg()
    message.new_session.page_script_hash = script
    message.new_session.config.max_cached_message_age = 2
    return message.SerializeToString()


def ended(status=ForwardMsg.FINISHED_SUCCESSFULLY) -> bytes:
    return ForwardMsg(script_finished=status).SerializeToString()


def button(label: str, number: str, *, disabled: bool = False):
    def fill(drawn) -> None:
        drawn.button.label, drawn.button.id, drawn.button.disabled = label, number, disabled

    return fill


def viewer(drawn) -> None:
    content = json.dumps({"film": {"url": "/films/study-1/" + "d" * 64, "rows": 4}})
    drawn.bidi_component.json = json.dumps({"content": content, "display": {}})


def fetching_viewer(drawn) -> None:
    drawn.bidi_component.json = json.dumps({"content": None, "address": "/maps/study-1/" + "e" * 64})


def test_buttons_are_known_by_key_or_words_unless_nobody_can_press_them():
    view = PageView()
    for data in (
        began(),
        element(button("Agree", "$$ID-0123abcd-answer-agree")),
        element(button("Done, next study", "$$ID-0123abce-None")),
        element(button("Missed", "$$ID-0123abcf-answer-missed", disabled=True)),
    ):
        assert view.take(data) is None

    assert view.buttons == {"answer-agree": "$$ID-0123abcd-answer-agree", "Done, next study": "$$ID-0123abce-None"}


@pytest.mark.parametrize(
    ("number", "key"), [("$$ID-ab12-film-x-pills", "film-x-pills"), ("$$ID-ab-None", ""), ("x", "")]
)
def test_the_key_stands_at_the_end_of_an_id(number, key):
    assert key_of(number) == key


def test_choices_films_and_complaints_are_read():
    def pills(drawn) -> None:
        drawn.button_group.id = "$$ID-ab-finding-pills"
        for word in ("Nodule", "Mass"):
            drawn.button_group.options.add().content = word

    def complains(drawn) -> None:
        drawn.alert.body, drawn.alert.format = "no such study", drawn.alert.ERROR

    def remarks(drawn) -> None:
        drawn.alert.body, drawn.alert.format = "none left", drawn.alert.INFO

    view = PageView()
    for data in (began(), element(pills), element(viewer), element(complains), element(remarks)):
        view.take(data)

    assert view.choices == {"finding-pills": ["Nodule", "Mass"]}
    assert view.films == ["/films/study-1/" + "d" * 64]
    assert view.maps == []
    view.take(element(fetching_viewer))
    assert view.maps == ["/maps/study-1/" + "e" * 64]
    assert view.errors == ["no such study"]


@pytest.mark.parametrize(
    ("status", "end"),
    [
        (ForwardMsg.FINISHED_SUCCESSFULLY, RunEnd.DONE),
        (ForwardMsg.FINISHED_EARLY_FOR_RERUN, RunEnd.GOES_ON),
        (ForwardMsg.FINISHED_WITH_COMPILE_ERROR, RunEnd.BROKEN),
    ],
)
def test_the_end_of_a_run(status, end):
    assert PageView().take(ended(status)) is end


def test_a_part_that_is_known_is_drawn_from_memory_and_forgotten_when_it_is_not_needed():
    view = PageView()
    view.take(began())
    view.take(element(viewer, hash="h1"))
    view.take(ended())
    view.take(began())
    assert view.films == []
    view.take(ForwardMsg(ref_hash="h1").SerializeToString())
    assert len(view.films) == 1
    assert list(BackMsg.FromString(act_message(view)).rerun_script.cached_message_hashes) == ["h1"]

    for _ in range(4):
        view.take(ended())
    assert view.kept == {}
    view.take(ForwardMsg(ref_hash="h1").SerializeToString())
    assert len(view.errors) == 1


def test_an_act_brings_what_was_entered_and_pressed_and_where_the_reader_is():
    view = PageView()
    view.take(began())
    address = ForwardMsg()
    address.page_info_changed.query_string = "study=1"
    view.take(address.SerializeToString())
    view.values["search"] = WidgetState(id="s", string_value="doe")

    asked = BackMsg.FromString(act_message(view, WidgetState(id="b", trigger_value=True))).rerun_script

    assert (asked.query_string, asked.page_script_hash) == ("study=1", "a" * 32)
    assert [state.id for state in asked.widget_states.widgets] == ["s", "b"]
    assert BackMsg.FromString(act_message(view, page="")).rerun_script.page_script_hash == ""


def test_what_was_entered_is_forgotten_with_the_page():
    view = PageView()
    view.take(began())
    view.values["search"] = WidgetState(id="s", string_value="doe")
    view.take(began())
    assert view.values
    view.take(began("b" * 32))
    assert not view.values
