"""The key file: the secret, and what leads back from pseudonyms to patients. It stays with whoever may know both."""

from __future__ import annotations

import glob
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from medcam.core.errors import MedcamError, UsageError
from medcam.dicom.deidentify.pseudonyms import Secret
from medcam.service.output_errors import writing

_ONLY_OWNER = 0o600


class KeyFileError(UsageError):
    """The key file cannot be used."""

    default_code = "broken-key"
    default_next_step = "Restore it from a backup, or name a new one: pseudonyms will then differ from earlier ones."


@dataclass(eq=False)
class KeyFile:
    """An open key file.

    Args:
        path: Where it lies.
        secret: What pseudonyms are made with.
        patients: Original identities by pseudonym.
        studies: Original numbers by new Study Instance UID.
        inputs: Sources by output folder and number, as the report names them.
    """

    path: Path
    secret: Secret
    patients: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    studies: dict[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    inputs: dict[str, list[str]] = field(default_factory=dict, repr=False)

    def save(self) -> None:
        """Writes the file in one step, readable by its owner alone.

        Raises:
            OutputError: The disk refuses it.
        """
        text = json.dumps(
            {
                "notice": "Secret. Leads from pseudonyms back to patients; never pass it on with the images.",
                "secret": self.secret.value.hex(),
                "patients": self.patients,
                "studies": self.studies,
                "inputs": self.inputs,
            },
            indent=1,
            ensure_ascii=False,
        )
        part = self.path.with_name(f".{self.path.name}.{os.getpid()}.part")
        with writing():
            try:
                descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _ONLY_OWNER)
                with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                    file.write(text + "\n")
                    file.flush()
                    os.fsync(file.fileno())
                part.replace(self.path)
            finally:
                part.unlink(missing_ok=True)


def default_key(out: Path) -> Path:
    """Beside the output folder: `<OUT>-key.json`."""
    real = Path(os.path.realpath(out))
    return real.with_name(f"{real.name}-key.json")


def open_key(path: Path, out: Path) -> KeyFile:
    """Reads a key file, or makes one with a new secret. What a killed run left of it is taken away: it names patients.

    Args:
        path: The file; its folder must exist.
        out: The output folder, which may be passed on and so must not hold the key.

    Raises:
        UsageError: The key lies in the output folder (`key-in-output`), others may read it (`key-not-private`), or it
            is damaged (`broken-key`).
        OutputError: It cannot be written.
    """
    real, output = Path(os.path.realpath(path)), Path(os.path.realpath(out))
    if real == output or output in real.parents:
        raise UsageError(
            "the key file would lie in the output folder",
            code="key-in-output",
            next_step="Name a place outside --out for --key: who gets the images must not get the key.",
        )
    with writing():
        for part in real.parent.glob(f".{glob.escape(real.name)}.*.part"):
            part.unlink(missing_ok=True)
    if not real.exists():
        key = KeyFile(real, Secret.make())
        key.save()
        return key
    if not real.is_file():
        raise KeyFileError("the key file is no regular file")
    if stat.S_IMODE(real.stat().st_mode) & 0o077:
        raise UsageError(
            "others may read the key file", code="key-not-private", next_step="Run: chmod 600 on the key file."
        )
    return _read(real)


def _read(path: Path) -> KeyFile:
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
        secret = Secret(bytes.fromhex(content["secret"]))
        return KeyFile(path, secret, *(dict(content[name]) for name in ("patients", "studies", "inputs")))
    except (OSError, ValueError, LookupError, TypeError, MedcamError) as error:
        raise KeyFileError("the key file cannot be read") from error
