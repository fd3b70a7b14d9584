"""The page of a check: one file, sections in the order of what matters, pictures side by side."""

import re
from pathlib import Path

import pytest

from striate.classifier.checking import check
from striate.data.checkup import Checkup
from striate.data.finding import Finding
from striate.errors import StriateError
from striate.report import checkup as page
from striate.report.checkup import render, write_checkup


@pytest.fixture
def ill(ailing):
    return check(ailing[0], labels=False)


def sections(text):
    return re.findall(r'<section id="([\w-]+)">', text)


def test_sections_stand_in_the_order_of_what_matters_with_their_pictures(ill):
    text = render(ill)
    assert sections(text) == [*ill.counts, "classes", "notes"]
    leak = text.split('<section id="leak">')[1].split("</section>")[0]
    assert leak.count("<img") == 2
    assert leak.index("train/blue/01.jpg") < leak.index("val/blue/10.jpg")
    assert "finding, grave" in leak
    near = text.split('<section id="near-leak">')[1].split("</section>")[0]
    assert re.search(r"likeness 0\.9\d\d, mirrored", near)
    assert "truncated" in text.split('<section id="unreadable">')[1].split("</section>")[0]
    thin = text.split('<section id="thin">')[1].split("</section>")[0]
    assert "(8x200)" not in thin
    assert "green, 8x200" in thin
    assert re.search(r'<p class="figure">4</p>\s*<p class="what"><strong>grave findings</strong> of 13 findings', text)


def test_the_page_needs_nothing_else(ill, tmp_path):
    path = write_checkup(tmp_path / "new/page.html", ill)
    text = path.read_text(encoding="utf-8")
    assert text == render(ill)
    assert not re.search(r"<script|<link rel=.stylesheet|(src|href)=.https?:", text)
    assert set(re.findall(r'src="(data:image/\w+)', text)) == {"data:image/jpeg", "data:image/png"}


def test_a_label_error_shows_what_was_said_and_what_it_is_called(ill):
    place = ill.dataset.train.images.name(0)
    where = next(entry for entry in ill.findings if entry.places).places[0]._replace(split="train", name=place, label=0)
    figures = {"suggested": "r<d", "probability": 0.987, "own": 0.0123}
    text = render(Checkup(ill.dataset, [Finding("label-error", f"{place} (x)", (where,), figures)], "lenet"))
    entry = text.split('<section id="label-error">')[1].split("</section>")[0]
    assert "r&lt;d</span> 98.7\u00a0%" in entry
    assert "is blue 1.2\u00a0%" in entry
    assert "<dt>Labels seen by</dt><dd>lenet</dd>" in text


def test_many_findings_are_cut_and_a_picture_that_has_gone_is_told(ill, monkeypatch):
    monkeypatch.setattr(page, "MOST_SHOWN", 0)
    assert "and 1 more; --json lists all" in render(ill)
    monkeypatch.undo()
    Path(ill.of("blank")[0].places[0].name).unlink()
    assert "no picture any more" in render(ill).split('<section id="blank">')[1].split("</section>")[0]


def test_nothing_amiss_is_said_too(colours):
    text = render(check(colours, labels=False))
    assert '<p class="figure">0</p>' in text
    assert "nothing is amiss" in text
    assert sections(text) == ["classes", "notes"]


def test_a_page_that_cannot_be_written_is_an_error_in_a_line(ill, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StriateError, match="cannot be written"):
        write_checkup(tmp_path / "file/page.html", ill)
