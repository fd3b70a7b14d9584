"""The table of faults fits the source, and planting one changes a copy and puts it right again."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # the two are run as scripts
from faults import FAULTS
from planting import Fault, planted


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.file}: {fault.wrong.strip()[:60]}")
def test_every_fault_can_be_planted(fault):
    assert fault.problem() == ""


def test_a_row_that_does_not_fit_says_why():
    assert "stands in it 0 times" in Fault("errors.py", "no such line", "x", "test_errors.py").problem()
    assert "times, not once" in Fault("errors.py", "exit_code", "code", "test_errors.py").problem()
    assert (
        "there is no tests/nowhere.py" in Fault("errors.py", "exit_code = 2", "exit_code = 3", "nowhere.py").problem()
    )
    assert "is no Python" in Fault("errors.py", "exit_code = 2", "exit_code = (", "test_errors.py").problem()


def test_a_planted_fault_stands_only_in_the_copy(tmp_path):
    fault = Fault("errors.py", "exit_code = 2", "exit_code = 3", "test_errors.py")
    file = tmp_path / fault.path
    file.parent.mkdir(parents=True)
    file.write_text("before\nexit_code = 2\nafter\n", encoding="utf-8")
    with planted(fault, tmp_path):
        assert file.read_text(encoding="utf-8") == "before\nexit_code = 3\nafter\n"
    assert file.read_text(encoding="utf-8") == "before\nexit_code = 2\nafter\n"
