"""Lightning Fabric as training uses it. It takes seconds and 260 MB: nothing that only runs a network imports it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from striate.errors import StriateError

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def create_fabric(accelerator: str, devices: int, precision: str) -> Fabric:
    """A launched Fabric: one process for each device.

    Raises:
        StriateError: more devices than there are.
    """
    from lightning_fabric import Fabric
    from lightning_fabric.plugins.precision import MixedPrecision

    options: dict[str, Any] = {"accelerator": accelerator, "devices": devices}
    if (accelerator, precision) == ("cpu", "16-mixed"):  # Fabric by itself would take bfloat16 in its place
        options["plugins"] = MixedPrecision("16-mixed", "cpu")
    else:
        options["precision"] = precision
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    try:
        fabric = Fabric(**options)
    except (RuntimeError, ValueError) as error:
        raise StriateError(f"{devices} {accelerator} devices with precision {precision}: {error}") from error
    fabric.launch()
    return fabric
