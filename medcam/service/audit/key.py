"""The key that signs the audit trail: Ed25519 (RFC 8032), in a file that only its owner can read, outside the database.

Who can write to the database and not read the key cannot make an event that verifies.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from medcam.core.errors import MedcamError
from medcam.core.folders import data_folder

KEY_VARIABLE = "MEDCAM_AUDIT_KEY"
"""Environment variable that names the key's file."""
PUBLIC_SUFFIX = ".pub"
_OWNER_ONLY = 0o600


class AuditKeyError(MedcamError):
    """The key of the audit trail cannot be used."""

    default_code = "audit-key"
    default_next_step = f"Set ${KEY_VARIABLE} to the file of the key, or restore it from a backup."


@dataclass(frozen=True, slots=True)
class Verifier:
    """Checks signatures.

    Args:
        public: The public key.
    """

    public: Ed25519PublicKey = field(repr=False)

    @property
    def text(self) -> str:
        """The public key: 64 hexadecimal digits."""
        return self.public.public_bytes_raw().hex()

    def verify(self, signature: str, message: bytes) -> bool:
        """Whether a signature in hexadecimal digits is this key's, of this message."""
        try:
            self.public.verify(bytes.fromhex(signature), message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True, slots=True)
class Signer:
    """Makes signatures.

    Args:
        private: The private key.
    """

    private: Ed25519PrivateKey = field(repr=False)

    def sign(self, message: bytes) -> str:
        """The signature of a message, 128 hexadecimal digits."""
        return self.private.sign(message).hex()

    @property
    def verifier(self) -> Verifier:
        """Checks what this key signed."""
        return Verifier(self.private.public_key())


def key_path() -> Path:
    """Where the key lies: `$MEDCAM_AUDIT_KEY`, else `keys/audit.pem` in the user's data folder."""
    named = os.environ.get(KEY_VARIABLE)
    return Path(named) if named else data_folder() / "keys" / "audit.pem"


def read_signer(path: Path) -> Signer:
    """Reads a key.

    Raises:
        AuditKeyError: There is none (code `no-audit-key`), or it is damaged or of another kind (`audit-key`).
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except FileNotFoundError as error:
        raise AuditKeyError("the key of the audit trail is not there", code="no-audit-key") from error
    except (OSError, ValueError, TypeError) as error:
        raise AuditKeyError(f"the key of the audit trail cannot be read ({type(error).__name__})") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise AuditKeyError("the key of the audit trail is not of the kind Ed25519")
    return Signer(key)


def make_signer(path: Path) -> Signer:
    """Makes a key and its public half beside it; of several processes that do so at once one makes it.

    Raises:
        AuditKeyError: The files cannot be written.
    """
    private = Ed25519PrivateKey.generate()
    content = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _OWNER_ONLY), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(part, path)  # fails where the key is there: whoever came first has made it
        except FileExistsError:
            return read_signer(path)
        finally:
            part.unlink()
        public = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        path.with_name(path.name + PUBLIC_SUFFIX).write_bytes(public)
    except OSError as error:
        raise AuditKeyError(
            f"the key of the audit trail cannot be written ({error.strerror or type(error).__name__})",
            next_step=f"Set ${KEY_VARIABLE} to a file that can be written.",
        ) from error
    return Signer(private)


def read_verifier(path: Path) -> Verifier:
    """What checks signatures, from a private or a public key's file: an auditor needs the public half alone.

    Raises:
        AuditKeyError: As `read_signer`.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise AuditKeyError("the key of the audit trail is not there", code="no-audit-key") from error
    if b"PRIVATE" in content:
        return read_signer(path).verifier
    try:
        public = serialization.load_pem_public_key(content)
    except (ValueError, TypeError) as error:
        raise AuditKeyError(f"the public key cannot be read ({type(error).__name__})") from error
    if not isinstance(public, Ed25519PublicKey):
        raise AuditKeyError("the public key is not of the kind Ed25519")
    return Verifier(public)
