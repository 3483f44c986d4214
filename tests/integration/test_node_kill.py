"""A node that is killed again and again loses nothing that it acknowledged and changes nothing that it sent."""

from __future__ import annotations

import random
import subprocess
import threading
from pathlib import Path

import pydicom

from .servers.dcmtk import propose
from .servers.node import AE_TITLE, Node

ROOT = Path(__file__).resolve().parents[2]
FILMS = sorted((ROOT / "sample_data").glob("*.dcm"))
KILLS = 6


class Modality(threading.Thread):
    """Sends each film by an association of its own, until all were acknowledged or the node is gone."""

    def __init__(self, program: str, node: Node, films: list[Path]) -> None:
        super().__init__()
        self.films, self.acknowledged = films, list[Path]()
        self._program = program
        self._peer = ["-aet", "MODALITY", "-aec", AE_TITLE, "127.0.0.1", str(node.port)]

    def run(self) -> None:
        for film in self.films:
            command = [self._program, propose(film), *self._peer, film]
            if subprocess.run(command, capture_output=True, timeout=120).returncode != 0:
                return
            self.acknowledged.append(film)


def sops(folder: Path) -> dict[str, bytes]:
    return {str(pydicom.dcmread(path).SOPInstanceUID): path.read_bytes() for path in folder.rglob("*.dcm")}


def contents(paths: list[Path]) -> dict[str, pydicom.Dataset]:
    read = [pydicom.dcmread(path) for path in paths if path.stat().st_size]
    return {str(one.SOPInstanceUID): one for one in read}


def test_kill_9_in_a_loop_loses_no_acknowledged_film(require_tool, storescp, tmp_path):
    program, rng = require_tool("storescu"), random.Random(5)
    node = Node(tmp_path / "node", ("--send-to", storescp.dimse, "--retry-wait", "0.2", "--attempts", "100"))
    waiting, acknowledged, sent = list(FILMS), list[Path](), dict[str, bytes]()
    for _ in range(KILLS):
        with node.runs():
            modality = Modality(program, node, waiting)
            modality.start()
            modality.join(rng.uniform(0.2, 3.0))
            node.kill()
            modality.join()
        acknowledged += modality.acknowledged
        waiting = [film for film in waiting if film not in modality.acknowledged]
        made = sops(node.data / "results")
        assert {uid: made[uid] for uid in sent} == sent
        sent = {uid: made[uid] for uid in contents(storescp.received()) if uid in made}

    with node.runs():
        last = Modality(program, node, waiting)
        last.start()
        last.join()
        assert not [film for film in waiting if film not in last.acknowledged]
        node.wait_until(lambda jobs: jobs.get(("send", "done"), 0) == len(FILMS))
        node.wait_until_idle()
        assert node.jobs().get(("send", "failed"), 0) == node.jobs().get(("annotate", "failed"), 0) == 0

    assert acknowledged, "the loop killed before anything was acknowledged"
    received = contents(storescp.received())
    made = sops(node.data / "results")
    assert set(received) == set(made)
    assert {uid: made[uid] for uid in sent} == sent
    assert received == contents(sorted((node.data / "results").rglob("*.dcm")))
    sources = {str(pydicom.dcmread(film, stop_before_pixels=True).StudyInstanceUID) for film in FILMS}
    assert {str(one.StudyInstanceUID) for one in received.values()} == sources
