"""What the viewer is given and what it believes; how it looks is tested in a browser."""

import base64
import copy
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest

from medcam.core.display import DisplayWindow, VoiFunction
from medcam.core.errors import InvalidValueError
from medcam.core.finding import Point
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import PixelSpacing
from viewer import SCRIPTS, script
from viewer.answer import parse_answer
from viewer.data import (
    OpacityMode,
    RegionKind,
    ShownWindow,
    ViewerAnswer,
    ViewerColours,
    ViewerDisplay,
    ViewerFilm,
    ViewerFinding,
    ViewerZone,
)
from viewer.payload import ViewerContent, display_json, film_json, finding_json, offer, offered, written
from viewer.texts import ENGLISH

FOLDER = Path(__file__).resolve().parents[3] / "dashboards" / "viewer"
FILM = ViewerFilm("/films/1", 300, 200, 0.5, -100.0, DisplayWindow(center=40, width=400), PixelSpacing(0.2, 0.1))
LONGEST_FILE = 320


def finding(**changes):
    values = {
        "name": "Nodule",
        "label": "Nodule",
        "probability": 0.7,
        "threshold": 0.5,
        "present": True,
        "values": np.arange(6, dtype=np.float32).reshape(2, 3),
        "transform": GridTransform.identity(300, 200).resize(2, 3).flip_horizontal(),
    }
    return ViewerFinding(**(values | changes))


def message(**changes):
    display = ViewerDisplay(
        finding="Nodule",
        window=ShownWindow(VoiFunction.SIGMOID, 10.0, 20.0),
        invert=True,
        rotation=270,
        flip=True,
        zoom=1.5,
        centre=Point(30.0, 40.0),
        overlay=False,
        opacity=0.3,
        opacity_mode=OpacityMode.CONSTANT,
        colours="signed",
        threshold=0.8,
        contour=False,
        boxes=False,
        zones=True,
        side_by_side=True,
    )
    sent = {"finding": "Nodule", "kind": "box", "points": [[10, 20.5], [60, 80]], "display": display_json(display, [])}
    return copy.deepcopy(sent | changes), display


def test_a_message_comes_back_as_it_was_meant():
    sent, display = message()

    region = parse_answer(sent, FILM, {"Nodule"}).region

    assert region.kind is RegionKind.BOX
    assert region.points == (Point(10.0, 20.5), Point(60.0, 80.0))
    assert region.box == Box(10.0, 20.5, 50.0, 59.5)
    assert region.display == display
    assert parse_answer(None, FILM, {"Nodule"}) == ViewerAnswer()


@pytest.mark.parametrize(
    "changes",
    [
        {"finding": "Something else"},
        {"kind": "circle"},
        {"points": [[10, 20]]},
        {"points": [[10, 20], [30, 40], [50, 60]]},
        {"points": [[10, 20], [10, 60]]},
        {"points": [[-1, 20], [30, 40]]},
        {"points": [[10, 20], [201, 40]]},
        {"points": [[10, 20], [30, float("nan")]]},
        {"points": [[10, 20], [30, "40"]]},
        {"points": [[10, 20], [30, True]]},
        {"points": 5},
        {"kind": "outline", "points": [[10, 20], [30, 40]]},
        {"kind": "outline", "points": [[10, 20]] * 5001},
        {"display": {}},
        {"display": None},
    ],
    ids=lambda changes: str(changes)[:50],
)
def test_what_the_viewer_never_sends_is_refused(changes):
    sent, _ = message(**changes)

    with pytest.raises(InvalidValueError):
        parse_answer(sent, FILM, {"Nodule"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rotation", 45),
        ("opacity", 2),
        ("zoom", -1),
        ("threshold", -0.1),
        ("invert", 1),
        ("opacityMode", "none"),
        ("window", {"function": "TABLE", "center": 1, "width": 1}),
        ("window", {"function": "LINEAR", "center": None, "width": 1}),
        ("centre", [1]),
    ],
)
def test_a_display_state_that_cannot_be_is_refused(name, value):
    sent, _ = message()
    sent["display"][name] = value

    with pytest.raises(InvalidValueError):
        parse_answer(sent, FILM, {"Nodule"})


@pytest.mark.parametrize("text", ["a text", ["region"], 3])
def test_a_message_of_another_kind_is_refused(text):
    with pytest.raises(InvalidValueError):
        parse_answer(text, FILM, set())


def test_maps_and_tables_travel_as_their_own_bytes():
    sent = finding_json(finding())["map"]
    values = np.frombuffer(base64.b64decode(sent["values"]), "<f4").reshape(sent["height"], sent["width"])
    film = film_json(
        ViewerFilm("/x", 3, 4, 1.0, 0.0, DisplayWindow(VoiFunction.TABLE, table=[0.0, 0.25, 1.0], first_mapped=7.0))
    )

    assert values.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert (sent["scaleX"], sent["offsetX"]) == (-3 / 200, 3.0)
    assert np.frombuffer(base64.b64decode(film["window"]["table"]), "<f4").tolist() == [0.0, 0.25, 1.0]
    assert film["window"]["firstMapped"] == 7.0
    assert (film["aspect"], film["spacing"]) == (1.0, None)
    assert film_json(FILM)["aspect"] == 2.0


def test_what_is_shown_again_is_written_once_and_what_is_new_anew():
    shown, colours = (finding(),), (ViewerColours("positive", "+", np.zeros((256, 3), np.uint8)),)
    corners = ((Point(1.5, 2.0), Point(3.0, 2.25), Point(1.0, 7.0)),)
    zones = (ViewerZone("heart", "heart", corners),)
    once = written(FILM, shown, colours, zones, 2.0, None)
    assert written(FILM, shown, colours, zones, 2.0, None) is once
    content = json.loads(once.data)
    (outline,) = content["zones"][0]["polygons"]
    assert np.frombuffer(base64.b64decode(outline), "<f4").reshape(-1, 2).tolist() == [[1.5, 2.0], [3.0, 2.25], [1, 7]]
    assert content["scale"] == 2.0
    assert content["findings"] == [finding_json(shown[0])]

    other = json.loads(written(FILM, (finding(probability=0.9),), colours, zones, 2.0, None).data)
    assert other["findings"][0]["probability"] == 0.9


def test_what_is_offered_is_found_at_its_address_alone():
    one = written(FILM, (finding(),), (), (), 2.0, None)

    address = offer(one, "/maps/study-1").address

    assert address == f"/maps/study-1/{hashlib.sha256(one.data).hexdigest()}"
    assert offered(address) == one.data
    assert offered(address.replace("study-1", "study-2")) is None


def test_what_is_offered_is_there_for_as_long_as_an_offer_of_it_is_held():
    first = offer(ViewerContent(b"{}", "d" * 64), "/maps/study-1")
    again = offer(ViewerContent(b"{}", "d" * 64), "/maps/study-1")

    assert again.content is first.content
    del again
    assert offered(first.address) == b"{}"

    address = first.address
    del first
    assert offered(address) is None


def test_a_finding_may_have_a_scale_of_its_own():
    assert finding_json(finding())["scale"] is None
    assert finding_json(finding(scale=3.5))["scale"] == 3.5
    with pytest.raises(InvalidValueError):
        finding(scale=0.0)


def test_the_first_finding_is_shown_unless_another_is_asked_for():
    findings = [finding(), finding(name="Effusion")]

    assert display_json(ViewerDisplay(), findings)["finding"] == "Nodule"
    assert display_json(ViewerDisplay(finding="Effusion"), findings)["finding"] == "Effusion"
    assert display_json(ViewerDisplay(), [])["finding"] == ""


@pytest.mark.parametrize(
    "make",
    [
        lambda: finding(values=np.zeros((3, 2), np.float32)),
        lambda: finding(values=np.full((2, 3), np.nan, np.float32)),
        lambda: ViewerColours("x", "X", np.zeros((255, 3), np.uint8)),
        lambda: ViewerFilm("/x", 0, 4, 1.0, 0.0, DisplayWindow()),
        lambda: ViewerFilm("/x", 3, 4, 0.0, 0.0, DisplayWindow()),
        lambda: ViewerFilm("/x", 3, 4, 1.0, 0.0, DisplayWindow(), aspect=0.0),
        lambda: ViewerDisplay(rotation=45),
        lambda: ViewerDisplay(opacity=1.5),
    ],
)
def test_values_that_cannot_be_shown_are_refused(make):
    with pytest.raises(InvalidValueError):
        make()


def test_every_script_is_joined_once_and_stays_short():
    files = {path.stem: path.read_text(encoding="utf-8") for path in (FOLDER / "js").glob("*.js")}

    assert sorted(files) == sorted(SCRIPTS)
    assert all(text in script() for text in files.values())
    assert {name for name, text in files.items() if len(text.splitlines()) > LONGEST_FILE} == set()
    # One module: a name that two files declare would stop the whole viewer.
    declared = re.findall(r"^(?:const|let|class|(?:async )?function) (\w+)", script(), re.MULTILINE)
    assert len(declared) == len(set(declared))
    assert script().count("export default") == 1


def test_the_viewer_loads_nothing_from_elsewhere_and_leaves_nothing_behind():
    for source in (script(), (FOLDER / "viewer.css").read_text(encoding="utf-8")):
        addresses = set(re.findall(r"https?://[^\s\"']+", source))
        assert addresses <= {"http://www.w3.org/2000/svg"}
        assert not re.search(
            r"\bimport\b|@import|url\((?!#)|innerHTML|\beval\b|localStorage|(window|globalThis)\.\w+ =[^=]", source
        )


def test_every_word_that_a_script_names_is_in_the_catalogue():
    named = set(re.findall(r"\bwords\(\"([a-zA-Z.]+)\"", script()))
    keys = (FOLDER / "js" / "keys.js").read_text(encoding="utf-8")
    action = set(re.findall(r"\[\"[^\"]+\", \"([a-zA-Z.]+)\"\]", keys))

    assert len(named) > 30
    assert named <= set(ENGLISH)
    assert {name if name.startswith("arrows.") else f"action.{name}" for name in action} <= set(ENGLISH)
    assert all(text.strip() for text in ENGLISH.values())
