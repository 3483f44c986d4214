"""How the review pages are served, as their process is told it."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.errors import UsageError
from medcam.models.engines.names import AUTO, parse_engine

HOST = "127.0.0.1"
DEFAULT_PORT = 8501
STORE_VARIABLE = "MEDCAM_STORE"
"""Environment variable by which the server learns which store to show."""
SETTINGS_VARIABLE = "MEDCAM_REVIEW"
"""Environment variable by which the server learns the rest: `ReviewSettings` as JSON. It may hold secrets."""
SIGN_INS = ("local", "oidc", "proxy")


@dataclass(frozen=True, slots=True)
class ReviewSettings:
    """How the pages are served.

    Args:
        address: Address of this computer that the server listens on.
        port: Its port.
        sign_in: "local" (the user of this computer is the reader), "oidc" or "proxy".
        sign_in_settings: Of the sign-in, by the names that its page in the documentation has.
        idle_minutes: A session ends when its reader did nothing for so long.
        workers: Processes beside the server that explain what readers hand in.
        engine: What computes their maps, see `medcam.load_model`.
    """

    address: str = HOST
    port: int = DEFAULT_PORT
    sign_in: str = "local"
    sign_in_settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    idle_minutes: float = 15.0
    workers: int = 1
    engine: str = AUTO

    def __post_init__(self) -> None:
        parse_engine(self.engine)
        if self.sign_in not in SIGN_INS:
            raise UsageError(
                f"there is no sign-in {self.sign_in!r}", code="sign-in", next_step="Use local, oidc or proxy."
            )
        if not 0.0 < self.idle_minutes <= 720.0:
            raise UsageError("a session ends after more than 0 and at most 720 idle minutes", code="sign-in")

    def to_json(self) -> str:
        """The settings as JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ReviewSettings:
        """The settings of what `to_json` wrote."""
        return cls(**json.loads(text))


def read_sign_in(path: Path) -> tuple[str, dict[str, Any]]:
    """Reads how readers sign in from a TOML file: `sign_in = "oidc"` or `"proxy"`, and a table of that name.

    Raises:
        UsageError: The file cannot be read, or does not say so (code `sign-in`).
    """
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
        kind = fields["sign_in"]
        settings = fields.get(kind, {})
        if kind not in SIGN_INS or not isinstance(settings, dict):
            raise KeyError(kind)  # noqa: TRY301
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"the file on the sign-in cannot be used ({type(error).__name__})",
            code="sign-in",
            next_step='Begin it with sign_in = "oidc" or "proxy", and a table [oidc] or [proxy] after it.',
        ) from error
    return kind, settings
