"""A store with films as `medcam annotate --store` leaves them, without a model, and the pages on the import path."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from medcam.core.activation import ActivationMap
from medcam.core.card import FindingCard, InputRecipe, ModelCard
from medcam.core.codes import CodedConcept
from medcam.core.display import DisplayWindow
from medcam.core.explanation import Engine, Explanation, ModelReference, OutOfDistribution, Source
from medcam.core.finding import Evidence, Finding, Point, Region, ZonesSource
from medcam.core.geometry import Box, GridTransform
from medcam.core.radiograph import Identity, Radiograph, View
from medcam.core.reader import Reader, Role
from medcam.core.study import Study
from medcam.overlay.film16 import pack_film
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.review import dashboards_folder
from medcam.service.studies.keep import FilmToKeep, Keeper, display_record
from medcam.service.studies.opened import OpenedStore, opened_store
from medcam.store import KeptRadiograph

PAGES = Path(__file__).resolve().parents[3] / "dashboards"
sys.path.insert(0, str(PAGES))
"""As Streamlit does: the pages import each other by the names of their files."""

from desk import DeskReader  # noqa: E402  after the path

BIAS, SIDE = -1.5, 4


@dataclass(frozen=True)
class Said:
    """What a model says about one finding."""

    name: str
    probability: float
    threshold: float = 0.5
    withheld: bool = False
    zones: bool = False


@dataclass(frozen=True)
class Film:
    """What a film's results shall hold."""

    findings: tuple[Said, ...]
    view: str = "PA"
    ood: OutOfDistribution = field(default_factory=lambda: OutOfDistribution(1.0, 2.0, False))
    warnings: tuple[str, ...] = ()
    method: str = "cam"
    model: str = "tiny"


@dataclass(frozen=True)
class Desk:
    """A store and the reader who sits before it."""

    opened: OpenedStore
    reader: Reader
    keep: Callable[..., str]


@pytest.fixture(autouse=True)
def own_main_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """Streamlit puts the page that it runs in the place of `__main__`, where processes that are spawned find it."""
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])


@pytest.fixture
def said() -> type[Said]:
    return Said


@pytest.fixture
def film() -> type[Film]:
    return Film


@pytest.fixture
def desk_store(tmp_path: Path) -> str:
    """Where the desk's store is made."""
    return str(tmp_path / "store")


@pytest.fixture
def desk(desk_store: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """An empty store that the pages show to a reader with all roles; `keep` puts a film into it, named by a number."""
    import desk as desk_module
    import session

    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    with opened_store(desk_store) as opened:
        reader = opened.readers.set("local", "ada", name="Ada", roles=list(Role), everything=True)
        monkeypatch.setattr(desk_module, "_OPENED", [opened])
        monkeypatch.setattr(session, "current_reader", lambda: DeskReader(reader))
        card = ModelCard(
            "tiny", "0.1", (FindingCard("Nodule", threshold=0.4), FindingCard("Mass")), InputRecipe(8, 8), "resnet"
        )
        keeper = Keeper.of(opened, card)

        def keep(number: int, film: Film, **attributes: str) -> str:
            return _keep(keeper, number, film, attributes)

        yield Desk(opened, reader, keep)


@pytest.fixture
def two(desk, film, said):
    """A film with a finding and one without; returns their studies."""
    first = desk.keep(1, film((said("Nodule", 0.9, 0.4, zones=True), said("Mass", 0.2))), StudyDate="20260102")
    second = desk.keep(2, film((said("Nodule", 0.1, 0.4), said("Mass", 0.3))), StudyDate="20260103")
    return first, second


@pytest.fixture
def page(desk: Desk) -> Callable[..., AppTest]:
    """Opens a page by its name; the desk's reader reads it."""

    def opened(name: str, hides: bool = False, **query: str) -> AppTest:
        shown = AppTest.from_file(str(dashboards_folder() / "pages" / f"{name}.py"), default_timeout=60)
        for key, value in query.items():
            shown.query_params[key] = value
        if hides:
            shown.session_state["hide-model"] = True
        return shown.run()

    return opened


def _keep(keeper: Keeper, number: int, film: Film, attributes: dict[str, str]) -> str:
    """Keeps a film; returns its study's id."""
    identity = Identity(f"1.2.3.{number}", "1.2", f"1.2.1.{number}", f"1.2.0.{number}")
    pixels = np.arange(320 * 240, dtype=np.float32).reshape(320, 240) % 4096
    sha256 = f"{number:064x}"
    packed = pack_film(pixels)
    radiograph = Radiograph(pixels, DisplayWindow(center=2048, width=4096), view=View(film.view), identity=identity)
    known = {"PatientID": f"P{number}", "PatientName": f"DOE^N{number}", **attributes, "film": {"modality": "DX"}}
    names = {"patient_id": "PatientID", "patient_name": "PatientName", "study_date": "StudyDate"}
    values = {name: str(known.get(keyword, "")) for name, keyword in names.items()}
    study = Study(id=Identity.folder_name(identity.study_instance_uid), uid=identity.study_instance_uid, **values)
    kept = KeptRadiograph(
        id=Identity.folder_name(identity.sop_instance_uid),
        study_id=study.id,
        uid=identity.sop_instance_uid,
        sha256=sha256,
        source="copy",
        view=film.view,
        display=display_record(radiograph, packed),
        attributes=known,
    )
    to_keep = FilmToKeep(study, kept, packed.data, None, b"file")
    explanation = replace(_explanation(film), source=Source(identity, 320, 240, sha256, film.view))
    keeper.keep(to_keep, explanation, f"request {number} {film.method} {film.model}")
    return study.id


def _explanation(film: Film) -> Explanation:
    return Explanation(
        source=Source(Identity("1.2.3", "1.2", "1.2.1", "1.2.0"), 320, 240, "ab" * 32, film.view),
        model=ModelReference(film.model, "0.1", "cd" * 32),
        engine=Engine(),
        method=film.method,
        findings=tuple(_finding(said, film.method) for said in film.findings),
        out_of_distribution=film.ood,
        warnings=film.warnings,
        software={"medcam": "0.1.0"},
    )


def _finding(said: Said, method: str) -> Finding:
    found = _by_cam(said)
    if method == "cam":
        return found
    transform = found.map.transform
    return replace(found, map=ActivationMap(found.map.values, BIAS, transform, method, ledger=False), evidence=None)


def _by_cam(said: Said) -> Finding:
    logit = math.log(said.probability / (1.0 - said.probability))
    # Half of the cells speak for the finding and half against it; bias and mean add up to the logit.
    mean = logit - BIAS
    values = np.full((SIDE, SIDE), -1.0, np.float32)
    values[: SIDE // 2] = 2.0 * mean + 1.0
    positive, negative = (float(side.sum()) / values.size for side in (values.clip(min=0), values.clip(max=0)))
    region = Region(Box(10, 20, 60, 80), Point(40, 50), 0.75, (Point(10, 20), Point(70, 20), Point(70, 100)), "paper")
    return Finding(
        name=said.name,
        code=CodedConcept("427359005", "SCT", "Solitary nodule of lung") if said.name == "Nodule" else None,
        probability=said.probability,
        logit=logit,
        threshold=said.threshold,
        present=None if said.withheld else said.probability >= said.threshold,
        map=ActivationMap(values, BIAS, GridTransform(320, 240, SIDE, SIDE, SIDE / 320, SIDE / 240), layer="layer4"),
        evidence=Evidence(
            BIAS,
            positive,
            negative,
            {"heart": positive, "right-upper-lung": negative} if said.zones else None,
            ZonesSource.PHANTOM if said.zones else ZonesSource.NONE,
            1.0 if said.zones else None,
        ),
        regions=(region,) if said.probability >= said.threshold else (),
    )
