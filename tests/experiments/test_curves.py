"""The curves: a chart for each step, training and validation told apart, the source's figure where there is one."""

from striate.experiments.curves import Course, plot_courses


def test_each_step_has_its_curves_in_percent_and_the_sources_figure(drawn, tmp_path):
    courses = [Course("a", (0.5, 1.0), (0.25, 0.5), 0.72), Course("b", (0.75,), (0.5,), None)]
    courses += [Course(name, (0.5,), (0.5,), None) for name in "cd"]
    plot_courses(courses, tmp_path / "curves.png", "What?", "about")
    (figure,) = drawn
    charts = [axes for axes in figure.get_axes() if axes.get_visible()]
    assert [axes.get_title() for axes in charts] == ["a", "b", "c", "d"]
    train, val, claim = charts[0].get_lines()
    assert (train.get_label(), list(train.get_xdata()), list(train.get_ydata())) == ("training", [1, 2], [50, 100])
    assert (val.get_label(), list(val.get_ydata())) == ("validation", [25, 50])
    assert list(claim.get_ydata()) == [72, 72]
    assert len(charts[1].get_lines()) == 2
    assert charts[1].get_lines()[0].get_marker() == "o"  # one epoch makes no line
