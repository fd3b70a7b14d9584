"""Why a network was trained so and not otherwise: what its features tell, and what each regime would come to."""

from __future__ import annotations

from typing import Any

from striate.report.content import ReportContent
from striate.units import clock


def advice(content: ReportContent) -> dict[str, Any] | None:
    """What the template prints of the evidence; None where there is none, or it was edited beyond understanding."""
    said = content.advice
    try:
        (network, *_), choice = said["networks"], said["choice"]
        heads, *rows = said["table"]
        return {
            "regime": choice["regime"],
            "why": choice["why"],
            "network": network["network"],
            "images": network["images"],
            "probes": [
                (name, float(one["accuracy"]), *map(float, one["interval"])) for name, one in network["stages"].items()
            ],
            "heads": heads,
            "table": rows,
            "regimes": [(one["regime"], float(one["accuracy"]), clock(one["seconds"])) for one in said["regimes"]],
        }
    except (LookupError, TypeError, ValueError, AttributeError):
        return None
