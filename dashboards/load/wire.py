"""What a page's websocket carries: messages of the server as a picture of the page, acts of a reader as messages."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.Element_pb2 import Element
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

_FILM = re.compile(r"/films/[\w-]+/[0-9a-f]+")
_MAPS = re.compile(r"/maps/[\w-]+/[0-9a-f]+")
_KEYED = "$$ID-"
"""How Streamlit begins the ids of parts that have a key; the key stands at their end."""


class RunEnd(StrEnum):
    """How a run of a page ended: as wanted, with another one to come at once, or with an error of its code."""

    DONE = "done"
    GOES_ON = "goes-on"
    BROKEN = "broken"


_ENDS = {
    ForwardMsg.FINISHED_SUCCESSFULLY: RunEnd.DONE,
    ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY: RunEnd.DONE,
    ForwardMsg.FINISHED_EARLY_FOR_RERUN: RunEnd.GOES_ON,
    ForwardMsg.FINISHED_WITH_COMPILE_ERROR: RunEnd.BROKEN,
}

_TROUBLE = ("page_not_found", "session_event")
"""Messages that a page in order never causes."""


@dataclass(slots=True)
class PageView:
    """What a browser knows of a page, as far as a reader needs it.

    Args:
        script: Hash of the page's script.
        query: What stands after the question mark of its address.
        buttons: Ids of the buttons that can be pressed, by key, and by words where they have no key.
        parts: Ids of all other parts with a key, by key.
        choices: The words that can be chosen from, by key.
        films: Addresses of the films that are shown, as far as the page itself tells them.
        maps: Addresses of the maps over films; what is fetched there tells the address of the film.
        errors: What the page complained about.
        values: What a reader entered, by id; sent with every act, as a browser does.
        kept: Large parts of the page by their hash. A browser keeps them, and the server sends a hash alone instead.
    """

    script: str = ""
    query: str = ""
    buttons: dict[str, str] = field(default_factory=dict)
    parts: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)
    films: list[str] = field(default_factory=list)
    maps: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    values: dict[str, WidgetState] = field(default_factory=dict)
    kept: dict[str, Element] = field(default_factory=dict)
    _asked_for: dict[str, int] = field(default_factory=dict)
    _run: int = 0
    _longest_age: int = 2

    def take(self, data: bytes) -> RunEnd | None:
        """Takes in a message of the server.

        Returns:
            How a run ended, where the message says so.
        """
        said = ForwardMsg.FromString(data)
        kind = said.WhichOneof("type")
        if kind == "script_finished":
            return self._end(_ENDS.get(said.script_finished))
        if kind == "new_session":
            self._longest_age = said.new_session.config.max_cached_message_age
            self._begin(said.new_session.page_script_hash)
        elif kind == "ref_hash":
            self._again(said.ref_hash)
        elif kind == "page_info_changed":
            self.query = said.page_info_changed.query_string
        elif kind == "delta" and said.delta.WhichOneof("type") == "new_element":
            if said.metadata.cacheable:
                self.kept[said.hash] = said.delta.new_element
                self._asked_for[said.hash] = self._run
            self._draw(said.delta.new_element)
        elif kind in _TROUBLE:
            self.errors.append(kind.replace("_", " "))
        return None

    def _again(self, digest: str) -> None:
        """Draws a part that was sent before."""
        element = self.kept.get(digest)
        if element is None:
            self.errors.append("the server takes a part of the page for known that it did not send")
            return
        self._asked_for[digest] = self._run
        self._draw(element)

    def _end(self, end: RunEnd | None) -> RunEnd | None:
        """Forgets parts that the last runs did not need, as a browser does at the end of a run."""
        if end is RunEnd.DONE:
            self._run += 1
            for digest, last in list(self._asked_for.items()):
                if self._run - last > self._longest_age:
                    del self._asked_for[digest], self.kept[digest]
        return end

    def _begin(self, script: str) -> None:
        if script and script != self.script:
            # Streamlit's browser side forgets what was entered on the page that is left.
            self.script = script
            self.values.clear()
        self.buttons.clear()
        self.parts.clear()
        self.choices.clear()
        self.films.clear()
        self.maps.clear()

    def _draw(self, element: Element) -> None:
        kind = element.WhichOneof("type")
        if kind == "exception":
            self.errors.append(f"{element.exception.type}: {element.exception.message}")
        elif kind == "alert" and element.alert.format == element.alert.ERROR:
            self.errors.append(element.alert.body)
        elif kind == "button":
            if not element.button.disabled:
                self.buttons[key_of(element.button.id) or element.button.label] = element.button.id
        elif kind == "bidi_component":
            self._film(element.bidi_component.json)
        elif kind is not None:
            part = getattr(element, kind)
            number = getattr(part, "id", "")
            key = key_of(number) if isinstance(number, str) else ""
            if key:
                self.parts[key] = number
                options = getattr(part, "options", ())
                self.choices[key] = [one if isinstance(one, str) else one.content for one in options]

    def _film(self, data: str) -> None:
        self.films += films_in(data)[:1]
        self.maps += _MAPS.findall(data)[:1]


def films_in(data: str) -> list[str]:
    """Addresses of films in what a viewer is given."""
    return _FILM.findall(data)


def key_of(number: str) -> str:
    """The key that a page's code gave to a part, by the part's id; empty where it gave none."""
    if not number.startswith(_KEYED):
        return ""
    key = number[len(_KEYED) :].partition("-")[2]
    return "" if key == "None" else key


def act_message(view: PageView, pressed: WidgetState | None = None, *, page: str | None = None) -> bytes:
    """What a browser sends when its reader does something.

    Args:
        view: The page.
        pressed: A part that was pressed just now; None where a value was entered, or the page is loaded.
        page: Hash of the page that is asked for; None for the one that is shown.
    """
    message = BackMsg()
    asked = message.rerun_script
    asked.query_string = view.query
    asked.page_script_hash = view.script if page is None else page
    asked.widget_states.widgets.extend(view.values.values())
    asked.cached_message_hashes.extend(view.kept)
    if pressed is not None:
        asked.widget_states.widgets.append(pressed)
    asked.context_info.locale = "en-GB"
    asked.context_info.timezone = "UTC"
    data: bytes = message.SerializeToString()
    return data
