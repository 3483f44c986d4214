"""Which engine a model runs on: the fastest that keeps to the error budget, checked when the model is loaded."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from medcam.core.arrays import FloatArray
from medcam.core.explanation import Engine
from medcam.core.prediction import Prediction
from medcam.models.engines import processor
from medcam.models.engines.budget import BUDGET, Budget, Errors, errors_between
from medcam.models.engines.calibration import calibration_inputs
from medcam.models.engines.engine import Chosen, FeatureEngine, RefusedError
from medcam.models.engines.names import AUTO, CUDA, MPS, OPENVINO, TORCH, Candidate, parse_engine
from medcam.models.engines.openvino_engine import build_openvino, openvino_precisions
from medcam.models.engines.torch_engine import TorchEngine, copied
from medcam.models.engines.torch_reference import Layers
from medcam.models.loaded import LoadedModel

_LOG = logging.getLogger(__name__)
LAST = Candidate(TORCH, "fp32")


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why a candidate is not used; `choice` where the error budget chose a better precision."""

    text: str
    choice: bool


def with_engine(model: LoadedModel, engine: str | None, *, threads: int = 0, budget: Budget = BUDGET) -> LoadedModel:
    """The same model on another engine.

    Candidates are tried from the fastest. Each predicts the calibration films, all at once and one by one, and is taken
    if its logits and maps keep to the budget against torch in fp32. What is refused falls back to the next, torch in
    fp32 at the last:

        auto        GPU where torch has one, OpenVINO bf16, OpenVINO fp32 (without OpenVINO: torch bf16), torch fp32
        openvino    OpenVINO bf16 where the processor has it, OpenVINO fp32, torch fp32
        torch       torch fp32

    NAME:PRECISION begins with that precision. A fall-back from an engine that was named is a warning in every result;
    so is that of an engine which fails. That "auto" left bf16 for fp32 is what it is for, and a note alone.

    Args:
        model: On any engine.
        engine: "auto", "torch", "openvino", "torch-cuda", "torch-mps", each of the last four with ":fp32", ":bf16" or
            ":fp16" behind it if a precision is wanted; None for the reference: eager torch in fp32.
        threads: Most CPU threads of OpenVINO; 0 for as many as torch uses.
        budget: How far an engine may be from the reference.

    Returns:
        A model that shares network, card and gate with the one given.

    Raises:
        UsageError: There is no such engine (code "unknown-engine").
    """
    reference = model.reference()
    if engine is None:
        return _on(model, reference)
    name, precision = parse_engine(engine)
    base = _on(model, reference)
    films = calibration_inputs(model.card.input)
    wanted = base.predict(films)
    refusals: list[_Refusal] = []
    for candidate in _candidates(name, precision):
        try:
            features = _built(model, candidate, threads)
            trial = _on(model, Chosen(features, Engine(candidate.name, candidate.precision)))
            errors = _errors(trial, films, wanted)
        except RefusedError as refused:
            refusals.append(_Refusal(f"engine: {candidate} is not used: {refused}", choice=False))
            continue
        if errors.within(budget):
            record = Engine(candidate.name, candidate.precision, errors.logit)
            return _on(model, Chosen(features, record, *_told(name, refusals)))
        better = candidate.precision != "fp32"
        refusals.append(_Refusal(f"engine: {candidate} is not used: {errors.told(budget)}", choice=better))
    return _on(model, Chosen(reference.features, reference.record, *_told(name, refusals)))


def engines_here() -> tuple[str, ...]:
    """What `auto` would try on this machine, the fastest first, such as "openvino bf16"."""
    return tuple(str(one) for one in _candidates(AUTO, None))


def _told(name: str, refusals: list[_Refusal]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Warnings and notes."""
    notes = tuple(refusal.text for refusal in refusals)
    for note in notes:
        _LOG.info("%s", note)
    return tuple(one.text for one in refusals if name != AUTO or not one.choice), notes


def _candidates(name: str, precision: str | None) -> Iterator[Candidate]:
    """What is tried, in order."""
    if name == AUTO:
        yield from _automatic()
    elif precision not in (None, "fp32"):
        yield from (Candidate(name, precision or ""), Candidate(name, "fp32"))
    elif name == OPENVINO and precision is None:
        yield from (Candidate(OPENVINO, one) for one in openvino_precisions() or ("fp32",))
    elif name in (CUDA, MPS) and precision is None:
        yield from _gpu(name)
    else:
        yield Candidate(name, "fp32")
    if name != TORCH:
        yield LAST


def _automatic() -> Iterator[Candidate]:
    if processor.has_cuda():
        yield from _gpu(CUDA)
    if processor.has_mps():
        yield from _gpu(MPS)
    precisions = openvino_precisions()
    yield from (Candidate(OPENVINO, one) for one in precisions)
    if not precisions and processor.has_bf16():
        yield Candidate(TORCH, "bf16")


def _gpu(name: str) -> Iterator[Candidate]:
    yield Candidate(name, "bf16" if name == CUDA else "fp16")
    yield Candidate(name, "fp32")


def _built(model: LoadedModel, candidate: Candidate, threads: int) -> FeatureEngine:
    """Makes an engine; raises `RefusedError`."""
    backbone, names = model.network.backbone, model.layers_read
    if candidate.name == OPENVINO:
        return build_openvino(Layers(backbone, names), model.card.input, candidate, threads)
    _check_device(candidate)
    try:
        return TorchEngine(copied(backbone, model.card), names, candidate)
    except RuntimeError as error:  # a device that is out of memory, or that lacks an operation
        raise RefusedError(f"torch does not run it ({type(error).__name__})") from error


def _check_device(candidate: Candidate) -> None:
    missing = {CUDA: not processor.has_cuda(), MPS: not processor.has_mps()}.get(candidate.name, False)
    if missing:
        raise RefusedError("torch has no such device here")
    if candidate.name == TORCH and candidate.precision == "bf16" and not processor.has_bf16():
        raise RefusedError("this processor has no bf16")
    if candidate.name == TORCH and candidate.precision == "fp16":
        raise RefusedError("torch on the CPU has no fast fp16")


def _errors(trial: LoadedModel, films: FloatArray, wanted: Prediction) -> Errors:
    """The larger errors of all films at once and of each alone: a kernel may be another for another batch."""
    try:
        errors = errors_between(wanted, trial.predict(films))
        alone = [trial.predict(films[number : number + 1]) for number in range(len(films))]
    except RuntimeError as error:
        raise RefusedError(f"it fails on the calibration films ({type(error).__name__})") from error
    singly = Prediction(
        logits=np.concatenate([one.logits for one in alone]),
        maps=np.concatenate([one.maps for one in alone]),
        biases=wanted.biases,
        features=np.concatenate([one.features for one in alone]),
        relation=wanted.relation,
    )
    return errors.worse(errors_between(wanted, singly))


def _on(model: LoadedModel, chosen: Chosen) -> LoadedModel:
    other = copy.copy(model)
    other.chosen = chosen
    return other
