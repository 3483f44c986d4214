"""Reading what a run left behind, and changing what it is given."""

from __future__ import annotations

import json
from pathlib import Path

import pydicom

from medcam.service.annotate.manifest import Manifest


def folders(manifest: Manifest, out: Path) -> dict[str, Path]:
    return {item.source: out / item.folder for item in manifest.annotated}


def refusals(out: Path) -> dict[str, str]:
    lines = (out / "quarantine.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    assert all(set(record) == {"source", "code", "message", "next_step"} for record in records)
    return {record["source"]: record["code"] for record in records}


def stamps(folder: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def edited(path: Path, target: Path, **attributes: object) -> Path:
    dataset = pydicom.dcmread(path)
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    dataset.save_as(target)
    return target
