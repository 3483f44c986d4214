"""What processes take, as the system tells it."""

import os
import subprocess
import sys

import pytest

from medcam.experiments.bench.process import (
    available_mib,
    family_mib,
    family_seconds,
    peak_mib,
    processor_seconds,
    resident_mib,
)


@pytest.fixture(autouse=True)
def _told():
    if resident_mib(os.getpid()) is None:
        pytest.skip("the system does not tell memory of processes")


@pytest.mark.parametrize("figure", [resident_mib, peak_mib, family_mib, processor_seconds, family_seconds])
def test_a_process_that_has_ended_has_no_figures(figure):
    assert figure(os.getpid()) > 0.0
    assert figure(2**30) is None


def test_memory_of_a_family_holds_that_of_processes_that_its_processes_started():
    own = family_mib(os.getpid())
    inner = "x = bytearray(90 << 20); print(flush=True); input()"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen([sys.executable, "-c", outer], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        grown = family_mib(os.getpid())
        child.stdin.close()
    assert 90.0 < grown - own < 180.0


def test_what_a_process_has_given_back_is_in_its_peak_alone():
    program = (
        "import mmap; x = mmap.mmap(-1, 90 << 20); x.write(b'x' * (90 << 20)); x.close(); print(flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        resident, peak = resident_mib(child.pid), peak_mib(child.pid)
        child.stdin.close()
    assert peak - resident > 80.0


def test_what_is_available_is_less_than_the_machine_has():
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**20
    assert 0.0 < available_mib() < whole
