"""Models by name, loaded, with probes or without."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError
from medcam.models.engines.choose import with_engine
from medcam.models.files import load_folder, read_card_file
from medcam.models.known import CARD, model_folders, user_folder
from medcam.models.loaded import LoadedModel
from medcam.models.probes.files import CARD as PROBE_CARD
from medcam.models.probes.files import load_probe_folder, read_probe_card
from medcam.models.probes.probed import JOIN, ProbedModel, combined_card
from medcam.models.published.catalogue import catalogue

DEFAULT_MODEL = "phantom"


def probe_names() -> tuple[str, ...]:
    """Names of the user's probes, sorted."""
    return tuple(sorted(card.parent.name for card in user_folder().glob(f"*/{PROBE_CARD}")))


def load_model(name: str | Path = DEFAULT_MODEL, engine: str | None = None, *, threads: int = 0) -> LoadedModel:
    """Loads a classifier.

    Args:
        name: A name of `medcam.models.known.model_names`, or the path of a model folder (what `medcam train` writes);
            then, each after a "+", names of `probe_names`, such as "phantom+pacemaker".
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
    model, probes = _split(name)
    loaded = load_folder(find_model(model))
    if probes:
        loaded = ProbedModel(loaded, [load_probe_folder(find_probe(probe)) for probe in probes])
    return loaded if engine is None else with_engine(loaded, engine, threads=threads)


def read_card(name: str | Path = DEFAULT_MODEL) -> ModelCard:
    """The card of a model, with probes or without, and without loading weights; raises as `load_model`."""
    model, probes = _split(name)
    card = read_card_file(find_model(model))
    return combined_card(card, [read_probe_card(find_probe(probe)) for probe in probes]) if probes else card


def find_probe(name: str) -> Path:
    """The folder of a probe, `$XDG_DATA_HOME/medcam/models/NAME`.

    Raises:
        ModelError: There is no such probe (code "no-such-probe").
    """
    known = probe_names()
    if name in known:
        return user_folder() / name
    raise ModelError(
        f"there is no probe {name!r}",
        code="no-such-probe",
        next_step=f"Known probes: {', '.join(known) or 'none'}. `medcam probe fit` makes one.",
    )


def find_model(name: str | Path) -> Path:
    """The folder of a model.

    Raises:
        ModelError: There is no such model (code "no-such-model").
    """
    known = model_folders()
    if str(name) in known:
        return known[str(name)]
    with suppress(OSError):  # such as a name too long for a path
        if (Path(name) / CARD).is_file():
            return Path(name)
    raise ModelError(
        f"there is no model {str(name)!r}" + (" on this computer" if str(name) in catalogue() else ""),
        code="no-such-model",
        next_step=f"`medcam models fetch {name}` downloads it from its publisher."
        if str(name) in catalogue()
        else f"Known models: {', '.join(sorted(known)) or 'none'}; a model folder's path is taken too.",
    )


def absolute_name(name: str | Path) -> str:
    """What names the same model whatever folder a process works in: a path made absolute, a name as it is.

    Args:
        name: As for `load_model`. One that nothing here answers to is left alone: another machine may have it.
    """
    model, probes = _split(name)
    if model in model_folders() or not _exists(model):
        return str(name)
    return JOIN.join([str(find_model(model).absolute()), *probes])


def _split(name: str | Path) -> tuple[str, tuple[str, ...]]:
    """The name of a model and those of probes; a model whose own name or path has a "+" is itself."""
    model, probes = str(name), list[str]()
    while JOIN in model and not _exists(model):
        model, _, probe = model.rpartition(JOIN)
        probes.insert(0, probe)
    return model, tuple(probes)


def _exists(name: str) -> bool:
    try:
        find_model(name)
    except ModelError:
        return False
    return True
