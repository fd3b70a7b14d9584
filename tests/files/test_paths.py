"""Paths as they are written, spelt and allowed."""

import os
from pathlib import Path

import pytest

from striate.files import paths
from striate.files.paths import as_spelt_here, at_home, portable_name


@pytest.mark.parametrize(
    ("given", "portable"),
    [
        ("photos", "photos"),
        ("año 2020 (1).v2", "año 2020 (1).v2"),
        ("con", "con_"),
        ("NUL", "NUL_"),
        ("com1.photos", "com1_.photos"),
        ("LPT³", "LPT³_"),
        ("aux .x", "aux_ .x"),
        ("CONIN$", "CONIN$_"),
        ("console", "console"),
        ("com10", "com10"),
        ("a:b", "a_b"),
        ('x<y>"z"|?*\\w', "x_y__z_____w"),
        ("tab\there", "tab_here"),
        ("dots...", "dots"),
        ("space ", "space"),
        ("nul.", "nul_"),
        ("...", ""),
    ],
)
def test_a_name_is_made_one_that_every_system_takes(given, portable):
    assert portable_name(given) == portable
    assert portable_name(portable) == portable


@pytest.mark.parametrize("name", ["plain", "café", "caf\udce9"])
def test_a_path_is_spelt_as_it_is_where_file_names_take_its_letters(name):
    assert as_spelt_here(name) == name


@pytest.mark.parametrize("name", ["plain", "café"])
def test_where_file_names_are_ascii_a_path_is_spelt_by_its_bytes(name, monkeypatch):
    monkeypatch.setattr(os, "fsencode", lambda text: text.encode("ascii", "surrogateescape"))
    monkeypatch.setattr(os, "fsdecode", lambda data: data.decode("ascii", "surrogateescape"))
    spelt = as_spelt_here(name)
    assert os.fsencode(spelt) == name.encode()
    assert as_spelt_here(spelt) == spelt


@pytest.mark.parametrize(
    ("given", "spelt"),
    [
        ("~", "{home}"),
        ("~/a", "{home}/a"),
        ("a/~", "a/~"),
        ("~no-such-user/a", "~no-such-user/a"),
        (Path("~/a"), "{home}/a"),
        ("", "."),
    ],
)
def test_a_home_is_written_out(given, spelt, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert at_home(given) == Path(spelt.format(home=tmp_path))


def test_a_home_is_found_in_the_letters_of_this_system(monkeypatch):
    monkeypatch.setattr(paths, "as_spelt_here", {"café": "caf"}.__getitem__)
    assert at_home("café") == Path("caf")


@pytest.mark.parametrize(
    ("given", "portable"),
    [
        ("prn", "prn_"),
        ("lpt0", "lpt0_"),
        ("COM¹.x.y", "COM¹_.x.y"),
        ("conout$", "conout$_"),
        ("con.con", "con_.con"),
        ("xcon", "xcon"),
        ("a/b", "a_b"),
        (" a", " a"),
        ("a. .", "a"),
        ("\x1f\x20x", "_ x"),
        ("com²²", "com²²"),
    ],
)
def test_devices_of_windows_are_no_names(given, portable):
    assert portable_name(given) == portable
