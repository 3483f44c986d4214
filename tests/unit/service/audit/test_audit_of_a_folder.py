"""Decisions in a results folder: verified against receipts and arithmetic, and computed again from their films."""

from __future__ import annotations

import json
import shutil

import pytest

from medcam.core.errors import InputError
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.audit.replay import Verdict
from medcam.service.audit.replay_all import replay_results
from medcam.service.audit.results import ResultsFolder, folder_sources, results_folder
from medcam.service.audit.verify_results import ResultFault, verify_results


@pytest.fixture
def films(phantom_dicom, tmp_path):
    return shutil.copytree(phantom_dicom, tmp_path / "films")


@pytest.fixture
def out(films, tiny_model_folder, tmp_path):
    options = AnnotateOptions(model=str(tiny_model_folder), outputs=(Output.JSON,), workers=1, engine="torch")
    annotate([films], tmp_path / "out", options)
    return tmp_path / "out"


def faults(out):
    return [(fault.fault, fault.detail) for fault in verify_results(ResultsFolder(out)).faults]


def edit(out, change, number=0):
    path = sorted(out.glob("*/*/explanation.json"))[number]
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


def replayed(out, films, model, results=None):
    sources = [] if films is None else [str(films)]
    return replay_results(ResultsFolder(out), folder_sources(sources, out), results, str(model))


def test_what_annotate_wrote_is_whole_and_is_no_store(out, tmp_path):
    found = verify_results(ResultsFolder(out))

    assert (found.intact, found.results, found.undigested, found.unlisted) == (True, 3, 0, 0)
    assert results_folder(out) == ResultsFolder(out)
    (out / "medcam.db").touch()
    assert results_folder(out) is None
    assert results_folder(tmp_path) is None
    assert results_folder("postgresql+psycopg://host/name") is None


def test_each_kind_of_damage_has_its_code(out):
    first, second, third = sorted(out.glob("*/*/explanation.json"))
    edit(out, lambda content: content["findings"][0].update(bias=content["findings"][0]["bias"] + 1.0))
    second.write_text("{")
    third.unlink()
    (first.parent / ".receipt.json").write_text(
        json.dumps({**json.loads((first.parent / ".receipt.json").read_text()), "files": ["overlay-mass.png"]})
    )
    found = [fault for fault, _ in faults(out)]

    assert found == [
        ResultFault.MISSING,
        ResultFault.CHANGED,
        ResultFault.FILE_MISSING,
        ResultFault.LEDGER,
        ResultFault.CHANGED,
        ResultFault.BROKEN,
    ]


def test_a_forged_receipt_does_not_hide_a_score_that_does_not_follow(out):
    def change(content):
        content["findings"][2]["probability"] = 0.999
        content["findings"][3]["present"] = not content["findings"][3]["present"]
        content["model"]["weights_sha256"] = "0" * 64

    path = edit(out, change)
    receipt = path.parent / ".receipt.json"
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "explanation": ""}))
    found = verify_results(ResultsFolder(out))

    assert [fault.fault for fault in found.faults] == [
        ResultFault.OTHER_MODEL,
        ResultFault.SCORE,
        ResultFault.SCORE,
    ]
    assert found.undigested == 1


def test_a_run_that_did_not_end_or_miscounts_is_told(out):
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["counts"]["annotated"] = 7
    dropped = manifest["annotated"].pop()
    (out / "manifest.json").write_text(json.dumps(manifest))
    found = verify_results(ResultsFolder(out))
    assert [fault.fault for fault in found.faults] == [ResultFault.COUNTS]
    assert found.unlisted == 1
    assert dropped["folder"] in ResultsFolder(out).ids

    (out / "manifest.json").unlink()
    assert [fault for fault, _ in faults(out)] == [ResultFault.INCOMPLETE]


def test_the_same_comes_out_of_the_films(out, films, tiny_model_folder):
    results = replayed(out, films, tiny_model_folder)

    assert [result.verdict for result in results] == [Verdict.EQUAL] * 3
    assert all(result.largest < 1e-4 and result.tolerance == 1e-4 and not result.versions for result in results)


def test_a_film_is_found_by_its_digest_under_another_name(out, films, tiny_model_folder):
    (films / "film-0.dcm").rename(films / "renamed.dcm")
    assert {result.verdict for result in replayed(out, films, tiny_model_folder)} == {Verdict.EQUAL}


def test_what_stands_in_the_way_has_a_code(out, films, tiny_model_folder, strict_model_folder):
    assert {result.code for result in replayed(out, None, tiny_model_folder)} == {"source-gone"}
    assert {result.code for result in replayed(out, films, strict_model_folder)} == {"other-weights"}
    edit(out, lambda content: content["findings"][0].update(logit=content["findings"][0]["logit"] + 0.25), 0)
    edit(out, lambda content: content.pop("method"), 1)
    names = ResultsFolder(out).names
    changed = films / names[ResultsFolder(out).ids[2]]
    changed.write_bytes(changed.read_bytes()[:-1] + b"!")
    edited, broken, other = replayed(out, films, tiny_model_folder)

    assert (edited.verdict, edited.code) == (Verdict.DIFFERENT, "result-edited")
    assert edited.largest == pytest.approx(0.25, abs=1e-6)
    assert (broken.verdict, broken.code) == (Verdict.IMPOSSIBLE, "not-an-explanation")
    assert (other.verdict, other.code) == (Verdict.IMPOSSIBLE, "source-changed")


def test_a_result_that_comes_out_otherwise_and_other_versions_are_told(out, films, tiny_model_folder):
    def change(content):
        content["findings"][0]["logit"] += 0.25
        content["software"]["torch"] = "0.4.1"

    path = edit(out, change)
    receipt = path.parent / ".receipt.json"
    receipt.write_text(json.dumps({**json.loads(receipt.read_text()), "explanation": ""}))
    [result] = replayed(out, films, tiny_model_folder, [path.parent.name])

    assert (result.verdict, result.code) == (Verdict.DIFFERENT, "result-differs")
    assert [version.partition(",")[0] for version in result.versions] == ["torch: 0.4.1 was used"]


def test_a_result_that_is_not_there_is_refused(out, films, tiny_model_folder):
    with pytest.raises(InputError) as caught:
        replayed(out, films, tiny_model_folder, ["0" * 16])
    assert caught.value.code == "no-such-explanation"
