"""Several models in one pass: each file is read once, and every model's folder is what a run with it alone writes."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pydicom
import pytest

from medcam.core.card import ModelCard
from medcam.core.codes import CodedConcept
from medcam.core.errors import UsageError
from medcam.core.radiograph import Radiograph
from medcam.core.reader import Reader, Role
from medcam.core.worklist import WorklistQuery
from medcam.dicom import SourceContext, context_from_dataset, radiograph_from_dataset
from medcam.dicom.read import parse_named
from medcam.models.cards import read_card
from medcam.service.annotate import several_stages
from medcam.service.annotate import stages as annotate_stages
from medcam.service.annotate.manifest import Manifest
from medcam.service.annotate.options import AnnotateOptions, Output
from medcam.service.annotate.run import annotate
from medcam.service.annotate.several import annotate_with, findings_for_each
from medcam.service.annotate.several_index import folder_names, model_folders
from medcam.service.audit.key import KEY_VARIABLE
from medcam.service.audit.results import results_folder
from medcam.service.studies.opened import open_studies
from tests.unit.service.annotate.run_files import edited, folders, refusals, stamps

NAMES = ("tiny", "strict")


@dataclass(frozen=True, eq=False)
class Counting:
    """Reads in this process, and counts."""

    opened: Counter[str] = field(default_factory=Counter)
    decoded: Counter[str] = field(default_factory=Counter)

    def open(self, data: bytes, name: str) -> SourceContext:
        self.opened[name] += 1
        return context_from_dataset(parse_named(data, name), sha256=hashlib.sha256(data).hexdigest())

    def radiograph(self, data: bytes, name: str) -> Radiograph:
        self.decoded[name] += 1
        return radiograph_from_dataset(parse_named(data, name), sha256=hashlib.sha256(data).hexdigest())


@pytest.fixture
def models(tiny_model_folder: Path, strict_model_folder: Path) -> tuple[str, str]:
    return str(tiny_model_folder), str(strict_model_folder)


@pytest.fixture
def plain(options: AnnotateOptions) -> AnnotateOptions:
    return replace(options, outputs=(Output.JSON,), engine="torch")


def contents(folder: Path) -> dict[str, Any]:
    """Every explanation of a results folder without its time."""
    found = {}
    for path in folder.glob("*/*/explanation.json"):
        found[path.parent.relative_to(folder).as_posix()] = content = json.loads(path.read_text(encoding="utf-8"))
        del content["created"]
    return found


def told(manifest: Manifest) -> dict[str, Any]:
    record = manifest.to_dict()
    return {name: value for name, value in record.items() if name not in ("started", "finished")}


def test_every_file_is_read_once_and_every_folder_is_what_its_model_alone_writes(
    films: Path, tmp_path: Path, models: tuple[str, str], options: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    (films / "broken.dcm").write_bytes(b"\0" * 128 + b"DICM" + b"\xff" * 40)
    shutil.copy(sorted(films.glob("*.dcm"))[1], films / "again.dcm")
    wanted = replace(options, outputs=(Output.JSON, Output.PNG, Output.SC, Output.SR), engine="torch")
    sought: list[Radiograph] = []
    find_zones = annotate_stages.find_zones
    monkeypatch.setattr(annotate_stages, "find_zones", lambda film: sought.append(film) or find_zones(film))
    readers = Counting()
    manifests = annotate_with(models, [films], tmp_path / "both", wanted, readers=readers)
    assert tuple(manifests) == NAMES
    assert set(readers.opened.values()) == {1}
    assert set(readers.decoded.values()) == {1}
    assert len(sought) == sum(readers.decoded.values()) == 3
    for name, model in zip(NAMES, models, strict=True):
        mine, alone = tmp_path / "both" / name, tmp_path / f"alone-{name}"
        expected = annotate([films], alone, replace(wanted, model=model), readers=Counting())
        assert told(manifests[name]) == told(expected)
        assert json.loads((mine / "manifest.json").read_text(encoding="utf-8")) == manifests[name].to_dict()
        assert contents(mine) == contents(alone)
        assert len(contents(mine)) == 3
        assert refusals(mine) == refusals(alone)
        files = [{p.relative_to(at).as_posix() for p in at.rglob("*") if p.is_file()} for at in (mine, alone)]
        assert files[0] == files[1]
    assert refusals(tmp_path / "both") == refusals(tmp_path / "both" / "tiny")
    lines = (tmp_path / "both" / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(lines) == manifests["tiny"].counts.quarantined == 1
    made = [
        {str(pydicom.dcmread(path).SOPInstanceUID) for path in (tmp_path / "both" / name).rglob("*.dcm")}
        for name in NAMES
    ]
    assert len(made[0]) == len(made[1]) == 6
    assert not made[0] & made[1]


def test_each_model_withholds_by_its_own_gate(
    films: Path, tmp_path: Path, models: tuple[str, str], plain: AnnotateOptions
) -> None:
    manifests = annotate_with(models, [films], tmp_path / "both", plain, readers=Counting())
    assert (manifests["tiny"].flagged, manifests["strict"].flagged) == (0, 3)
    for name, withheld in zip(NAMES, (False, True), strict=True):
        for content in contents(tmp_path / "both" / name).values():
            assert all((finding["present"] is None) == withheld for finding in content["findings"])


def test_what_a_model_has_finished_is_kept_and_the_other_goes_on(
    films: Path, tmp_path: Path, models: tuple[str, str], plain: AnnotateOptions
) -> None:
    out = tmp_path / "both"
    manifests = annotate_with(models, [films], out, plain, readers=Counting())
    lost = sorted(folders(manifests["strict"], out / "strict").items())[0]
    (lost[1] / "explanation.json").unlink()
    (out / "models.json").unlink()
    before = stamps(out / "tiny")
    readers = Counting()
    again = annotate_with(models, [films], out, plain, readers=readers)
    assert (again["tiny"].reused, again["strict"].reused) == (3, 2)
    assert dict(readers.decoded) == {lost[0]: 1}
    after = stamps(out / "tiny")
    changed = {Path(path).name for path in before if after[path] != before[path]}
    assert changed == {"manifest.json", "quarantine.jsonl"}
    assert len(contents(out / "strict")) == 3
    assert (out / "models.json").is_file()
    third = annotate_with(models, [films], out, replace(plain, resume=False), readers=(anew := Counting()))
    assert third["tiny"].reused == third["strict"].reused == 0
    assert sum(anew.decoded.values()) == 3


@pytest.mark.parametrize("stage", ["make_ready", "ask"])
def test_a_film_that_one_model_fails_on_is_explained_by_the_other(
    films: Path,
    tmp_path: Path,
    models: tuple[str, str],
    plain: AnnotateOptions,
    monkeypatch: pytest.MonkeyPatch,
    stage: str,
) -> None:
    module: Any = several_stages if stage == "make_ready" else annotate_stages
    works = getattr(module, stage)

    def fails(given: Any, classifier: Any, *args: Any) -> Any:
        if classifier.card.name == "strict":
            raise ValueError("patient DOE^JO")
        return works(given, classifier, *args)

    monkeypatch.setattr(module, stage, fails)
    out = tmp_path / "both"
    manifests = annotate_with(models, [films], out, plain, readers=Counting())
    assert (manifests["tiny"].counts.annotated, manifests["strict"].counts.quarantined) == (3, 3)
    assert refusals(out / "tiny") == {}
    assert set(refusals(out / "strict").values()) == set(refusals(out).values()) == {"internal-error"}
    text = (out / "quarantine.jsonl").read_text(encoding="utf-8")
    assert len(text.splitlines()) == 3
    assert "(by strict)" in text
    assert "DOE" not in text


def test_the_same_uid_with_other_bytes_is_refused_for_every_model(
    films: Path, tmp_path: Path, models: tuple[str, str], plain: AnnotateOptions
) -> None:
    first = sorted(films.glob("*.dcm"))[0]
    edited(first, films / "zz-rival.dcm", PatientName="OTHER^ONE")
    manifests = annotate_with(models, [films], tmp_path / "both", plain, readers=Counting())
    for name in NAMES:
        assert manifests[name].counts.annotated == 3
        assert refusals(tmp_path / "both" / name) == {"zz-rival.dcm": "duplicate-uid"}


def test_a_store_keeps_what_both_say_of_a_film(
    films: Path, tmp_path: Path, models: tuple[str, str], plain: AnnotateOptions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(KEY_VARIABLE, str(tmp_path / "audit.pem"))
    kept = replace(plain, store=str(tmp_path / "store"))
    annotate_with(models, [films], tmp_path / "both", kept, readers=Counting())
    opened = open_studies(tmp_path / "store")
    try:
        nobody = Reader(0, "local", "nobody", "Nobody", frozenset({Role.READER}), everything=True)
        lines = opened.worklist.page(WorklistQuery(), nobody, now=0.0).lines
        studies = [opened.films.contents(line.study.id) for line in lines]
        said = [explanations for study in studies if study for _, explanations in study.films]
    finally:
        opened.close()
    assert len(said) == 3
    assert all({one.model for one in explanations} == set(NAMES) for explanations in said)
    again = annotate_with(models, [films], tmp_path / "both", kept, readers=(readers := Counting()))
    assert again["strict"].reused == 3
    assert not readers.decoded


def _card(tiny: ModelCard, name: str, *findings: tuple[str, str]) -> ModelCard:
    cards = tuple(
        replace(tiny.findings[0], name=one, code=CodedConcept(code, "SCT", one) if code else None)
        for one, code in findings
    )
    return replace(tiny, name=name, findings=cards)


def test_a_finding_is_drawn_of_every_model_that_knows_its_name_or_its_code(tiny_model_folder: Path) -> None:
    tiny = read_card(str(tiny_model_folder))
    one = _card(tiny, "one", ("Pleural Effusion", "60046008"), ("Nodule", ""))
    other = _card(tiny, "other", ("Effusion", "60046008"), ("Mass", ""))
    assert findings_for_each(["pleural-effusion"], [one, other]) == [("Pleural Effusion",), ("Effusion",)]
    assert findings_for_each(["Nodule", "Mass"], [one, other]) == [("Nodule",), ("Mass",)]
    assert findings_for_each([], [one, other]) == [(), ()]
    with pytest.raises(UsageError) as unknown:
        findings_for_each(["Mass", "///"], [one, other])
    assert unknown.value.code == "no-such-finding"


def test_folders_are_named_by_model_and_by_more_where_names_are_the_same(tiny_model_folder: Path) -> None:
    tiny = read_card(str(tiny_model_folder))
    probed = replace(tiny, name="tiny+words")
    newer = replace(tiny, version="9.9")
    other = replace(tiny, weights_sha256="f" * 64)
    assert folder_names([tiny, probed]) == ("tiny", "tiny-words")
    assert folder_names([tiny, newer])[1] == "tiny-9-9"
    assert folder_names([tiny, other])[1].endswith("-ffffffff")
    with pytest.raises(UsageError) as same:
        folder_names([tiny, replace(tiny)])
    assert same.value.code == "same-model-twice"


def test_outputs_of_one_and_of_several_models_are_kept_apart(
    films: Path, tmp_path: Path, models: tuple[str, str], plain: AnnotateOptions
) -> None:
    annotate([films], tmp_path / "one", plain, readers=Counting())
    with pytest.raises(UsageError) as one:
        annotate_with(models, [films], tmp_path / "one", plain, readers=Counting())
    assert one.value.code == "one-model"
    annotate_with(models, [films], tmp_path / "both", plain, readers=Counting())
    assert [path.name for path in model_folders(tmp_path / "both")] == list(NAMES)
    with pytest.raises(UsageError) as several:
        results_folder(tmp_path / "both")
    assert several.value.code == "several-models"
    assert "tiny" in several.value.next_step
    found = results_folder(tmp_path / "both" / "tiny")
    assert found is not None
    assert len(found.ids) == 3
    with pytest.raises(UsageError):
        annotate_with(models[:1], [films], tmp_path / "x", plain)
