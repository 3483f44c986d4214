"""The worklist at the side: choose what is shown, then a film."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from components.markup import markdown_text, spoken
from results import FilmSummary
from urgency import Page, chosen, counts, neighbour, page_number, page_of

_FILM, _PAGE, _TURNS = "film", "page", "turns"


def choose_film(films: Sequence[FilmSummary]) -> FilmSummary | None:
    """Draws the worklist and returns the film that is open.

    Args:
        films: At least one, in the order of the worklist.

    Returns:
        The film, also when the choice above the list hides it at the moment; None when nothing was ever chosen
        because the choice shows no film.
    """
    by_id = {film.file.film_id: film for film in films}
    listed = _narrowed(films)
    if st.session_state.get(_FILM) not in by_id and listed:
        st.session_state[_FILM] = listed[0].file.film_id
    _steps(listed)
    if listed:
        _list(listed)
    else:
        st.info("No film matches.")
    return by_id.get(st.session_state.get(_FILM, ""))


def label(film: FilmSummary) -> str:
    """The first line of a film in the list, as Markdown: what the model says of it."""
    if film.problem:
        return ":orange[Unreadable]"
    if not film.answered:
        return ":orange[Withheld]"
    if not film.present:
        return "No finding"
    return f"**{markdown_text(spoken(film.present[0]))}** {film.probability:.2f}"


def caption(film: FilmSummary) -> str:
    """The second line: which film it is, how many findings are present, and if it is out of distribution."""
    words = [film.file.instance]
    if film.view != "unknown":
        words.append(markdown_text(film.view))
    if film.present:
        words.append(f"{len(film.present)} present")
    if film.flagged:
        words.append(":orange[out of distribution]")
    return " · ".join(words)


def _narrowed(films: Sequence[FilmSummary]) -> tuple[FilmSummary, ...]:
    numbers = counts(films)
    shown = st.selectbox(
        "Show",
        list(numbers),
        format_func=lambda choice: f"{choice.value} ({numbers[choice]})",
        key="shown",
        on_change=_first_page,
    )
    text = st.text_input("Find", placeholder="id or finding", key="wanted", on_change=_first_page)
    return chosen(films, shown, text)


def _steps(listed: Sequence[FilmSummary]) -> None:
    current = st.session_state.get(_FILM, "")
    before, after = neighbour(listed, current, -1), neighbour(listed, current, +1)
    with st.container(horizontal=True, gap="small"):
        st.button("Previous", shortcut="P", disabled=before is None, on_click=_open, args=(listed, before))
        st.button("Next", shortcut="N", disabled=after is None, on_click=_open, args=(listed, after))


def _list(listed: Sequence[FilmSummary]) -> None:
    page = page_of(listed, st.session_state.get(_PAGE, 1))
    by_id = {film.file.film_id: film for film in page.films}
    ids = list(by_id)
    # A key that names the page keeps a film of another page from being read as a choice on this one.
    key = f"films-{page.number}-{ids[0]}"
    current = st.session_state[_FILM]
    st.session_state[key] = current if current in by_id else None
    st.radio(
        "Films, most urgent first",
        ids,
        format_func=lambda film_id: label(by_id[film_id]),
        captions=[caption(film) for film in page.films],
        key=key,
        on_change=_take_film,
        args=(key,),
        help="Films with a finding come first, the one furthest over its threshold at the top; then films that the "
        "model gives no answer on; last films without a finding.",
    )
    if page.count > 1:
        _pages(page)


def _pages(page: Page) -> None:
    # Only a turn that was not made on this widget gives it a new key: otherwise the keyboard would lose its place.
    key = f"page-{st.session_state.get(_TURNS, 0)}-{page.count}"
    st.pagination(page.count, default=page.number, max_visible_pages=3, key=key, on_change=_take_page, args=(key,))


def _open(listed: Sequence[FilmSummary], film_id: str) -> None:
    st.session_state[_FILM] = film_id
    _turn_to(page_number(listed, film_id) or 1)


def _take_film(key: str) -> None:
    if st.session_state[key] is not None:
        st.session_state[_FILM] = st.session_state[key]


def _take_page(key: str) -> None:
    st.session_state[_PAGE] = st.session_state[key]


def _first_page() -> None:
    _turn_to(1)


def _turn_to(number: int) -> None:
    if st.session_state.get(_PAGE, 1) != number:
        st.session_state[_PAGE] = number
        st.session_state[_TURNS] = st.session_state.get(_TURNS, 0) + 1
