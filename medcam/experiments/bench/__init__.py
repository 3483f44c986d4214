"""Benchmarks: how long things take, on the machine at hand, beside a target or another way."""
