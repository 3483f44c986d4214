import numpy as np
import pytest

from medcam.anatomy.structures import STRUCTURES
from medcam.core.errors import InvalidValueError
from medcam.core.zones import ZONES
from medcam.evaluate.enrichment import place_figures
from medcam.evaluate.expected_anatomy import EXPECTED, expected_anatomy
from medcam.phantom import FINDINGS


def test_enrichment_is_the_ratio_of_mean_share_and_mean_area() -> None:
    [place] = place_figures([[0.8], [0.4]], [[0.1], [0.2]], ["a", "b"])
    assert place.share.value == pytest.approx(0.6)
    assert place.area == pytest.approx(0.15)
    assert place.enrichment is not None
    assert place.enrichment.value == pytest.approx(4.0)
    assert (place.enrichment.low, place.enrichment.high) == (pytest.approx(2.0), pytest.approx(8.0))


def test_the_interval_covers_the_true_mean_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(5)
    covered = 0
    for _ in range(100):
        shares = rng.beta(2, 3, (60, 1))
        [place] = place_figures(shares, np.full((60, 1), 0.1), [str(n) for n in range(60)])
        covered += place.share.low <= 0.4 <= place.share.high
    assert 86 <= covered <= 100


def test_films_of_one_patient_are_drawn_together() -> None:
    shares, areas = [[0.0]] * 20 + [[1.0]] * 20, [[0.5]] * 40
    alone = place_figures(shares, areas, [str(n) for n in range(40)])[0].share
    in_pairs = place_figures(shares, areas, ["a"] * 20 + ["b"] * 20)[0].share
    assert (in_pairs.low, in_pairs.high) == (0.0, 1.0)
    assert alone.low > 0.3
    assert alone.high < 0.7


def test_a_place_without_area_has_no_enrichment() -> None:
    first, second = place_figures([[0.3, 0.7]], [[0.0, 1.0]], ["a"])
    assert first.enrichment is None
    assert second.enrichment is not None


@pytest.mark.parametrize(("shares", "patients"), [([], []), ([[0.5]], ["a", "b"])])
def test_films_are_needed_and_one_patient_for_each(shares, patients) -> None:
    with pytest.raises(InvalidValueError):
        place_figures(shares, shares, patients)


def test_every_finding_of_the_phantoms_has_an_expected_anatomy_made_of_known_places() -> None:
    assert set(EXPECTED) == set(FINDINGS)
    for anatomy in EXPECTED.values():
        assert set(anatomy.places) <= {*ZONES, *STRUCTURES}
        assert anatomy.source


def test_names_are_known_in_any_spelling() -> None:
    assert expected_anatomy("pleural_effusion") is EXPECTED["Pleural Effusion"]
    assert expected_anatomy("Fracture") is None
