"""What a check of a whole data set came to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from striate.data.dataset import Dataset
from striate.data.finding import KINDS, Finding
from striate.data.targets import spelt
from striate.notebook import Facts as Said
from striate.notebook import Shown
from striate.units import plural


@dataclass(frozen=True, eq=False, repr=False)
class Checkup(Shown):
    """What is amiss with a data set.

    Attributes:
        dataset: what was checked.
        findings: what is amiss, what matters most first; see `striate.data.finding.KINDS`.
        network: whose features told of wrong labels and odd ones; empty where none did.
        notes: what was not looked for, and why, or in part only, one line each.
    """

    dataset: Dataset
    findings: Sequence[Finding]
    network: str = ""
    notes: Sequence[str] = field(default_factory=tuple)

    def of(self, *kinds: str) -> list[Finding]:
        """The findings of some kinds."""
        return [entry for entry in self.findings if entry.kind in kinds]

    @property
    def counts(self) -> dict[str, int]:
        """How many findings there are of each kind that was found, what matters most first."""
        counts = Counter(entry.kind for entry in self.findings)
        return {kind: counts[kind] for kind in KINDS if counts[kind]}

    @property
    def grave(self) -> list[Finding]:
        """Those that make what is learnt or measured wrong."""
        return [entry for entry in self.findings if KINDS[entry.kind].grave]

    def to_dict(self) -> list[dict[str, Any]]:
        """The findings for JSON."""
        classes = self.dataset.classes
        return [
            {
                "kind": entry.kind,
                "text": entry.text,
                "images": [
                    {"name": name, "split": split, "class": spelt(label, classes)}
                    for split, name, label in entry.places
                ],
                **entry.figures,
            }
            for entry in self.findings
        ]

    def _facts(self) -> Said:
        rows = [(KINDS[kind].words, f"{count:,}") for kind, count in self.counts.items()]
        values = {
            "source": self.dataset.source,
            "found": plural(len(self.findings), "finding"),
            "network": self.network,
        }
        return Said(values, ("what", "findings"), rows)
