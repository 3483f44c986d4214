from __future__ import annotations

import multiprocessing

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

from medcam.service.audit.key import AuditKeyError, key_path, make_signer, read_signer, read_verifier
from medcam.service.studies.opened import open_studies
from medcam.store import AuditDraft


def test_a_key_is_the_owners_alone_and_its_public_half_checks_what_it_signed(audit_key):
    signer = make_signer(audit_key)
    signature = signer.sign(b"message")

    assert key_path() == audit_key
    assert audit_key.stat().st_mode & 0o777 == 0o600
    assert read_signer(audit_key).sign(b"message") == signature
    for path in (audit_key, audit_key.with_name("audit.pem.pub")):
        assert read_verifier(path).verify(signature, b"message")
        assert not read_verifier(path).verify(signature, b"another")
        assert not read_verifier(path).verify("no digits", b"message")


def test_a_key_that_is_there_is_not_made_again(audit_key):
    first = make_signer(audit_key).sign(b"m")

    assert make_signer(audit_key).sign(b"m") == first


def _make(path):
    return make_signer(path).sign(b"m")


def test_processes_that_make_a_key_at_once_share_one(audit_key):
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        assert len(set(pool.map(_make, [audit_key] * 6))) == 1


def test_a_key_that_is_none_is_told(audit_key):
    with pytest.raises(AuditKeyError) as missing:
        read_signer(audit_key)
    audit_key.parent.mkdir()
    audit_key.write_bytes(b"nonsense")
    with pytest.raises(AuditKeyError) as damaged:
        read_signer(audit_key)
    with pytest.raises(AuditKeyError):
        read_verifier(audit_key)
    other = generate_private_key(SECP256R1())
    audit_key.write_bytes(
        other.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    with pytest.raises(AuditKeyError) as strange:
        read_signer(audit_key)

    assert [caught.value.code for caught in (missing, damaged, strange)] == ["no-audit-key", "audit-key", "audit-key"]


def test_a_store_with_events_is_not_given_a_new_key(opened, audit_key, tmp_path):
    opened.trail.append(AuditDraft("login"))
    audit_key.unlink()
    with pytest.raises(AuditKeyError) as caught:
        open_studies(tmp_path / "store")

    assert caught.value.code == "no-audit-key"
    assert not audit_key.exists()
