"""One forward pass for films of several requests: threads that predict at the same time are served together."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np

from medcam.cam.methods.model import Differentiable, GradientModel
from medcam.core.arrays import FloatArray
from medcam.core.card import ModelCard
from medcam.core.errors import ModelError
from medcam.core.explanation import Engine
from medcam.core.prediction import Prediction
from medcam.core.protocols import Classifier, ModelInput, OnEngine
from medcam.core.radiograph import Radiograph

MOST_FILMS = 16
WAIT_SECONDS = 0.02
"""How long the first one waits for others: little beside the reading of a film."""


@dataclass(eq=False)
class _Asked:
    inputs: FloatArray
    answered: threading.Event = field(default_factory=threading.Event)
    prediction: Prediction | None = None
    error: Exception | None = None

    def take(self) -> Prediction:
        if self.error is not None:
            raise self.error
        assert self.prediction is not None
        return self.prediction


class BatchingClassifier:
    """A classifier whose forward passes are shared by the threads that ask at the same time.

    What one thread gets never depends on what the others asked: where a shared pass fails, each is answered by a pass
    of its own, so that the culprit alone meets the error.

    Args:
        inner: The model. Its own passes run in one thread at a time.
        most: Films in one pass, unless one thread asks for more at once.
        wait: Seconds that the first one waits for others.
        others: How many threads may ask; where all of them do, nobody waits for more.
    """

    def __init__(
        self,
        inner: Classifier,
        *,
        most: int = MOST_FILMS,
        wait: float = WAIT_SECONDS,
        others: Callable[[], int] = lambda: MOST_FILMS,
    ) -> None:
        self._inner, self._most, self._wait, self._others = inner, most, wait, others
        self._changed = threading.Condition()
        self._passing = threading.Lock()
        self._waiting: list[_Asked] = []
        self.passes, self.films = 0, 0

    @property
    def card(self) -> ModelCard:
        """The model's card."""
        return self._inner.card

    @property
    def engine(self) -> Engine:
        """What computes the maps."""
        return self._inner.engine if isinstance(self._inner, OnEngine) else Engine()

    @property
    def engine_warnings(self) -> tuple[str, ...]:
        """Which engine was asked for and is not used."""
        return self._inner.engine_warnings if isinstance(self._inner, OnEngine) else ()

    @property
    def engine_notes(self) -> tuple[str, ...]:
        """The same, and what was tried."""
        return self._inner.engine_notes if isinstance(self._inner, OnEngine) else ()

    def prepare(self, radiograph: Radiograph) -> ModelInput:
        """Turns a radiograph into the model's input."""
        return self._inner.prepare(radiograph)

    def out_of_distribution(self, inputs: FloatArray, prediction: Prediction) -> FloatArray | None:
        """Scores float32 [n], or None without a gate."""
        return self._inner.out_of_distribution(inputs, prediction)

    def predict(self, inputs: FloatArray) -> Prediction:
        """Logits and maps of float32 [n, channels, height, width], by a pass that may serve others too.

        Raises:
            MedcamError: The model refuses these inputs.
        """
        mine = _Asked(inputs)
        with self._changed:
            self._waiting.append(mine)
            self._changed.notify_all()
        while not mine.answered.is_set():
            # Whoever gets the lock serves all that wait by then; the others find their answer when they get it.
            with self._passing:
                if not mine.answered.is_set():
                    self._serve(self._gathered())
        return mine.take()

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keeps the passes of other threads out: whoever cuts the network open must not change their answers."""
        with self._passing:
            yield

    def gradient_model(self) -> GradientModel:
        """The model's network, for attribution methods, which look at it within `alone`.

        Raises:
            ModelError: The model shows none (code "cam-method").
        """
        if isinstance(self._inner, Differentiable):
            return self._inner.gradient_model()
        raise ModelError(
            f"{self.card.name} lets no attribution method see its network",
            code="cam-method",
            next_step="Leave the method out.",
        )

    def _gathered(self) -> list[_Asked]:
        until = time.monotonic() + self._wait
        with self._changed:
            while not self._enough() and (left := until - time.monotonic()) > 0.0:
                self._changed.wait(left)
            first = self._waiting[0].inputs.shape[1:]
            taken: list[_Asked] = []
            films = 0
            for asked in list(self._waiting):
                if taken and (films + len(asked.inputs) > self._most or asked.inputs.shape[1:] != first):
                    break
                taken.append(asked)
                films += len(asked.inputs)
            del self._waiting[: len(taken)]
            return taken

    def _enough(self) -> bool:
        films = sum(len(asked.inputs) for asked in self._waiting)
        return films >= self._most or len(self._waiting) >= self._others()

    def _serve(self, batch: list[_Asked]) -> None:
        try:
            self._answer(batch)
        except Exception as error:  # noqa: BLE001 - handed to whoever asked
            if len(batch) == 1:
                batch[0].error = error
            else:
                for asked in batch:
                    self._serve([asked])
        for asked in batch:
            asked.answered.set()

    def _answer(self, batch: list[_Asked]) -> None:
        together = self._inner.predict(np.concatenate([asked.inputs for asked in batch]))
        self.passes += 1
        self.films += len(together)
        start = 0
        for asked in batch:
            part = slice(start, start + len(asked.inputs))
            start = part.stop
            asked.prediction = replace(
                together,
                logits=together.logits[part],
                maps=together.maps[part],
                features=together.features[part],
                pooled=None if together.pooled is None else together.pooled[part],
            )
