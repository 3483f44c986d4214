"""A source's context as a header, and back: its data sets attribute by attribute, and only those meant to travel."""

from __future__ import annotations

import base64
import binascii
from dataclasses import asdict
from typing import Any

from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.valuerep import DSfloat

from medcam.dicom.context import CARRIED, SourceContext, is_valid_value
from medcam.dicom.description import LARGEST_SIDE
from medcam.dicom.errors import LIBRARY_ERRORS
from medcam.dicom.quiet import quiet
from medcam.dicom.sandbox.fields import Fields
from medcam.dicom.sandbox.protocol import ProtocolError
from medcam.dicom.sandbox.radiograph_record import identity_from_record

_LARGEST_VALUE = 1 << 20
_DEEPEST = 2
_NUMBERS = ("US", "SS")
_BYTES = ("OB", "OW", "UN")


def context_to_record(context: SourceContext) -> dict[str, Any]:
    """The header; the digest is left out, since the asking process has found it itself."""
    return {
        "identity": asdict(context.identity),
        "rows": context.rows,
        "columns": context.columns,
        "dataset": _elements(context.dataset),
        "display": _elements(context.display),
    }


def context_from_record(record: object, sha256: str) -> SourceContext:
    """Rebuilds a context.

    Args:
        record: The header.
        sha256: Digest of the file, as the asking process found it.

    Raises:
        ProtocolError: The header is not what a context consists of.
    """
    fields = Fields(record)
    with quiet():
        try:
            return SourceContext(
                identity=identity_from_record(fields.object("identity")),
                rows=fields.integer("rows", LARGEST_SIDE),
                columns=fields.integer("columns", LARGEST_SIDE),
                sha256=sha256,
                dataset=_dataset(fields.list("dataset"), 1),
                display=_dataset(fields.list("display"), 1),
            )
        except LIBRARY_ERRORS as error:
            raise ProtocolError("the context is not valid") from error


def _elements(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {"keyword": element.keyword, "vr": str(element.VR), "values": _values(element.VR, element.value)}
        for element in dataset
        if element.keyword in CARRIED
    ]


def _values(vr: str, value: Any) -> list[Any]:  # noqa: ANN401 - whatever pydicom holds
    if vr in _BYTES:
        return [base64.b64encode(bytes(value or b"")).decode("ascii")]
    several = value if isinstance(value, list) or hasattr(value, "append") else [value]
    if vr == "SQ":
        return [_elements(item) for item in several]
    if vr in _NUMBERS:
        return [int(number) for number in several if number is not None]
    return [str(text) for text in several if text is not None]


def _dataset(elements: list[Any], depth: int) -> Dataset:
    dataset = Dataset()
    for element in elements:
        fields = Fields(element)
        keyword, vr, values = fields.text("keyword"), fields.text("vr"), fields.list("values")
        tag = tag_for_keyword(keyword)
        if keyword not in CARRIED or tag is None or vr not in dictionary_VR(tag).split(" or "):
            raise ProtocolError("an attribute that does not travel")
        value = _value(vr, keyword, values, depth)
        dataset.add_new(tag, vr, value)
    return dataset


def _value(vr: str, keyword: str, values: list[Any], depth: int) -> Any:  # noqa: ANN401 - whatever pydicom holds
    if vr == "SQ":
        if depth >= _DEEPEST or not all(isinstance(item, list) for item in values):
            raise ProtocolError(f"{keyword} is nested too deep")
        return [_dataset(item, depth + 1) for item in values]
    if vr in _NUMBERS:
        return _single(_numbers(keyword, values))
    if not all(isinstance(text, str) and len(text) <= _LARGEST_VALUE for text in values):
        raise ProtocolError(f"{keyword} is no list of texts")
    if vr in _BYTES:
        return _bytes(values)
    if not is_valid_value(vr, tuple(values)):
        raise ProtocolError(f"{keyword} is not valid for its VR")
    return _single([DSfloat(text) for text in values] if vr == "DS" else values)


def _single(values: list[Any]) -> Any:  # noqa: ANN401 - whatever pydicom holds
    return values[0] if len(values) == 1 else values


def _numbers(keyword: str, values: list[Any]) -> list[int]:
    if not all(isinstance(number, int) and -(1 << 15) <= number < 1 << 16 for number in values):
        raise ProtocolError(f"{keyword} is no list of small numbers")
    return values


def _bytes(values: list[str]) -> bytes:
    try:
        return base64.b64decode("".join(values), validate=True)
    except binascii.Error as error:
        raise ProtocolError("bytes that are none") from error
