"""striate kernel: pictures written, arithmetic told, mistakes in one line."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path):
    """A colour picture of 12x9 pixels, and its values."""
    values = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(values).save(path)
    return path, values


def test_a_sharpened_picture_is_opencvs(cli, photo):
    path, values = photo
    outcome = cli("kernel", path, "--kernel", "sharpen", "--border", "reflect")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1] == "photo_sharpen.png"
    kernel = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], np.float64)
    theirs = cv2.filter2D(values, -1, kernel, borderType=cv2.BORDER_REFLECT_101)
    assert (np.asarray(Image.open("photo_sharpen.png")) == theirs).all()
    assert [entry.name for entry in Path.cwd().iterdir()] == ["photo_sharpen.png"]


def test_signed_results_have_zero_at_mid_grey(cli, tmp_path):
    step = np.zeros((5, 8), np.uint8)
    step[:, 4:] = 100
    Image.fromarray(step).save(tmp_path / "step.png")
    assert cli("kernel", tmp_path / "step.png", "--kernel", "prewitt_x", "--gain", "0.25").code == 0
    shown = np.asarray(Image.open("step_prewitt_x.png"))
    assert shown.tolist() == [[128, 128, 128, 203, 203, 128, 128, 128]] * 5  # 300 / 4 + 128
    assert cli("kernel", tmp_path / "step.png", "--kernel", "prewitt_x", "--convolution", "--gain", "0.25").code == 0
    assert np.asarray(Image.open("step_prewitt_x_2.png"))[0].tolist() == [128, 128, 128, 53, 53, 128, 128, 128]
    assert cli("kernel", tmp_path / "step.png", "--kernel", "prewitt_x", "--clipped").code == 0
    assert np.asarray(Image.open("step_prewitt_x_3.png"))[0].tolist() == [0, 0, 0, 255, 255, 0, 0, 0]


def test_one_pixels_arithmetic(cli, tmp_path):
    Image.fromarray(np.array([[10, 20], [30, 40]], np.uint8)).save(tmp_path / "tiny.png")
    outcome = cli(
        "kernel", tmp_path / "tiny.png", "--kernel", "1 2 3; 4 5 6; 7 8 9", "--explain", 1, 0, "--border", "zero"
    )
    assert outcome.code == 0
    lines = [line.split() for line in outcome.out.splitlines()]
    assert ["[0]", "[0]", "[0]", "1", "2", "3", "0", "0", "0"] in lines
    assert ["10", "20", "[0]", "4", "5", "6", "40", "100", "0"] in lines
    assert ["30", "40", "[0]", "7", "8", "9", "210", "320", "0"] in lines
    assert "sum 670, shown as 255" in outcome.out
    assert not list(Path.cwd().iterdir())  # only told


def test_json(cli, photo):
    path, values = photo
    outcome = cli("kernel", path, "--kernel", "laplacian", "--border", "wrap", "--explain", 0, 0, "--json")
    said = json.loads(outcome.out)
    assert (said["operation"], said["border"], said["signed"], said["out"]) == ("cross-correlation", "wrap", True, None)
    neighbours = [values[-1, 0], values[1, 0], values[0, -1], values[0, 1]]
    expected = sum(each.astype(int) for each in neighbours) - 4 * values[0, 0].astype(int)
    assert [channel["sum"] for channel in said["explained"]["channels"]] == expected.tolist()
    assert said["explained"]["beyond_the_edge"] == [[True] * 3, [True, False, False], [True, False, False]]
    assert [channel["name"] for channel in said["explained"]["channels"]] == ["red", "green", "blue"]


def test_grey_valid_and_a_kernel_from_a_file(cli, photo, tmp_path):
    path, values = photo
    (tmp_path / "mine.txt").write_text("1/4 1/4\n1/4 1/4\n")
    out = tmp_path / "mean.bmp"
    assert cli("kernel", path, "--kernel", tmp_path / "mine.txt", "--border", "valid", "--grey", "--out", out).code == 0
    grey = cv2.cvtColor(values, cv2.COLOR_RGB2GRAY).astype(float)
    means = (grey[1:, 1:] + grey[:-1, 1:] + grey[1:, :-1] + grey[:-1, :-1]) / 4
    assert (np.asarray(Image.open(out)) == np.rint(means)).all()


def test_many_channels_come_out_as_exact_values(cli, tmp_path):
    spectrum = np.random.default_rng(0).integers(0, 256, (9, 5, 7), dtype=np.uint8)
    np.save(tmp_path / "spectrum.npy", spectrum)
    outcome = cli("kernel", tmp_path / "spectrum.npy", "--kernel", "2")
    assert outcome.code == 0
    assert (np.load("spectrum_kernel.npy") == 2.0 * spectrum).all()
    outcome = cli("kernel", tmp_path / "spectrum.npy", "--kernel", "2", "--out", "shown.png")
    assert outcome.code == 2
    assert "7 channels" in outcome.line()
    assert not Path("shown.png").exists()


def test_one_pixel_and_a_kernel_larger_than_the_picture(cli, tmp_path):
    Image.fromarray(np.array([[7]], np.uint8)).save(tmp_path / "dot.png")
    for border, value in {"zero": 7, "extend": 175, "reflect": 175, "symmetric": 175, "wrap": 175}.items():
        five = "; ".join(["1 1 1 1 1"] * 5)
        assert cli("kernel", tmp_path / "dot.png", "--kernel", five, "--border", border, "--out", "o.png").code == 0
        assert np.asarray(Image.open("o.png")).tolist() == [[value]]


def test_the_list_of_kernels(cli):
    outcome = cli("kernel", "--list")
    assert outcome.code == 0
    assert "sharpen\n 0 -1  0\n-1  5 -1\n 0 -1  0\n" in outcome.out
    assert json.loads(cli("kernel", "--list", "--json").out)["kernels"]["sobel_x"] == [
        [-1, 0, 1],
        [-2, 0, 2],
        [-1, 0, 1],
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--kernel", "sharpn"], "'sharpen'"),
        (["--kernel", "1 2; 3"], "row 2 has 1 numbers"),
        (["--kernel", "nowhere.txt"], "no such file"),
        (["--kernel", "sharpen", "--border", "mirror"], "unknown border 'mirror'"),
        (["--kernel", "sharpen", "--explain", "12", "0"], "x from 0 to 11"),
        (["--kernel", "sharpen", "--explain", "-1", "0"], "no pixel at x -1"),
        (["--kernel", " ".join(["1"] * 13), "--border", "valid"], "does not fit"),
        (["--kernel", "sharpen", "--out", "o.xyz"], ".png"),
        (["--kernel", "sharpen", "--out", "nowhere/o.png"], "its folder does not exist"),
        (["--kernel", "sharpen", "--out", "."], "ending"),
        (["--kernel", "sharpen", "--gain", "0"], "--gain 0"),
        ([], "--kernel sharpen"),
    ],
)
def test_mistakes_are_one_line_and_nothing_is_written(arguments, said, cli, photo):
    outcome = cli("kernel", photo[0], *arguments)
    assert outcome.code == 2
    assert said in outcome.line()
    assert not list(Path.cwd().iterdir())


def test_no_picture(cli, tmp_path):
    assert "photo.jpg" in cli("kernel", "--kernel", "sharpen").line()
    (tmp_path / "empty.png").touch()
    (tmp_path / "text.png").write_text("hello")
    for name, said in {"empty.png": "empty file", "text.png": "not an image", "none.png": "no such file"}.items():
        outcome = cli("kernel", tmp_path / name, "--kernel", "sharpen")
        assert outcome.code == 1
        assert said in outcome.line()
        assert str(tmp_path / name) in outcome.line()
    assert not list(Path.cwd().iterdir())


def test_the_picture_itself_is_never_overwritten(cli, photo, tmp_path):
    path, _ = photo
    before = path.read_bytes()
    link = tmp_path / "link.png"
    link.symlink_to(path)
    for out in (path, link, tmp_path / "." / "photo.png"):
        outcome = cli("kernel", path, "--kernel", "sharpen", "--out", out)
        assert outcome.code == 2
        assert "never overwritten" in outcome.line()
    assert path.read_bytes() == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to(cli, photo, tmp_path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o500)
    outcome = cli("kernel", photo[0], "--kernel", "sharpen", "--out", closed / "o.png")
    assert outcome.code == 1
    assert "cannot be written" in outcome.line()
