"""The HTML report of a training run: one self-contained file that can be read, printed and sent."""

from __future__ import annotations

from striate.report.build import write_report
from striate.report.content import Mistake, ReportContent

__all__ = ["Mistake", "ReportContent", "write_report"]
