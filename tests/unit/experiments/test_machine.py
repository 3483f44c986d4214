"""The machine that figures come from, told so that figures of others can be compared."""

from __future__ import annotations

import pytest

from medcam.experiments.machine import machine, processor_in

LISTING = """processor\t: 0
model name\t: AMD EPYC
flags\t\t: fpu {flags}

processor\t: 1
model name\t: AMD EPYC
flags\t\t: fpu {flags}
"""


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ("sse2", "AMD EPYC"),
        ("avx avx2", "AMD EPYC (AVX2)"),
        ("avx2 avx512f avx512_bf16", "AMD EPYC (AVX2, AVX-512, bf16)"),
        ("avx2 avx512f amx_bf16 amx_int8", "AMD EPYC (AVX2, AVX-512, bf16)"),
    ],
)
def test_what_networks_are_quick_by_is_told_with_the_processor(flags: str, told: str) -> None:
    assert processor_in(LISTING.format(flags=flags)) == told


def test_a_listing_that_names_none_says_nothing() -> None:
    assert processor_in("") == processor_in("Features\t: fp asimd\n") == ""


def test_this_machine_is_told_without_a_path() -> None:
    told = machine()
    assert all(told.values())
    assert "/" not in told["processor"]
