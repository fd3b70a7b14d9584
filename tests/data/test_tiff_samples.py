"""Samples of a TIFF page from bytes that are laid out here, by what the page's tags say of them."""

import zlib
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from striate.data import tiff_samples
from striate.data.tiff import Page
from striate.data.tiff_samples import demand_known, is_readable, read_page
from striate.data.unreadable import UnreadableImage

WHITE, BLACK, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
NONE, DEFLATE, JPEG = 1, 8, 7
LOSSLESS = (1, 5, 8, 32946, 32773, 34925, 50000)
LOSSY_OR_BITS = (2, 3, 4, 6, 7, 32771, 32809, 50001)
START = 7  # bytes before the samples


def packed(rows: np.ndarray, bits: int, order: str) -> bytes:
    """Rows (H, N) of samples, each row a whole number of bytes."""
    if bits % 8 == 0:
        return rows.astype(np.dtype(f"{order}{rows.dtype.kind}{bits // 8}")).tobytes()
    text = "".join(
        "".join(f"{value:0{bits}b}" for value in row).ljust(-(-len(row) * bits // 8) * 8, "0") for row in rows
    )
    return int(text, 2).to_bytes(len(text) // 8, "big")


def differences(rows: np.ndarray, step: int) -> np.ndarray:
    """What the horizontal predictor leaves of rows (H, N): each number less the one `step` before it."""
    return np.concatenate([rows[:, :step], rows[:, step:] - rows[:, :-step]], axis=1)


def by_significance(rows: np.ndarray, step: int) -> np.ndarray:
    """What the predictor of floating-point numbers leaves: all first bytes, all second ones, …, then differences."""
    size = rows.dtype.itemsize
    parts = rows.astype(rows.dtype.newbyteorder(">")).view(np.uint8).reshape(len(rows), -1, size)
    return differences(np.concatenate([parts[..., place] for place in range(size)], axis=1), step)


def build(
    samples: np.ndarray,
    bits: int = 8,
    photometric: int | None = None,
    *,
    chunk: tuple[int, int] | None = None,
    compression: int = NONE,
    planar: bool = False,
    predictor: int = 1,
    order: str = "<",
    counted: bool = True,
    **tags,
) -> tuple[bytes, Page]:
    """The bytes of a file of samples (H, W, S) in strips or tiles of `chunk`, and its page."""
    height, width, bands = samples.shape
    chunk = chunk or (height, width)
    tiled = chunk[1] != width
    whole = np.pad(samples, ((0, -height % chunk[0] if tiled else 0), (0, -width % chunk[1]), (0, 0)))
    chunks = []
    for plane in np.split(whole, bands, axis=2) if planar else [whole]:
        for top in range(0, len(plane), chunk[0]):
            for left in range(0, plane.shape[1], chunk[1]):
                part = plane[top : top + chunk[0], left : left + chunk[1]]
                rows = np.ascontiguousarray(part).reshape(len(part), -1)
                if predictor == 2:
                    numbers = rows.view(f"u{rows.dtype.itemsize}")
                    rows = differences(numbers, part.shape[2])
                content = (
                    by_significance(rows, part.shape[2]).tobytes() if predictor == 3 else packed(rows, bits, order)
                )
                chunks.append(
                    zlib.compress(content, 1 if len(content) < 10_000 else 0) if compression == DEFLATE else content
                )
    offsets = START + np.cumsum([0, *map(len, chunks)])[:-1]
    page = Page(
        order=order,
        width=width,
        height=height,
        bits=bits,
        samples=bands,
        photometric=photometric if photometric is not None else RGB if bands == 3 else BLACK,
        kind="f" if samples.dtype.kind == "f" else "u",
        extra=(0,) * (bands - 1 if bands != 3 else 0),
        compression=compression,
        predictor=predictor,
        fill_order=1,
        planar=planar,
        chunk=chunk,
        offsets=tuple(offsets.tolist()),
        counts=tuple(map(len, chunks)) if counted else (),
        colours=None,
        orientation=1,
        subsampling=(2, 2),
    )
    return bytes(START) + b"".join(chunks), replace(page, **tags)


def noise(*shape: int, most: int = 255) -> np.ndarray:
    return np.random.default_rng(0).integers(0, most + 1, shape).astype(np.uint8 if most < 256 else np.uint16)


def eight(samples: np.ndarray, bits: int) -> np.ndarray:
    return np.floor(samples.astype(float) * 255 / (2**bits - 1) + 0.5).astype(np.uint8)


@pytest.mark.parametrize(
    ("compression", "planar", "chunk"),
    [
        (NONE, False, (1200, 1301)),
        (NONE, True, (1200, 1301)),
        (NONE, False, (7, 1301)),
        (DEFLATE, True, (7, 1301)),
        (DEFLATE, False, (512, 256)),
        (NONE, True, (512, 256)),
    ],
)
def test_more_than_is_unpacked_at_a_time_is_put_together(compression, planar, chunk):
    samples = noise(1200, 1301, 3)
    data, page = build(samples, chunk=chunk, planar=planar, compression=compression)
    np.testing.assert_array_equal(read_page(data, page).colour, samples)


@pytest.mark.parametrize("at_once", [1, 30, 100])
@pytest.mark.parametrize("compression", [NONE, DEFLATE])
@pytest.mark.parametrize("chunk", [(7, 5), (2, 5), (4, 4)])
def test_pieces_may_be_smaller_than_a_row(at_once, compression, chunk, monkeypatch):
    samples = noise(7, 5, 3)
    data, page = build(samples, chunk=chunk, compression=compression)
    monkeypatch.setattr(tiff_samples, "_AT_ONCE", at_once)
    np.testing.assert_array_equal(read_page(data, page).colour, samples)


@pytest.mark.parametrize("bits", [12, 16])
def test_a_long_strip_of_deep_samples_is_read_in_pieces(bits):
    samples = noise(1101, 1303, 2, most=2**bits - 1)
    whole, page = build(samples.astype(np.uint16), 16, order=">")
    if bits == 12:  # packed pairs of three bytes; the rows are of an even number of samples
        pairs = samples.reshape(1101, -1, 2).astype(np.uint32)
        words = pairs[..., 0] << 12 | pairs[..., 1]
        three = np.stack([words >> 16, words >> 8 & 255, words & 255], axis=-1).astype(np.uint8)
        whole, page = bytes(START) + three.tobytes(), replace(page, bits=12)
    np.testing.assert_array_equal(read_page(whole, page).colour, eight(samples, bits))


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("chunk", [(4, 9), (5, 9), (16, 16), (100, 9)])
@pytest.mark.parametrize("bits", [1, 4, 8, 12, 16])
def test_the_last_chunk_may_be_smaller(bits, chunk, counted):
    samples = noise(14, 9, 2, most=2**bits - 1)
    data, page = build(samples, bits, chunk=chunk, counted=counted)
    np.testing.assert_array_equal(read_page(data, page).colour, eight(samples, bits))
    below = (16 - 14) * 2 * 16 * bits // 8 if chunk == (16, 16) else 0  # rows of a tile that nobody asks for
    with pytest.raises(UnreadableImage, match=r"^truncated$"):
        read_page(data[: len(data) - below - 1], page)


def test_pages_without_all_their_chunks_are_truncated_and_chunks_without_rows_damaged():
    data, page = build(noise(9, 6, 2), chunk=(4, 6), planar=True)
    assert read_page(data, page).colour.shape == (9, 6, 2)
    with pytest.raises(UnreadableImage, match=r"^truncated$"):
        read_page(data, replace(page, offsets=page.offsets[:-1]))
    for chunk in ((0, 6), (4, 0)):
        with pytest.raises(UnreadableImage, match=r"^damaged: strips without rows$"):
            read_page(data, replace(page, chunk=chunk))


@pytest.mark.parametrize("compression", [NONE, DEFLATE])
@pytest.mark.parametrize(("planar", "chunk", "wanted"), [(False, (4, 6), 3), (True, (4, 6), 6), (True, (4, 4), 12)])
def test_pages_have_as_many_chunks_as_they_take(compression, planar, chunk, wanted):
    data, page = build(noise(9, 6, 2), chunk=chunk, planar=planar, compression=compression)
    assert page.chunks == (1 + planar, 3, -(-6 // chunk[1]))
    read_page(data, page)
    if compression == NONE:
        read_page(data, replace(page, counts=()))
    with pytest.raises(UnreadableImage, match=f"^damaged: {wanted + 1} strips or tiles in place of {wanted}$"):
        read_page(data, replace(page, offsets=(*page.offsets, 8)))
    for counts in (page.counts[:-1], (*page.counts, 1)):
        with pytest.raises(UnreadableImage, match=r"^damaged: \d+ strips or tiles in place of"):
            read_page(data, replace(page, counts=counts))


@pytest.mark.parametrize(("planar", "chunk"), [(False, (9, 6)), (False, (4, 6)), (True, (9, 6)), (False, (4, 4))])
def test_rows_without_compression_take_no_more_bytes_than_there_are(planar, chunk):
    samples = noise(9, 6, 2)
    data, page = build(samples, chunk=chunk, planar=planar)
    for counts in (tuple(0 for _ in page.counts), tuple(count + 5 for count in page.counts)):  # of careless writers
        np.testing.assert_array_equal(read_page(data, replace(page, counts=counts)).colour, samples)
    fewer = (*page.counts[:-1], page.counts[-1] - 1)
    for wrong in (replace(page, counts=fewer), replace(page, bits=9)):
        with pytest.raises(UnreadableImage, match=r"^damaged: its rows take more bytes than it says to have$"):
            read_page(data, wrong)


@pytest.mark.parametrize("compression", [NONE, DEFLATE])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("chunk", [(5, 11), (16, 16)])
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(
    ("kind", "bits", "predictor"),
    [("u", 8, 2), ("u", 16, 2), ("f", 32, 2), ("f", 16, 3), ("f", 32, 3), ("f", 64, 3)],
)
def test_predictors_are_undone(compression, planar, chunk, order, kind, bits, predictor):
    if kind == "u":
        samples = noise(14, 11, 3, most=2**bits - 1)
        expected = eight(samples, bits)
    else:
        samples = np.random.default_rng(0).random((14, 11, 3)).astype(f"f{bits // 8}")
        expected = np.round(samples * 255).astype(np.uint8)
    options = {"chunk": chunk, "compression": compression, "planar": planar, "order": order}
    data, page = build(samples, bits, predictor=predictor, **options)
    pixels = read_page(data, page)
    np.testing.assert_array_equal(pixels.colour, expected)
    assert pixels.bit_depth == (f"float{bits}" if kind == "f" else str(bits))


def test_predictors_of_odd_depths_are_refused():
    data, page = build(noise(4, 6, 1, most=15), 4)
    with pytest.raises(UnreadableImage, match=r"^a TIFF predictor for 4-bit samples, which is not read$"):
        read_page(data, replace(page, predictor=2))


@pytest.mark.parametrize("predictor", [0, 3, 4, 513])
def test_predictors_that_do_not_fit_are_damage(predictor):
    data, page = build(noise(4, 6, 1))
    with pytest.raises(UnreadableImage, match=f"^damaged: predictor {predictor} for 8-bit samples$"):
        read_page(data, replace(page, predictor=predictor))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"kind": "i"}, "signed 8-bit integer pixels, whose range is not known"),
        ({"bits": 17}, "17-bit integer pixels, whose range is not known"),
        ({"bits": 32}, "32-bit integer pixels, whose range is not known"),
        ({"bits": 0}, "a TIFF file of 0-bit samples, which is not read; save it with 8 or 16 bits"),
        ({"kind": "f"}, "a TIFF file of 8-bit samples, which is not read; save it with 8 or 16 bits"),
        ({"kind": "f", "bits": 24}, "a TIFF file of 24-bit samples, which is not read"),
        ({"photometric": PALETTE}, "damaged: a palette image without its palette"),
        ({"photometric": PALETTE, "colours": np.zeros((3, 255))}, "damaged: a palette image without its palette"),
        ({"photometric": CMYK, "extra": (0, 2)}, "2 bands beside its colours, which is not read; save it as .npy"),
        ({"photometric": YCBCR, "extra": (0,)}, "1 bands beside its colours"),
        ({"photometric": CMYK, "kind": "f", "bits": 32}, "floating-point samples of such colours, which are not read"),
        ({"photometric": YCBCR, "kind": "f", "bits": 16}, "floating-point samples of such colours"),
        (
            {"photometric": PALETTE, "colours": np.zeros((3, 1 << 16)), "kind": "f", "bits": 16},
            "floating-point samples of such colours",
        ),
    ],
)
def test_samples_that_mean_nothing_known_are_refused(changes, reason):
    data, page = build(noise(4, 6, 1))
    with pytest.raises(UnreadableImage) as caught:
        read_page(data * 9, replace(page, **changes))
    assert caught.value.reason.startswith(reason) or reason in caught.value.reason


@pytest.mark.parametrize("compression", LOSSLESS)
@pytest.mark.parametrize("photometric", [WHITE, BLACK, RGB, PALETTE, CMYK, YCBCR])
def test_every_lossless_compression_and_colour_is_read(compression, photometric):
    _, page = build(noise(2, 2, 1), photometric=photometric, compression=compression)
    assert is_readable(page) == (photometric != YCBCR)  # whose chroma is of a quarter where nothing is said
    assert is_readable(replace(page, subsampling=(1, 1)))
    assert is_readable(replace(page, subsampling=(1, 2))) == (photometric != YCBCR)
    assert not is_readable(replace(page, photometric=LAB))
    assert not is_readable(replace(page, photometric=4, subsampling=(1, 1)))
    assert not any(is_readable(replace(page, compression=other)) for other in LOSSY_OR_BITS)


@pytest.mark.parametrize("compression", [*LOSSLESS, *LOSSY_OR_BITS])
def test_what_pillow_may_read_is_not_refused(compression):
    _, page = build(noise(2, 2, 1), compression=compression)
    for photometric in (WHITE, BLACK, RGB, PALETTE, CMYK, LAB, *([YCBCR] if compression != NONE else [])):
        demand_known(replace(page, photometric=photometric))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"compression": 9}, "a TIFF file of compression 9, which is not read; save it as PNG"),
        ({"photometric": 4}, "a TIFF file of colour space 4, which is not read; save it as RGB"),
        ({"photometric": YCBCR}, "a TIFF file of YCbCr of reduced chroma without compression; save it as RGB"),
    ],
)
def test_what_nobody_reads_is_refused_in_words(changes, reason):
    _, page = build(noise(2, 2, 1))
    with pytest.raises(UnreadableImage) as caught:
        demand_known(replace(page, **changes))
    assert caught.value.reason == reason


def test_grey_with_alpha_and_white_as_zero():
    samples = np.array([[[0, 255], [255, 128], [100, 0]]], np.uint8)
    data, page = build(samples, photometric=WHITE, extra=(2,))
    pixels = read_page(data, page)
    assert pixels.colour.tolist() == [[[255], [0], [155]]]
    assert pixels.alpha.tolist() == [[[255], [128], [0]]]
    other = read_page(data, replace(page, extra=(0,)))
    assert other.alpha is None
    assert other.colour.tolist() == [[[255, 255], [0, 128], [155, 0]]]  # only the first band is turned


def test_colours_multiplied_by_alpha_are_divided_to_the_nearest():
    samples = np.array([[[10, 20], [1, 3], [5, 0], [0, 0], [200, 100], [7, 255], [2, 4]]], np.uint8)
    data, page = build(samples, extra=(1,))
    pixels = read_page(data, page)
    # 255 * 10 / 20 = 127.5; 255 / 3 = 85; nothing is known where alpha is 0; never above white
    assert pixels.colour[0, :, 0].tolist() == [128, 85, 255, 0, 255, 7, 128]
    assert pixels.alpha[0, :, 0].tolist() == [20, 3, 0, 0, 100, 255, 4]
    plain = read_page(data, replace(page, extra=(2,)))
    assert plain.colour[0, :, 0].tolist() == [10, 1, 5, 0, 200, 7, 2]


@pytest.mark.parametrize(("bits", "scale"), [(4, 17), (8, 1)])
def test_a_palette_may_have_alpha_beside_its_numbers(bits, scale):
    samples = np.array([[[1, 15], [2, 0], [0, 7]]], np.uint8)
    colours = np.zeros((3, 1 << bits), np.uint16)
    colours[:, :3] = np.array([[0, 1, 2], [10, 11, 12], [20, 21, 255]]) * 257
    data, page = build(samples, bits, PALETTE, extra=(2,), colours=colours)
    pixels = read_page(data, page)
    assert pixels.colour.tolist() == [[[1, 11, 21], [2, 12, 255], [0, 10, 20]]]
    assert pixels.alpha[0, :, 0].tolist() == [15 * scale, 0, 7 * scale]


def test_a_palette_counts_as_grey_by_the_colours_that_are_used():
    colours = np.array([[0, 50, 90, 7], [0, 50, 90, 8], [0, 50, 90, 9]], np.uint16) * 257
    for numbers, channels in (([0, 1, 2], 1), ([0, 1, 3], 3)):
        data, page = build(np.array(numbers, np.uint8)[None, :, None], 2, PALETTE, colours=colours)
        colour = read_page(data, page).colour
        assert colour.tolist() == [[(colours.T[number] // 257).tolist()[:channels] for number in numbers]]
    highest = np.array([[0, 0, 0, 255], [0, 0, 0, 1], [0, 0, 0, 2]], np.uint16)
    data, page = build(np.array([[[3], [0]]], np.uint8), 2, PALETTE, colours=highest)
    assert read_page(data, page).colour.tolist() == [[[255, 1, 2], [0, 0, 0]]]  # of 8 bits: none is above 255
    data, page = build(np.array([[[3], [0]]], np.uint8), 2, PALETTE, colours=highest + 1)
    assert read_page(data, page).colour.tolist() == [[[1, 0, 0], [0, 0, 0]]]


@pytest.mark.parametrize(("photometric", "mode"), [(CMYK, "CMYK"), (YCBCR, "YCbCr")])
def test_inks_and_luma_are_converted_as_pillow_converts_them(photometric, mode):
    samples = noise(5, 7, 4 if photometric == CMYK else 3)
    data, page = build(samples, photometric=photometric, extra=(), subsampling=(1, 1), chunk=(2, 7))
    expected = Image.frombytes(mode, (7, 5), samples.tobytes()).convert("RGB")
    np.testing.assert_array_equal(read_page(data, page).colour, np.asarray(expected))


@pytest.mark.parametrize("turn", range(9))
def test_colour_and_alpha_are_turned_together(turn):
    samples = noise(4, 6, 2)
    data, page = build(samples, extra=(2,), orientation=turn)
    pixels = read_page(data, page)
    dihedral = {
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: np.swapaxes(a, 0, 1),
        6: lambda a: np.rot90(a, -1),
        7: lambda a: np.rot90(np.swapaxes(a, 0, 1), 2),
        8: np.rot90,
    }
    expected = dihedral.get(turn, lambda a: a)(samples)
    np.testing.assert_array_equal(pixels.colour, expected[..., :1])
    np.testing.assert_array_equal(pixels.alpha, expected[..., 1:])
    assert pixels.rotated == (turn > 1)
    assert (pixels.format, pixels.bit_depth) == ("TIFF", "8")
    without, page = build(samples[..., :1], orientation=turn)
    assert read_page(without, page).alpha is None


@pytest.mark.parametrize("bits", [1, 8])
def test_bits_may_lie_in_reverse_without_compression(bits):
    samples = noise(6, 9, 1, most=2**bits - 1)
    data, page = build(samples, bits, chunk=(4, 9))
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in data)
    np.testing.assert_array_equal(read_page(mirrored, replace(page, fill_order=2)).colour, eight(samples, bits))


def test_floats_outside_nought_to_one_are_refused():
    for value in (-0.01, 1.01, np.nan):
        data, page = build(np.array([[[0.5], [value]]], np.float32), 32)
        with pytest.raises(UnreadableImage, match="only 0 to 1 has a known meaning"):
            read_page(data, page)
