"""The watcher: shapes, parameters, multiply-adds, memory and receptive fields of any module, measured."""

from striate.analysis.latency import Latency, measure_latency
from striate.analysis.plots import plot_summaries
from striate.analysis.rows import Row
from striate.analysis.summaries import Summary, summary

__all__ = ["Latency", "Row", "Summary", "measure_latency", "plot_summaries", "summary"]
