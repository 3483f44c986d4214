"""A results folder as a record of decisions: what `medcam annotate --out` wrote, without a store beside it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from medcam.core.errors import InputError
from medcam.service.annotate.inputs import Input, find_inputs
from medcam.service.annotate.instance_output import RECEIPT_NAME, read_receipt
from medcam.service.annotate.manifest import MANIFEST_NAME
from medcam.service.annotate.several_index import refuse_several
from medcam.service.audit.replay import PastDecision, source_gone, source_of
from medcam.service.explanations.explanation_json import FILE_NAME
from medcam.service.studies.address import DATABASE_NAME


@dataclass(frozen=True, slots=True)
class FolderSources:
    """Where the films of a results folder may lie: their names on record are relative, and the digest decides.

    Args:
        inputs: All files that may be films.
    """

    inputs: Sequence[Input] = ()
    _digests: dict[str, Input] = field(default_factory=dict, init=False, repr=False)
    _looked: list[bool] = field(default_factory=list, init=False, repr=False)

    def read(self, name: str, sha256: str) -> bytes:
        """The file of a film: the one of this name, else any of this digest.

        Raises:
            InputError: There is none (`source-gone`), or the one of this name is another (`source-changed`).
        """
        named = [each for each in self.inputs if each.source == name]
        for each in named:
            data = each.read()
            if hashlib.sha256(data).hexdigest() == sha256:
                return data
        found = self._by_digest().get(sha256)
        if found is not None:
            return source_of(found.read(), sha256)
        if named:
            return source_of(named[0].read(), sha256)
        raise source_gone("missing" if self.inputs else "there are no films: --source says where they lie")

    def _by_digest(self) -> Mapping[str, Input]:
        if not self._looked:
            self._looked.append(True)
            for each in self.inputs:
                try:
                    self._digests[hashlib.sha256(each.read()).hexdigest()] = each
                except InputError:
                    continue  # what cannot be read is no film of this record
        return self._digests


@dataclass(frozen=True)
class ResultsFolder:
    """What `medcam annotate --out` wrote.

    Args:
        path: The folder.
    """

    path: Path

    @cached_property
    def manifest(self) -> Mapping[str, Any] | None:
        """The record of the run; None where the run is not complete, or the record cannot be read."""
        try:
            content = json.loads((self.path / MANIFEST_NAME).read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None

    @cached_property
    def names(self) -> Mapping[str, str]:
        """Names of the films by folder of results, as the manifest has them."""
        listed = (self.manifest or {}).get("annotated", ())
        return {str(one["folder"]): str(one["source"]) for one in listed if isinstance(one, dict) and "folder" in one}

    @property
    def ids(self) -> list[str]:
        """<study>/<instance> of every result that is there, in order."""
        found = self.path.glob(f"*/*/{FILE_NAME}")
        return sorted(path.parent.relative_to(self.path).as_posix() for path in found)

    def chosen(self, wanted: str) -> str:
        """The result of an id: <study>/<instance>, or its last part.

        Raises:
            InputError: There is none, or more than one (code `no-such-explanation`).
        """
        found = [one for one in self.ids if wanted in (one, one.rpartition("/")[2])]
        if len(found) == 1:
            return found[0]
        raise InputError(
            f"the folder has no result {wanted}",
            code="no-such-explanation",
            next_step="Name it as the folder does: <study>/<instance>.",
        )

    def content(self, result: str) -> bytes:
        """explanation.json of a result.

        Raises:
            InputError: It cannot be read (code `unreadable`).
        """
        try:
            return (self.path / result / FILE_NAME).read_bytes()
        except OSError as error:
            raise InputError(f"the explanation cannot be read ({type(error).__name__})") from error

    def digest_on_record(self, result: str) -> str:
        """Digest of explanation.json in the receipt beside it; empty where an older medcam wrote it."""
        receipt = read_receipt(self.path / result / RECEIPT_NAME)
        return "" if receipt is None else receipt.explanation

    def decision(self, result: str, sources: FolderSources) -> PastDecision:
        """A decision on record.

        Args:
            result: <study>/<instance>.
            sources: Where its film may lie.

        Raises:
            InputError: The record cannot be read (`unreadable`), or is none (`not-an-explanation`).
        """
        content = self.content(result)
        digest = self.digest_on_record(result)
        edited = bool(digest) and hashlib.sha256(content).hexdigest() != digest
        return _past(result, content, self.names.get(result, ""), sources, edited=edited)


def results_folder(named: str | os.PathLike[str] | None) -> ResultsFolder | None:
    """The results folder that somebody names where a store might be; None where it is a store, or nothing yet.

    Raises:
        UsageError: It is the output of several models (code `several-models`).
    """
    if named is None or "://" in os.fspath(named):
        return None
    path = Path(named)
    if (path / DATABASE_NAME).exists():
        return None
    refuse_several(path)
    there = (path / MANIFEST_NAME).is_file() or next(path.glob(f"*/*/{FILE_NAME}"), None) is not None
    return ResultsFolder(path) if there else None


def folder_sources(sources: Sequence[str], out: Path) -> FolderSources:
    """The files that films are looked for among.

    Raises:
        UsageError: A source does not exist (code `no-such-source`).
    """
    return FolderSources(find_inputs(list(sources), out) if sources else ())


def _past(result: str, content: bytes, name: str, sources: FolderSources, *, edited: bool) -> PastDecision:
    try:
        data = json.loads(content)
        model, sha256 = data["model"], str(data["source"]["sha256"])
        return PastDecision(
            id=result,
            content=content,
            edited=edited,
            model=str(model["name"]),
            version=str(model["version"]),
            weights_sha256=str(model["weights_sha256"]),
            method=str(data["method"]),
            answered=any(finding["present"] is not None for finding in data["findings"]),
            name=f"{result.rpartition('/')[2]}.dcm",
            source=partial(sources.read, name, sha256),
        )
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{result} holds no explanation", code="not-an-explanation") from error
