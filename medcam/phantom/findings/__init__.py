"""Findings, one file each, inserted into the projected thorax before the beam is attenuated."""

from collections.abc import Mapping

from medcam.phantom.findings.atelectasis import Atelectasis
from medcam.phantom.findings.base import Inserter
from medcam.phantom.findings.cardiomegaly import Cardiomegaly
from medcam.phantom.findings.consolidation import Consolidation
from medcam.phantom.findings.devices import SupportDevices
from medcam.phantom.findings.effusion import PleuralEffusion
from medcam.phantom.findings.nodule import Mass, Nodule
from medcam.phantom.findings.pneumothorax import Pneumothorax

INSERTERS: Mapping[str, Inserter] = {
    "Cardiomegaly": Cardiomegaly(),
    "Pleural Effusion": PleuralEffusion(),
    "Pneumothorax": Pneumothorax(),
    "Consolidation": Consolidation(),
    "Nodule": Nodule(),
    "Mass": Mass(),
    "Atelectasis": Atelectasis(),
    "Support Devices": SupportDevices(),
}

ORDER = (
    "Cardiomegaly",
    "Atelectasis",
    "Consolidation",
    "Mass",
    "Nodule",
    "Pleural Effusion",
    "Pneumothorax",
    "Support Devices",
)
"""The order of insertion: what fills the lung comes before what displaces it."""

__all__ = ["INSERTERS", "ORDER", "Inserter"]
