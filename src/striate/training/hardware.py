"""Devices and precision, chosen by a stated rule so that the same machine always chooses the same."""

from __future__ import annotations

import torch

from striate.caller import either
from striate.errors import StriateError, UsageError

PRECISIONS = {"auto": "auto", "32": "32-true", "bf16": "bf16-mixed", "16": "16-mixed", "64": "64-true"}

#: Multiply-adds of one forward pass over a batch below which casting to bfloat16 costs a CPU more than it gains.
#: Measured on two Zen 4 cores: LeNet at batch 16 (7 M) 0.87x, at 32 (13 M) 1.15x, ResNets beyond 1.6x.
CPU_BFLOAT16_PAYS = 10e6


def choose_precision(wanted: str, device_type: str, multiply_adds: float, batch_size: int) -> str:
    """The precision of training in Fabric's words.

    Args:
        wanted: "auto", "32", "bf16", "16" or "64".
        device_type: "cpu", "cuda" or "mps".
        multiply_adds: of one image, forward.
        batch_size: images per step and device.

    Raises:
        UsageError: an unknown precision.
    """
    if wanted not in PRECISIONS:
        raise UsageError(f"precision '{wanted}' is unknown; it is one of {', '.join(PRECISIONS)}.")
    if wanted != "auto":
        return PRECISIONS[wanted]
    if device_type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False):
        return "bf16-mixed"
    pays = multiply_adds * batch_size >= CPU_BFLOAT16_PAYS
    if device_type == "cpu" and cpu_has_bfloat16() and pays:
        return "bf16-mixed"
    return "32-true"


def cpu_has_bfloat16() -> bool:
    """Whether this processor multiplies bfloat16 in hardware (AVX-512 BF16 or AMX)."""
    return torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()


def device_type(accelerator: str) -> str:
    """What "auto" means here, or the accelerator asked for.

    Raises:
        StriateError: it is not on this machine.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if accelerator == "auto":
        return "cuda" if available["cuda"] else "mps" if available["mps"] else "cpu"
    wanted = {"gpu": "cuda"}.get(accelerator, accelerator)
    if wanted not in available:
        raise UsageError(f"device '{accelerator}' is unknown; it is one of auto, cpu, cuda, mps.")
    if not available[wanted]:
        raise StriateError(
            f"device '{accelerator}' is not on this machine; leave {either('--device', 'device')} away to use what is."
        )
    return wanted
