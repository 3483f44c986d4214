"""Synthetic chest radiographs with exact truth: findings in a thorax that is projected by Beer-Lambert."""

from medcam.phantom.case import FINDINGS, Acquisition, Case, FindingSpec, Patient
from medcam.phantom.render import Phantom, render
from medcam.phantom.sampling import sample_case
from medcam.phantom.truth import FindingTruth

__all__ = [
    "FINDINGS",
    "Acquisition",
    "Case",
    "FindingSpec",
    "FindingTruth",
    "Patient",
    "Phantom",
    "render",
    "sample_case",
]
