"""Models by name, loaded, with probes or without."""

from __future__ import annotations

from pathlib import Path

from medcam.models.cards import DEFAULT_MODEL, find_model, find_probe, split_name
from medcam.models.engines.choose import with_engine
from medcam.models.files import load_folder
from medcam.models.loaded import LoadedModel
from medcam.models.probes.files import load_probe_folder
from medcam.models.probes.probed import ProbedModel


def load_model(name: str | Path = DEFAULT_MODEL, engine: str | None = None, *, threads: int = 0) -> LoadedModel:
    """Loads a classifier.

    Args:
        name: A name of `medcam.models.known.model_names`, or the path of a model folder (what `medcam train` writes);
            then, each after a "+", names of `medcam.models.cards.probe_names`, such as "phantom+pacemaker".
        engine: What it runs on, see `medcam.models.engines.choose.with_engine`; None for torch in fp32.
        threads: Most CPU threads of that engine; 0 for as many as torch uses.

    Returns:
        The classifier in evaluation mode, fp32 unless an engine is asked for; its weights were checked against the
        card's digest. With probes it gives their findings after its own, in the same forward pass.

    Raises:
        ModelError: There is no such model ("no-such-model") or probe ("no-such-probe"), one is damaged, or a probe was
            fitted to another model ("probe-model").
        UsageError: There is no such engine ("unknown-engine").
    """
    model, probes = split_name(name)
    loaded = load_folder(find_model(model))
    if probes:
        loaded = ProbedModel(loaded, [load_probe_folder(find_probe(probe)) for probe in probes])
    return loaded if engine is None else with_engine(loaded, engine, threads=threads)
