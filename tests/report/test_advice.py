"""Why a network was trained so, as the report says it; what cannot be understood is left out."""

import pytest

from striate.report.advice import advice
from striate.report.content import ReportContent

SAID = {
    "networks": [
        {
            "network": "resnet18",
            "images": 120,
            "stages": {
                "stage1": {"accuracy": 0.5, "interval": [0.41, 0.59], "nearest": 0.3},
                "features": {"accuracy": 0.9, "interval": [0.83, 0.94], "nearest": 0.8},
            },
        }
    ],
    "choice": {"regime": "features", "why": "60 images a class"},
    "table": [["", "like", "unlike"], ["few images", "here", "there"]],
    "regimes": [
        {"regime": "features", "accuracy": 0.91, "seconds": 7.2},
        {"regime": "full", "accuracy": 0.93, "seconds": 130},
    ],
}


def test_it_is_what_the_run_folder_says():
    found = advice(ReportContent(title="run", advice=SAID))
    assert found["probes"] == [("stage1", 0.5, 0.41, 0.59), ("features", 0.9, 0.83, 0.94)]
    assert found["regimes"] == [("features", 0.91, "7s"), ("full", 0.93, "2m10s")]
    assert (found["heads"], found["table"]) == (["", "like", "unlike"], [["few images", "here", "there"]])
    assert (found["regime"], found["why"], found["network"], found["images"]) == (
        "features", "60 images a class", "resnet18", 120,
    )  # fmt: skip


@pytest.mark.parametrize(
    "said",
    [{}, {"networks": []}, SAID | {"choice": 3}, SAID | {"table": None}, SAID | {"networks": [{"stages": []}]},
     SAID | {"regimes": [{"regime": "full", "accuracy": "much", "seconds": 1}]}],
)  # fmt: skip
def test_what_cannot_be_understood_is_left_out(said):
    assert advice(ReportContent(title="run", advice=said)) is None
