"""Forward passes that several threads share."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from medcam.core.errors import ModelError
from medcam.core.prediction import Prediction
from medcam.service.jobs.batching import BatchingClassifier


class Doubles:
    """Its logit is twice the mean of a film; it chokes on films that are all negative."""

    def __init__(self):
        self.sizes = []

    def predict(self, inputs):
        self.sizes.append(len(inputs))
        if (inputs < 0).all(axis=(1, 2, 3)).any():
            raise ValueError("poison")
        maps = 2.0 * inputs[:, :1]
        means = maps.mean(axis=(2, 3))
        return Prediction(means, maps, np.zeros(1, np.float32), means, pooled=means)


def films(*values):
    return np.stack([np.full((1, 4, 4), value, np.float32) for value in values])


def together(classifier, *inputs):
    """Asks from one thread each, all at once."""
    gate = threading.Barrier(len(inputs))

    def ask(one):
        gate.wait()
        try:
            return classifier.predict(one)
        except ValueError as error:
            return error

    with ThreadPoolExecutor(len(inputs)) as pool:
        return list(pool.map(ask, inputs))


def test_threads_share_a_pass_and_get_their_own_answers():
    inner = Doubles()
    classifier = BatchingClassifier(inner, wait=5.0, others=lambda: 3)

    answers = together(classifier, films(1), films(2, 3), films(4))

    assert inner.sizes == [4]
    assert [answer.logits[:, 0].tolist() for answer in answers] == [[2], [4, 6], [8]]
    assert [answer.pooled.shape for answer in answers] == [(1, 1), (2, 1), (1, 1)]


def test_poison_meets_who_brought_it_alone():
    classifier = BatchingClassifier(Doubles(), wait=5.0, others=lambda: 3)

    good, poison, other = together(classifier, films(1), films(-1), films(3))

    assert (good.logits.item(), other.logits.item()) == (2, 6)
    assert isinstance(poison, ValueError)


def test_a_batch_has_a_bound_and_one_that_asks_for_more_gets_it():
    inner = Doubles()
    classifier = BatchingClassifier(inner, most=3, wait=0.2, others=lambda: 9)

    answers = together(classifier, films(1, 2), films(3, 4), films(5, 6))
    assert [answer.logits[:, 0].tolist() for answer in answers] == [[2, 4], [6, 8], [10, 12]]
    assert inner.sizes == [2, 2, 2]
    assert len(classifier.predict(films(1, 2, 3, 4))) == 4


def test_films_of_different_sizes_do_not_share_a_pass():
    inner = Doubles()
    classifier = BatchingClassifier(inner, wait=0.2, others=lambda: 2)

    answers = together(classifier, films(1), np.full((1, 1, 8, 8), 2, np.float32))

    assert [answer.logits.item() for answer in answers] == [2, 4]
    assert inner.sizes == [1, 1]


def test_one_alone_does_not_wait_for_others_that_cannot_come():
    classifier = BatchingClassifier(Doubles(), wait=3600.0, others=lambda: 1)

    assert classifier.predict(films(1)).logits.item() == 2


def test_whoever_looks_at_the_network_keeps_the_passes_of_others_out():
    classifier = BatchingClassifier(Doubles(), others=lambda: 1)

    with ThreadPoolExecutor(1) as pool:
        with classifier.alone():
            asked = pool.submit(classifier.predict, films(1))
            with pytest.raises(TimeoutError):
                asked.result(0.1)
        assert asked.result(60).logits.item() == 2


def test_a_model_shows_its_network_or_says_that_it_shows_none():
    class Shown(Doubles):
        def gradient_model(self):
            return "network"

    hidden = Doubles()
    hidden.card = type("Card", (), {"name": "hidden"})

    assert BatchingClassifier(Shown()).gradient_model() == "network"
    with pytest.raises(ModelError) as refused:
        BatchingClassifier(hidden).gradient_model()
    assert refused.value.code == "cam-method"
