"""Films of a run: found, and summed up for the worklist without trusting a byte of them."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from medcam.core.errors import InputError
from medcam.core.explanation import OutOfDistribution
from results import find_films, margin_over, read_overlay, summarise


def only(out):
    (file,) = find_films(out)
    return file


def damage(folder, change):
    """Changes the parsed explanation of a film in place."""
    path = folder / "explanation.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_films_are_found_in_the_order_of_their_names(out, write_film, film, said):
    for number in (7, 3, 5):
        write_film(number, film((said("Nodule", 0.9),)))

    assert [file.film_id for file in find_films(out)] == [f"{n:016x}/{n + 1:016x}" for n in (3, 5, 7)]


def test_what_is_no_film_is_passed_over(out, write_film, film, said):
    folder = write_film(1, film((said("Nodule", 0.9),)))
    (out / "manifest.json").write_text("{}")
    (out / "0123456789ABCDEF" / folder.name).mkdir(parents=True)
    (out / "some-folder" / folder.name).mkdir(parents=True)
    (out / "0123456789abcdef").write_text("a file that is named like a study")
    (out / folder.parent.name / f"{9:016x}").mkdir()  # begun, not finished: no explanation yet

    assert only(out).path == folder / "explanation.json"


@pytest.mark.parametrize("folder", ["", "not-there"])
def test_an_empty_or_missing_folder_holds_no_film(out, folder):
    assert find_films(out / folder) == ()


def test_a_summary_names_present_findings_by_their_margin(out, write_film, film, said):
    findings = (said("Mass", 0.7, 0.5), said("Pleural Effusion", 0.9, 0.85), said("Nodule", 0.6, 0.1), said("X", 0.1))
    write_film(1, film(findings, view="AP"))

    summary = summarise(only(out))

    assert summary.present == ("Nodule", "Mass", "Pleural Effusion")
    assert summary.probability == pytest.approx(0.6)
    assert summary.margin == pytest.approx(math.log(0.6 / 0.4) - math.log(0.1 / 0.9), abs=1e-6)
    assert (summary.view, summary.flagged, summary.problem, summary.answered) == ("AP", False, "", True)


def test_without_a_present_finding_the_nearest_miss_counts(out, write_film, film, said):
    write_film(1, film((said("Mass", 0.2, 0.9), said("Nodule", 0.4, 0.5))))

    summary = summarise(only(out))

    assert summary.present == ()
    assert summary.answered
    assert summary.probability == pytest.approx(0.4)
    assert summary.margin == pytest.approx(math.log(0.4 / 0.6), abs=1e-6)


def test_a_withheld_film_is_not_answered(out, write_film, film, said):
    write_film(1, film((said("Mass", 0.99, withheld=True),), ood=OutOfDistribution(9.0, 2.0, True)))

    summary = summarise(only(out))

    assert (summary.present, summary.probability, summary.margin) == ((), None, None)
    assert summary.flagged
    assert not summary.answered


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document.pop("findings"),
        lambda document: document.update(findings={"a": 1}),
        lambda document: document.update(source=None),
        lambda document: document["out_of_distribution"].pop("flagged"),
        lambda document: document["findings"][0].update(probability=1.5),
        lambda document: document["findings"][0].update(probability="high"),
        lambda document: document["findings"][0].update(logit=math.nan),
        lambda document: document["findings"][0].update(logit=10**400),
        lambda document: document["findings"][0].update(threshold=0.0),
        lambda document: document["findings"][0].update(threshold=1.0),
    ],
)
def test_a_damaged_film_is_named_and_raises_nothing(out, write_film, film, said, change):
    damage(write_film(1, film((said("Nodule", 0.9),))), change)

    summary = summarise(only(out))

    assert summary.problem == "explanation.json is damaged"
    assert not summary.answered


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"\xff\xfe\x00", b"[" * 200_000, b'{"findings": ['])
def test_what_is_no_explanation_is_named_and_raises_nothing(out, write_film, film, said, content):
    (write_film(1, film((said("Nodule", 0.9),))) / "explanation.json").write_bytes(content)

    assert summarise(only(out)).problem == "explanation.json is damaged"


def test_a_half_written_film_is_damaged_at_any_length(out, write_film, film, said):
    path = write_film(1, film((said("Nodule", 0.9),))) / "explanation.json"
    whole = path.read_bytes().rstrip()
    for length in range(0, len(whole), max(1, len(whole) // 40)):
        path.write_bytes(whole[:length])
        assert summarise(only(out)).problem, length


def test_what_cannot_be_opened_is_asked_for_again(out, write_film, film, said, monkeypatch):
    write_film(1, film((said("Nodule", 0.9),)))
    file = only(out)
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda path: (_ for _ in ()).throw(PermissionError(13, "not allowed")))
    assert summarise(file).problem == "explanation.json cannot be opened: not allowed"

    monkeypatch.setattr(Path, "read_bytes", read)

    assert summarise(file).present == ("Nodule",)


def test_a_changed_file_is_read_again_and_an_unchanged_one_is_not(out, write_film, film, said, monkeypatch):
    folder = write_film(1, film((said("Nodule", 0.9),)))
    assert summarise(only(out)).present == ("Nodule",)

    damage(folder, lambda document: document["findings"][0].update(present=False, name="Nodule of the lung"))
    changed = only(out)
    assert summarise(changed).present == ()

    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path.name} was read again"))
    assert summarise(changed).present == ()


def test_a_summary_is_the_same_whether_maps_are_empty_or_long(out, write_film, film, said):
    folder = write_film(1, film((said("Nodule", 0.9), said("Mass", 0.2))))
    before = summarise(only(out))

    damage(folder, lambda document: [found["map"].update(values=[-1.5e-07] * 5000) for found in document["findings"]])
    after = summarise(only(out))

    assert before.file != after.file
    assert replace(after, file=before.file) == before


def test_an_overlay_is_read_whole(out, write_film, film, said):
    folder = write_film(1, film((said("Pleural Effusion", 0.9),)))

    assert read_overlay(only(out), "Pleural Effusion") == (folder / "overlay-pleural-effusion.png").read_bytes()


def test_a_finding_that_was_not_drawn_has_no_overlay(out, write_film, film, said):
    write_film(1, film((said("Nodule", 0.9, drawn=False),)))

    assert read_overlay(only(out), "Nodule") is None


def test_a_torn_overlay_is_refused(out, write_film, film, said):
    path = write_film(1, film((said("Nodule", 0.9),))) / "overlay-nodule.png"
    path.write_bytes(path.read_bytes()[:-5])

    with pytest.raises(InputError) as refused:
        read_overlay(only(out), "Nodule")

    assert refused.value.code == "unreadable-overlay"


def test_the_margin_is_zero_at_the_threshold_and_orders_by_odds():
    assert margin_over(math.log(0.2 / 0.8), 0.2) == pytest.approx(0.0)
    # 0.999 over a threshold of 0.9 stands out more than 0.5 over 0.3, though the difference is smaller.
    assert margin_over(math.log(0.999 / 0.001), 0.9) > margin_over(0.0, 0.3)
