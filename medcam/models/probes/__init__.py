"""Probes: linear detectors on the pooled features of a frozen model, with exact class activation maps."""
