"""Phantoms on disk: read back as they were drawn, the same bytes for the same plan, gone on with after a stop."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from medcam.core.errors import UsageError
from medcam.core.radiograph import Radiograph, View
from medcam.dicom import Codec, load_radiograph
from medcam.phantom import FINDINGS, Case, Phantom, render, sample_case
from medcam.service.output_errors import OutputError
from medcam.service.phantoms import make_phantoms as module
from medcam.service.phantoms.make_phantoms import CodecChoice, PhantomPlan, finding_names, make_phantoms
from medcam.service.phantoms.phantom_files import save_phantom
from medcam.service.phantoms.sample_data import sample_folder

SIDE = 96
SEED = 5
COUNT = 4


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four films with two findings each."""
    out = tmp_path_factory.mktemp("phantoms") / "set"
    make_phantoms(out, COUNT, SEED, size=SIDE, findings=["nodule", "Pleural Effusion"])
    return out


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def read_back(tmp_path: Path, case: Case, codec: Codec = Codec.UNCOMPRESSED) -> tuple[Radiograph, Phantom]:
    phantom = render(case, SIDE)
    record = save_phantom(tmp_path, phantom, case, codec, masks=False)
    return load_radiograph(tmp_path / record["file"]), phantom


@pytest.mark.parametrize("codec", Codec)
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("bits", [10, 14])
def test_what_is_read_is_what_was_drawn(tmp_path: Path, codec: Codec, photometric: str, bits: int) -> None:
    case = sample_case(SEED, 0, prevalence=0.3)
    case = replace(case, acquisition=replace(case.acquisition, photometric=photometric, bits_stored=bits))
    film, phantom = read_back(tmp_path, case, codec)
    top = 2**bits - 1
    assert np.array_equal(film.pixels, np.rint(phantom.linear * top))
    assert film.right_is_left_of_picture
    assert film.view is View(phantom.view)
    assert film.spacing is not None
    assert film.spacing.row == pytest.approx(phantom.pixel_spacing, rel=1e-5)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
@pytest.mark.parametrize("voi", ["window", "narrow", "sigmoid", "table"])
def test_the_film_is_shown_as_its_file_says(tmp_path: Path, photometric: str, voi: str) -> None:
    case = sample_case(SEED, 1, prevalence=0.3)
    case = replace(case, acquisition=replace(case.acquisition, photometric=photometric, voi=voi, bits_stored=12))
    film, phantom = read_back(tmp_path, case)
    x = np.rint(phantom.linear * 4095) / 4095
    curve = 1 / (1 + np.exp(-5 * (x - 0.5)))
    ends = 1 / (1 + np.exp([2.5, -2.5]))
    expected = {
        "window": x,
        "narrow": np.clip((x - 0.52) / 0.9 + 0.5, 0, 1),
        "sigmoid": 1 / (1 + np.exp(-4 * (x - 0.5) / 0.9)),
        "table": (curve - ends[0]) / (ends[1] - ends[0]),
    }[voi]
    # The window's half value (PS3.3 C.11.2.1.2) and 8 bits of a table are worth less than a grey level.
    assert np.abs(film.display().astype(float) - 255 * expected).max() <= 1.0


def test_the_same_plan_makes_the_same_bytes_with_any_number_of_workers(folder: Path, tmp_path: Path) -> None:
    make_phantoms(tmp_path / "again", COUNT, SEED, size=SIDE, findings=["Nodule", "pleural-effusion"], workers=2)
    assert files(tmp_path / "again") == files(folder)


def test_another_seed_makes_other_films_with_other_uids(folder: Path, tmp_path: Path) -> None:
    make_phantoms(tmp_path / "other", 1, SEED + 1, size=SIDE, findings=["Nodule", "Pleural Effusion"])
    other, first = (json.loads((where / "truth.json").read_text()) for where in (tmp_path / "other", folder))
    assert not set(other) & set(first)


def test_a_film_of_another_size_or_codec_is_another_instance(tmp_path: Path) -> None:
    uids = set()
    for number, options in enumerate(({}, {"size": 80}, {"codec": "jpeg-ls"}, {"prevalence": 1.0})):
        out = tmp_path / str(number)
        make_phantoms(out, 1, SEED, **{"size": SIDE, "prevalence": 0.0, "masks": False, **options})
        uids |= set(json.loads((out / "truth.json").read_text()))
    assert len(uids) == 4


def test_a_folder_holds_films_truth_masks_and_the_plan_and_nothing_else(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {*(f"phantom-{index:05d}.dcm" for index in range(COUNT)), "masks", "plan.json", "truth.json"}
    kinds = {path.name for path in folder.glob("masks/*/*")}
    assert kinds == {"zones.png", "spine.png", "nodule.png", "pleural-effusion.png"}


def test_the_truth_has_the_form_that_is_documented(folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    assert len(truth) == COUNT
    for film in truth.values():
        assert film["report"].startswith("FINDINGS: ")
        assert [finding["name"] for finding in film["findings"]] == ["Nodule", "Pleural Effusion"]
        for finding in film["findings"]:
            with Image.open(folder / finding["mask"]) as picture:
                assert picture.mode == "1"
                rows, columns = np.nonzero(np.asarray(picture))
            box = finding["box"]
            assert (box["x"], box["y"]) == (columns.min(), rows.min())
            assert (box["x"] + box["width"], box["y"] + box["height"]) == (columns.max() + 1, rows.max() + 1)
            assert finding["difficulty"] in ("subtle", "moderate", "plain")
            assert finding["side"] in ("right", "left")


def test_the_sample_films_are_what_the_phantom_draws_today() -> None:
    plan = json.loads((sample_folder() / "plan.json").read_text())
    case = sample_case(plan["seed"], 3)
    film = load_radiograph(sample_folder() / "phantom-00003.dcm")
    drawn = np.rint(render(case, plan["size"]).linear * (2**case.acquisition.bits_stored - 1))
    # Another processor's exponentials may round a value the other way.
    assert np.abs(film.pixels - drawn).max() <= 1


def test_all_codecs_take_turns(folder: Path) -> None:
    truth = json.loads((folder / "truth.json").read_text())
    assert [film["codec"] for film in truth.values()] == [codec.value for codec in Codec]
    assert {CodecChoice.RLE.of(index) for index in range(9)} == {Codec.RLE}


def test_a_stopped_run_goes_on_where_it_was(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[int] = []

    def stopping(case: Case, size: int) -> Phantom:
        if len(drawn) == 2:
            raise KeyboardInterrupt
        drawn.append(case.index)
        return render(case, size)

    plan = {"size": SIDE, "findings": ["Nodule", "Pleural Effusion"]}
    monkeypatch.setattr(module, "render", stopping)
    with pytest.raises(KeyboardInterrupt):
        make_phantoms(tmp_path / "set", COUNT, SEED, **plan)
    assert not (tmp_path / "set" / "truth.json").exists()
    monkeypatch.setattr(module, "render", lambda case, size: drawn.append(case.index) or render(case, size))
    seen: list[tuple[int, int]] = []
    make_phantoms(tmp_path / "set", COUNT, SEED, **plan, progress=lambda done, total: seen.append((done, total)))
    assert drawn == [0, 1, 2, 3]
    assert seen == [(2, COUNT), (3, COUNT), (4, COUNT)]
    assert files(tmp_path / "set") == files(folder)


def test_a_finished_folder_is_left_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(folder)
    monkeypatch.setattr(module, "render", None)
    make_phantoms(folder, COUNT, SEED, size=SIDE, findings=["Nodule", "Pleural Effusion"])
    assert files(folder) == before


def test_without_masks_boxes_remain(tmp_path: Path) -> None:
    make_phantoms(tmp_path, 1, SEED, size=SIDE, findings=["Mass"], masks=False)
    (film,) = json.loads((tmp_path / "truth.json").read_text()).values()
    assert not (tmp_path / "masks").exists()
    assert (film["zones"], film["spine"], film["findings"][0]["mask"]) == (None, None, None)
    assert film["findings"][0]["box"]["width"] > 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"seed": -1},
        {"size": 63},
        {"size": 5000},
        {"prevalence": 1.5},
        {"prevalence": 0.5, "findings": ["Nodule"]},
        {"findings": ["Emphysema"]},
        {"findings": [""]},
        {"codec": "zip"},
        {"workers": 0},
    ],
)
def test_a_wrong_call_is_refused_before_anything_is_written(tmp_path: Path, wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        make_phantoms(tmp_path / "none", **{"count": 1, "seed": 0, **wrong})
    assert not (tmp_path / "none").exists()


def test_a_folder_with_other_films_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as raised:
        make_phantoms(folder, COUNT, SEED + 1, size=SIDE)
    assert raised.value.code == "folder-in-use"
    (tmp_path / "someones.dcm").write_bytes(b"")
    with pytest.raises(UsageError) as raised:
        make_phantoms(tmp_path, 1, SEED, size=SIDE)
    assert raised.value.code == "folder-in-use"


def test_a_disk_that_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError):
        make_phantoms(tmp_path / "file" / "below", 1, SEED, size=SIDE)


def test_findings_are_named_in_any_spelling_and_once() -> None:
    assert finding_names(["support devices", "NODULE", "nodule"]) == ("Nodule", "Support Devices")
    assert finding_names(FINDINGS) == FINDINGS


def test_a_plan_cannot_be_wrong() -> None:
    with pytest.raises(UsageError):
        PhantomPlan(count=0, seed=1)
