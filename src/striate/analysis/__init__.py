"""The watcher: shapes, parameters, multiply-adds, memory and receptive fields of any module, measured."""

from striate.analysis.comparison import Comparison
from striate.analysis.effective import EffectiveField, effective_receptive_field
from striate.analysis.entry import Entry
from striate.analysis.latency import Latency, measure_latency
from striate.analysis.plots import plot_summaries
from striate.analysis.rows import Row
from striate.analysis.summaries import Summary, summary

__all__ = [
    "Comparison",
    "EffectiveField",
    "Entry",
    "Latency",
    "Row",
    "Summary",
    "effective_receptive_field",
    "measure_latency",
    "plot_summaries",
    "summary",
]
