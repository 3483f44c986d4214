"""Models and probes by name, and their cards. Loads no network, and nothing that networks need."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from medcam.core.card import ModelCard
from medcam.core.errors import ModelError
from medcam.models.card_json import card_from_json
from medcam.models.known import CARD, model_folders, user_folder
from medcam.models.probes.combined import JOIN, combined_card
from medcam.models.probes.files import CARD as PROBE_CARD
from medcam.models.probes.files import read_probe_card
from medcam.models.published.catalogue import catalogue

DEFAULT_MODEL = "phantom"
AGAIN = "Install, import or train the model again."


def probe_names() -> tuple[str, ...]:
    """Names of the user's probes, sorted."""
    return tuple(sorted(card.parent.name for card in user_folder().glob(f"*/{PROBE_CARD}")))


def read_card_file(folder: Path) -> ModelCard:
    """Reads the card of a model folder.

    Raises:
        ModelError: There is none ("no-such-model") or it is damaged ("broken-card").
    """
    try:
        return card_from_json((folder / CARD).read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise ModelError("the model card is damaged", code="broken-card", next_step=AGAIN) from error
    except OSError as error:
        raise ModelError(f"{folder.name} is not a model folder", code="no-such-model") from error


def read_card(name: str | Path = DEFAULT_MODEL) -> ModelCard:
    """The card of a model, with probes or without.

    Args:
        name: As for `medcam.models.registry.load_model`.

    Raises:
        ModelError: As there, but for weights, which are not looked at.
    """
    model, probes = split_name(name)
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
        name: As for `medcam.models.registry.load_model`. One that nothing here answers to is left alone: another
            machine may have it.
    """
    model, probes = split_name(name)
    if model in model_folders() or not _exists(model):
        return str(name)
    return JOIN.join([str(find_model(model).absolute()), *probes])


def split_name(name: str | Path) -> tuple[str, tuple[str, ...]]:
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
