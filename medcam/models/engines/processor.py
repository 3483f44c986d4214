"""What the processor and the machine can do, by the flags that they report themselves.

bf16 is slower than fp32 where it is emulated, and no timing is taken to find that out: it is offered where the
processor has instructions for it.
"""

from __future__ import annotations

import torch

_BF16 = ("avx512_bf16", "amx_bf16", "bf16", "arm_bf16")


def has_bf16() -> bool:
    """Whether the CPU multiplies bf16 numbers itself (AVX512_BF16, AMX or ARM's bf16), as torch reports."""
    told = getattr(torch.cpu, "get_capabilities", None)
    if told is not None:
        flags = told()
        return any(bool(flags.get(name)) for name in _BF16)
    older = getattr(torch.cpu, "_is_avx512_bf16_supported", None)  # releases before get_capabilities
    return bool(older()) if older is not None else False


def has_cuda() -> bool:
    """Whether torch can use an NVIDIA (or ROCm) device."""
    return torch.cuda.is_available()


def has_mps() -> bool:
    """Whether torch can use an Apple device."""
    return torch.backends.mps.is_available()
