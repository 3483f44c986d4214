"""A film that kills every process that decodes it is put aside alone: the others of its submission are explained."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.studies.opened import open_studies
from medcam.service.submissions.box import SubmissionBox
from medcam.store import JobState

WORKER = """
import hashlib, os, signal, sys, threading
from pathlib import Path
from medcam.dicom.sandbox.pool import ReaderPool
from medcam.models.registry import load_model
from medcam.server.work import _POLICY
from medcam.service.jobs.turns import FairTurns
from medcam.service.jobs.worker import Task, Worker
from medcam.service.phantoms.make_phantoms import make_phantoms
from medcam.service.studies.opened import open_studies
from medcam.service.submissions.box import SubmissionBox
from medcam.service.submissions.explaining import LoadedModels, SubmissionExplainer
from medcam.service.submissions.submission import EXPLAIN
from medcam.store import FairClaims

class Poisoned(ReaderPool):
    def radiograph(self, data, name):
        if hashlib.sha256(data).hexdigest() == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().radiograph(data, name)

opened = open_studies(Path(sys.argv[1]))
opened.jobs.release("test")
with Poisoned(2) as readers:
    box = SubmissionBox.of(opened.address, opened.jobs)
    explainer = SubmissionExplainer(box, LoadedModels(load_model), readers, 2)
    tasks = {EXPLAIN: Task(explainer, _POLICY)}
    worker = Worker(opened.jobs, tasks, "test", turns=FairTurns(FairClaims(opened.store)))
    sys.exit(0 if worker.step(threading.Event()) else 3)
"""
MOST = 6


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_only_the_film_that_kills_is_put_aside(tmp_path: Path) -> None:
    make_phantoms(tmp_path / "films", 3, 5, size=256, masks=False)
    films = sorted((tmp_path / "films").rglob("*.dcm"))
    poison = films[1].read_bytes()
    opened = open_studies(tmp_path / "store")
    try:
        box = SubmissionBox.of(opened.address, opened.jobs)
        handed = [(film.name, film.open("rb")) for film in films]
        submission = box.take("me@local", handed, model="phantom")
        for _, file in handed:
            file.close()
        ends: list[int] = []
        while 0 not in ends and len(ends) < MOST:
            words = [sys.executable, "-c", WORKER, str(tmp_path / "store"), hashlib.sha256(poison).hexdigest()]
            ends.append(subprocess.run(words, check=False, capture_output=True, timeout=240).returncode)
        assert ends == [-9, -9, -9, 0]
        status = box.status(submission)
        assert (status.state, status.done, status.total) == (JobState.DONE, 3, 3)
        assert [one.code for one in status.passed_over] == ["worker-died"]
        held = {one.film.sha256 for one in box.films(submission).all()}
        assert held == {hashlib.sha256(film.read_bytes()).hexdigest() for film in (films[0], films[2])}
    finally:
        opened.close()
