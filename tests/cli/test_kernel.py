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


WORDS = {
    "one channel": (1, "2", [], "1 channel; kernel of 1 row, 1 column; cross-correlation, border reflect"),
    "two rows": (1, "1; 2", ["--convolution"], "1 channel; kernel of 2 rows, 1 column; convolution, border reflect"),
    "two columns": (3, "1 2", ["--border", "wrap"], "3 channels; kernel of 1 row, 2 columns; cross-correlation, border "
                    "wrap"),
    "a name": (3, "sobel_x", [], "3 channels; sobel_x of 3 rows, 3 columns; cross-correlation, border reflect"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_the_first_line_names_picture_kernel_and_operation(cli, tmp_path, name):
    channels, kernel, options, said = WORDS[name]
    values = np.arange(6 * channels, dtype=np.uint8).reshape(2, 3, channels)
    Image.fromarray(values[..., 0] if channels == 1 else values).save(tmp_path / "p.png")
    assert cli("kernel", tmp_path / "p.png", "--kernel", kernel, *options).out.splitlines()[0] == (
        f"{tmp_path / 'p.png'}: 3x2, {said}"
    )


LAST = {
    "plain": ("2", [], "result 3x2, values 0 to 10, shown as value, clipped to 0 to 255"),
    "gain": ("2", ["--gain", "0.5"], "result 3x2, values 0 to 10, shown as 0.5 x value, clipped to 0 to 255"),
    "signed": ("-1 1", ["--border", "valid"], "result 2x2, values 1 to 1, shown as value + 128, clipped to 0 to 255"),
    "clipped": (
        "-1 1",
        ["--border", "valid", "--clipped"],
        "result 2x2, values 1 to 1, shown as value, clipped to 0 to 255",
    ),
    "zeros": ("0", [], "result 3x2, values 0 to 0, shown as value, clipped to 0 to 255"),
    "asked": ("1", ["--signed"], "result 3x2, values 0 to 5, shown as value + 128, clipped to 0 to 255"),
}


@pytest.mark.parametrize("name", LAST)
def test_the_last_line_tells_the_values_and_how_they_are_shown(cli, tmp_path, name):
    kernel, options, said = LAST[name]
    Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3)).save(tmp_path / "p.png")
    assert cli("kernel", tmp_path / "p.png", "--kernel", kernel, *options).out.splitlines()[1] == said


def test_json_tells_all_that_the_lines_tell(cli, tmp_path):
    """A tilted kernel at a pixel off the diagonal: nothing is the same with rows and columns exchanged."""
    values = np.arange(12, dtype=np.uint8).reshape(3, 4)
    Image.fromarray(np.stack([values, 2 * values, 3 * values], 2)).save(tmp_path / "p.png")
    options = ["--kernel", "1 2 4", "--convolution", "--border", "valid", "--explain", 1, 0]
    said = json.loads(cli("kernel", tmp_path / "p.png", *options, "--out", "o.png", "--json").out)
    explained = said.pop("explained")
    assert said == {
        "image": str(tmp_path / "p.png"),
        "size": [3, 4, 3],
        "kernel": "kernel",
        "rows": [[1, 2, 4]],
        "operation": "convolution",
        "border": "valid",
        "result_size": [3, 2, 3],
        "lowest": 4 * 0 + 2 * 1 + 1 * 2,
        "highest": 3 * (4 * 9 + 2 * 10 + 1 * 11),
        "signed": False,
        "gain": 1,
        "out": "o.png",
    }
    channels = explained.pop("channels")
    assert explained == {
        "x": 1,
        "y": 0,
        "centre": {"x": 2, "y": 0},
        "kernel": [[4, 2, 1]],
        "beyond_the_edge": [[False, False, False]],
    }
    for number, (channel, name) in enumerate(zip(channels, ("red", "green", "blue"), strict=True), 1):
        assert channel == {
            "name": name,
            "window": [[1 * number, 2 * number, 3 * number]],
            "products": [[4 * number, 4 * number, 3 * number]],
            "sum": 11 * number,
            "shown": 11 * number,
        }
    lines = cli("kernel", tmp_path / "p.png", *options).out.splitlines()
    assert lines[1] == "pixel x 1, y 0 of the result; the kernel's centre lies on x 2, y 0 of the picture"
    assert [line for line in lines if line.startswith(("red", "green", "blue", "sum"))] == [
        "red: window, kernel as it is slid, products",
        "sum 11, shown as 11",
        "green: window, kernel, products",
        "sum 22, shown as 22",
        "blue: window, kernel, products",
        "sum 33, shown as 33",
    ]


def test_names_of_results_are_counted_on(cli, tmp_path):
    Image.fromarray(np.zeros((2, 3), np.uint8)).save(tmp_path / "p.png")
    written = [cli("kernel", tmp_path / "p.png", "--kernel", "2").out.splitlines()[-1] for _ in range(3)]
    assert written == ["p_kernel.png", "p_kernel_2.png", "p_kernel_3.png"]


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


ENDINGS = {".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP", ".jpg": "JPEG",
           ".jpeg": "JPEG", ".PNG": "PNG", ".Jpg": "JPEG"}  # fmt: skip


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("ending", ENDINGS)
def test_the_ending_decides_the_format(ending, channels, cli, tmp_path):
    values = np.full((8, 8, channels), 100, np.uint8)
    Image.fromarray(values.squeeze()).save(tmp_path / "p.png")
    outcome = cli("kernel", tmp_path / "p.png", "--kernel", "1.5", "--out", f"o{ending}")
    assert (outcome.code, outcome.out.splitlines()[-1]) == (0, f"o{ending}")
    with Image.open(f"o{ending}") as written:
        assert written.format == ENDINGS[ending]
        assert abs(np.asarray(written).astype(int) - 150).max() <= 2


@pytest.mark.parametrize("ending", [".npy", ".NPY"])
def test_exact_values_are_neither_scaled_nor_clipped(ending, cli, tmp_path):
    Image.fromarray(np.array([[0, 10, 200]], np.uint8)).save(tmp_path / "p.png")
    words = ("--kernel", "-1 0.5", "--border", "zero", "--signed", "--gain", 0.1, "--out", f"o{ending}")
    assert cli("kernel", tmp_path / "p.png", *words).code == 0
    assert np.load(f"o{ending}").tolist() == [[[0], [5], [90]]]


@pytest.mark.parametrize("gain", ["0", "-1", "inf", "nan"])
def test_a_gain_is_a_number_above_nought(gain, cli, photo):
    outcome = cli("kernel", photo[0], "--kernel", "sharpen", f"--gain={gain}")
    assert outcome.code == 2
    assert outcome.line() == f"striate: --gain {gain}: a number above 0 is needed"


@pytest.mark.parametrize(
    ("kernel", "signed"), [("1 -1", True), ("0.1 0.2 -0.3", True), ("1 -0.999", False), ("0 0", False), ("-1", False)]
)
def test_zero_is_mid_grey_where_the_weights_sum_to_nought(kernel, signed, cli, tmp_path):
    Image.fromarray(np.zeros((4, 4), np.uint8)).save(tmp_path / "p.png")
    said = json.loads(cli("kernel", tmp_path / "p.png", "--kernel", kernel, "--json").out)
    assert said["signed"] is signed
    assert set(np.asarray(Image.open(said["out"])).ravel().tolist()) == {128 if signed else 0}


def test_a_pixel_is_told_beside_the_picture_where_both_are_asked_for(cli, photo):
    path, _ = photo
    words = ("kernel", path, "--kernel", "sharpen", "--explain", 3, 2)
    told = cli(*words).out
    assert not list(Path.cwd().iterdir())
    assert cli(*words, "--out", "o.png").out == f"{told}o.png\n"
    assert told.splitlines()[0].startswith(f"{path}: 12x9, ")
    assert told.splitlines()[1].startswith("pixel x 3, y 2 ")
    assert told.splitlines()[-1].startswith("result 12x9, ")
    assert [entry.name for entry in Path.cwd().iterdir()] == ["o.png"]


def test_strong_edges_are_shown_weaker_so_that_they_fit(cli, tmp_path):
    step = np.zeros((4, 8), np.uint8)
    step[:, 4:] = 254
    Image.fromarray(step).save(tmp_path / "p.png")
    said = json.loads(cli("kernel", tmp_path / "p.png", "--kernel", "-1 1", "--json").out)
    assert (said["highest"], said["gain"]) == (254, 0.5)
    assert np.asarray(Image.open(said["out"]))[0].tolist() == [128, 128, 128, 128, 255, 128, 128, 128]


def test_a_pixel_is_shown_as_the_picture_shows_it(cli, tmp_path):
    Image.fromarray(np.array([[10, 60, 20]], np.uint8)).save(tmp_path / "p.png")
    words = ("kernel", tmp_path / "p.png", "--kernel", "-1 0 1", "--gain", 0.5, "--explain", 1, 0)
    assert "sum 10, shown as 133" in cli(*words).out  # 10 / 2 + 128
    assert "sum 10, shown as 5" in cli(*words, "--clipped").out
    (channel,) = json.loads(cli(*words, "--json").out)["explained"]["channels"]
    assert (channel["sum"], channel["shown"]) == (10, 133)


def test_a_folder_is_no_picture_to_write(cli, photo):
    Path("o.png").mkdir()
    outcome = cli("kernel", photo[0], "--kernel", "sharpen", "--out", "o.png")
    assert outcome.code == 2
    assert outcome.line() == "striate: --out o.png: is a folder"
