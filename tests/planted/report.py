"""Faults in the report."""

from planting import Fault, faults

FAULTS: tuple[Fault, ...] = (
    *faults(
        "report/results.py",
        "report/test_sections.py classifier/test_reporting.py",
        ("np.bincount(evaluation.labels).max()", "np.bincount(evaluation.predicted).max()"),
    ),
    *faults(
        "report/sections.py",
        "classifier/test_reporting.py",
        (
            '("training", f"train_{name}", charts.TRAIN), ("validation", f"val_{name}", charts.VAL)',
            '("training", f"train_{name}", charts.VAL), ("validation", f"val_{name}", charts.TRAIN)',
        ),
    ),
    *faults(
        "report/sections.py",
        "report/test_sections.py",
        ('"surer than it should be" if gap > 0 else', '"surer than it should be" if gap < 0 else'),
        ("both[-1][0] <= both[-1][1]", "both[-1][0] > both[-1][1]"),
    ),
    *faults(
        "report/sections.py",
        "classifier/test_reporting.py report/test_build.py",
        ("matrix = evaluation.confusion", "matrix = evaluation.confusion.T"),
    ),
    *faults(
        "report/charts.py",
        "report/test_charts.py",
        ("axes.bar(middle, high, width, bottom=low, color=VAL", "axes.bar(middle, high, width, color=VAL"),
        ("axes.vlines(confidence, confidence, accuracy,", "axes.vlines(accuracy, confidence, accuracy,"),
    ),
)
