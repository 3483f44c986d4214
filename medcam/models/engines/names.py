"""How an engine is asked for: names that the command line needs before torch is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from medcam.core.errors import UsageError

TORCH, CUDA, MPS, OPENVINO, AUTO = "torch", "torch-cuda", "torch-mps", "openvino", "auto"
PRECISIONS = ("fp32", "bf16", "fp16")
NAMES = (AUTO, TORCH, OPENVINO, CUDA, MPS)


@dataclass(frozen=True, slots=True)
class Candidate:
    """An engine at a precision.

    Args:
        name: One of `NAMES` but "auto".
        precision: One of `PRECISIONS`.
    """

    name: str
    precision: str

    def __str__(self) -> str:
        return f"{self.name} {self.precision}"


def parse_engine(text: str) -> tuple[str, str | None]:
    """Reads NAME or NAME:PRECISION, such as "auto", "openvino" or "openvino:fp32".

    Returns:
        Name and precision; None for a precision that is left to the error budget.

    Raises:
        UsageError: It is neither (code "unknown-engine").
    """
    name, colon, precision = text.strip().lower().partition(":")
    fits = name in NAMES and (precision in PRECISIONS if colon else True) and not (name == AUTO and colon)
    if not fits:
        raise UsageError(
            f"there is no engine {text!r}",
            code="unknown-engine",
            next_step="Use auto, torch or openvino; a precision may follow, such as openvino:fp32.",
        )
    return name, precision or None
