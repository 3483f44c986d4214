"""A simulated reader: opens the worklist, searches it, opens a study, answers its findings, goes on to the next.

Each of them does other things in another order, drawn from its own seed, and thinks before each act.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from streamlit.proto.WidgetStates_pb2 import WidgetState

from catalogue.english import ENGLISH
from load.line import Line, LineError, Run, sign_in
from load.wire import PageView, films_in

ANSWERS = ("agree", "disagree", "uncertain")
_SEARCHES = ("DOE", "P0001", "NODULE", "CHEST PA", "zzz")
_STATES = ("any", "unread", "begun")
STUDIES_PER_PAGE = 12
"""After so many studies a reader loads the page anew, as people do in the morning and after lunch."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How simulated readers behave.

    Args:
        host: Where the server is.
        port: Its port.
        headers: What the proxy adds, by reader, without the reader's name.
        user_header: Header with the reader's name.
        think: Mean seconds between the end of one run and the next act, exponentially distributed; 0 for none.
    """

    host: str
    port: int
    headers: Mapping[str, str]
    user_header: str
    think: float


@dataclass(slots=True)
class Tally:
    """What one reader met.

    Args:
        runs: Every rerun that they waited for.
        fetches: Seconds and bytes of the films that were fetched.
        errors: What went wrong.
    """

    runs: list[Run] = field(default_factory=list)
    fetches: list[tuple[float, int]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class SimulatedReader:
    """One reader.

    Args:
        name: Of the reader, as the store knows them.
        habits: How they behave.
        seed: Of what they do.
        goes_on: Asked before each act; they stop when it says no.
    """

    def __init__(self, name: str, habits: Habits, seed: int, goes_on: Callable[[], bool]) -> None:
        self._name, self._habits, self._goes_on = name, habits, goes_on
        self._chance = random.Random(seed)  # noqa: S311  no secret
        self._seen: set[str] = set()
        self.tally = Tally()

    async def read(self) -> Tally:
        """Reads until told to stop. What goes wrong is in the tally; the reader then loads the page anew."""
        headers = {**self._habits.headers, self._habits.user_header: self._name}
        cookies = ""
        while self._goes_on():
            try:
                cookies = cookies or await sign_in(self._habits.host, self._habits.port, headers)
                async with Line(self._habits.host, self._habits.port, headers, cookies) as line:
                    await self._page(line)
            except (LineError, OSError) as error:
                self.tally.errors.append(str(error) or type(error).__name__)
                if len(self.tally.errors) > 20:
                    break
                await asyncio.sleep(1.0)
        return self.tally

    async def _page(self, line: Line) -> None:
        """One stay on the page, from its first drawing to closing the tab."""
        await self._act(line, "open-worklist", page="")
        for number in range(STUDIES_PER_PAGE):
            if number % 4 == 0:
                if number:
                    await self._press(line, "leave-study", ENGLISH["review.previous-study"])
                await self._search(line)
                await self._press(line, "open-study", ENGLISH["worklist.open-next"])
            await self._study(line)
            if not self._goes_on():
                return

    async def _search(self, line: Line) -> None:
        view = line.view
        if self._chance.random() < 0.5:
            _enter_text(view, "search", self._chance.choice(_SEARCHES))
            await self._act(line, "search")
            _enter_text(view, "search", "")
            await self._act(line, "search")
        else:
            for state in (self._chance.choice(_STATES), "any"):
                _enter_text(view, "state", ENGLISH[f"worklist.state.{state}"])
                await self._act(line, "filter")
        if "worklist-turn" in view.parts:
            view.values["worklist-turn"] = WidgetState(id=view.parts["worklist-turn"], int_value=2)
            await self._act(line, "turn-page")

    async def _study(self, line: Line) -> None:
        view = line.view
        films = list(view.films)
        for path in view.maps:
            films += films_in((await self._fetch(line, path)).decode())[:1]
        for path in films:
            await self._fetch(line, path)
        for number in range(self._chance.randint(2, 4)):
            if number:
                await self._step(line)
            answers = [key for answer in ANSWERS if (key := f"answer-{answer}") in view.buttons]
            await self._press(line, "answer", self._chance.choice(answers))
            if not self._goes_on():
                return
        await self._press(line, "next-study", ENGLISH["review.finish"])

    async def _fetch(self, line: Line, path: str) -> bytes:
        """What is found at an address; nothing where the browser has it already."""
        if path in self._seen:
            return b""
        seconds, body = await line.fetch(path)
        self.tally.fetches.append((seconds, len(body)))
        self._seen.add(path)
        return body

    async def _step(self, line: Line) -> None:
        """To another finding: by the button, or by its name."""
        view = line.view
        pills = next((key for key in view.parts if key.endswith("-pills")), "")
        if pills and self._chance.random() < 0.4:
            chosen = WidgetState(id=view.parts[pills])
            chosen.string_array_value.data.append(self._chance.choice(view.choices[pills]))
            view.values[pills] = chosen
            await self._act(line, "choose-finding")
        else:
            await self._press(line, "next-finding", ENGLISH["review.next-finding"])

    async def _press(self, line: Line, name: str, button: str) -> None:
        number = line.view.buttons.get(button)
        if number is None:
            raise LineError(f"{name}: the page has no button {button!r}, but {', '.join(line.view.buttons)}")
        await self._act(line, name, WidgetState(id=number, trigger_value=True))

    async def _act(self, line: Line, name: str, pressed: WidgetState | None = None, *, page: str | None = None) -> None:
        if self._habits.think:
            await asyncio.sleep(self._chance.expovariate(1.0 / self._habits.think))
        self.tally.runs.append(await line.act(name, pressed, page=page))


def _enter_text(view: PageView, key: str, text: str) -> None:
    view.values[key] = WidgetState(id=view.parts[key], string_value=text)
