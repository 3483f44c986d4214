"""De-identification by DICOM PS3.15 Annex E, and a verifier that does not trust it."""

from medcam.dicom.deidentify.burned_in import find_burned_in
from medcam.dicom.deidentify.identifiers import Identifiers, identifiers_of
from medcam.dicom.deidentify.image import FindText
from medcam.dicom.deidentify.instance import UNKNOWN_ANNOTATION, Deidentified, deidentify
from medcam.dicom.deidentify.profile import METHOD, Profile
from medcam.dicom.deidentify.pseudonyms import Kind, Secret
from medcam.dicom.deidentify.search import Searcher
from medcam.dicom.deidentify.verifier import Leftover, header_finds, leftovers
from medcam.dicom.deidentify.way_back import WayBack, way_back

__all__ = [
    "METHOD",
    "UNKNOWN_ANNOTATION",
    "Deidentified",
    "FindText",
    "Identifiers",
    "Kind",
    "Leftover",
    "Profile",
    "Searcher",
    "Secret",
    "WayBack",
    "deidentify",
    "find_burned_in",
    "header_finds",
    "identifiers_of",
    "leftovers",
    "way_back",
]
