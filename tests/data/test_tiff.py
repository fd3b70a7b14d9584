"""TIFF files written here byte by byte (TIFF 6.0), so that no library's reading is taken for the truth."""

import io
import struct
import zlib

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.data import tiff as tiff_module
from striate.data.decode import PAGES, UnreadableImage, decode, inspect
from striate.data.tiff import damage, is_tiff, read_pages

WHITE, BLACK, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6
SHORT, LONG = 3, 4
NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773


def pack(values: np.ndarray, bits: int, order: str) -> bytes:
    """Rows (H, N) of samples as TIFF stores them: whole bytes in the file's order, others bit by bit, rows padded."""
    if values.dtype.kind == "f" or bits in (16, 32, 64):
        return values.astype(values.dtype.newbyteorder(order)).tobytes()
    rows = b""
    for row in values:
        text = "".join(f"{int(value):0{bits}b}" for value in row)
        text += "0" * (-len(text) % 8)
        rows += int(text, 2).to_bytes(len(text) // 8, "big")
    return rows


def compressed(content: bytes, compression: int) -> bytes:
    if compression == DEFLATE:
        return zlib.compress(content)
    if compression == NONE:
        return content
    stream, name = io.BytesIO(), {LZW: "tiff_lzw", PACKBITS: "packbits"}[compression]
    Image.frombytes("L", (len(content), 1), content).save(stream, "TIFF", compression=name)
    with Image.open(io.BytesIO(stream.getvalue())) as image:
        (offset,), (count,) = image.tag_v2[273], image.tag_v2[279]
    return stream.getvalue()[offset : offset + count]


def tiff(
    samples: np.ndarray,
    bits: int,
    photometric: int,
    *,
    order: str = "<",
    compression: int = NONE,
    planar: bool = False,
    tile: tuple[int, int] | None = None,
    rows_per_strip: int = 3,
    predictor: int = 1,
    extra: tuple[int, ...] | None = None,
    kind: int = 1,
    big: bool = False,
    more: dict[int, tuple[int, list[int]]] | None = None,
    pages: int = 1,
) -> bytes:
    """A file of samples (H, W, S), every page the same."""
    height, width, bands = samples.shape
    chunk = tile or (rows_per_strip, width)
    if tile:
        samples = np.pad(samples, ((0, -height % tile[0]), (0, -width % tile[1]), (0, 0)))
    planes = [samples[..., band : band + 1] for band in range(bands)] if planar else [samples]
    chunks = []
    for plane in planes:
        for top in range(0, len(plane), chunk[0]):
            for left in range(0, plane.shape[1], chunk[1]):
                part = plane[top : top + chunk[0], left : left + chunk[1]]
                if predictor == 2:
                    part = np.diff(part, axis=1, prepend=np.zeros_like(part[:, :1]))
                chunks.append(compressed(pack(part.reshape(len(part), -1), bits, order), compression))
    number = "Q" if big else "I"
    header = (b"II" if order == "<" else b"MM") + struct.pack(
        order + ("HHH" if big else "H"), *((43, 8, 0) if big else (42,))
    )
    start = len(header) + struct.calcsize(number)
    offsets = list(start + np.cumsum([0, *map(len, chunks)]))
    tags: dict[int, tuple[int, list[int]]] = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits] * bands),
        259: (SHORT, [compression]),
        262: (SHORT, [photometric]),
        277: (SHORT, [bands]),
        284: (SHORT, [2 if planar else 1]),
        317: (SHORT, [predictor]),
        339: (SHORT, [kind] * bands),
    }
    if tile:
        tags |= {322: (LONG, [tile[1]]), 323: (LONG, [tile[0]])}
    else:
        tags[278] = (LONG, [rows_per_strip])
    tags |= {324 if tile else 273: (LONG, offsets[:-1]), 325 if tile else 279: (LONG, [len(c) for c in chunks])}
    if extra is not None:
        tags[338] = (SHORT, list(extra))
    tags |= more or {}
    body = b"".join(chunks)
    out = header + struct.pack(order + number, start + len(body)) + body
    inline = 8 if big else 4
    for page in range(pages):
        directory = struct.pack(order + ("Q" if big else "H"), len(tags))
        after = len(out) + len(directory) + len(tags) * (20 if big else 12) + inline
        values = b""
        for tag, (type_, numbers) in sorted(tags.items()):
            content = struct.pack(f"{order}{len(numbers)}{'H' if type_ == SHORT else 'I'}", *map(int, numbers))
            if len(content) > inline:
                values, content = values + content, struct.pack(order + number, after + len(values))
            directory += struct.pack(f"{order}HH{number}", tag, type_, len(numbers)) + content.ljust(inline, b"\0")
        following = after + len(values) if page + 1 < pages else 0
        out += directory + struct.pack(order + number, following) + values
    return out


def noise(*shape: int, bits: int = 8) -> np.ndarray:
    dtype = np.uint8 if bits <= 8 else np.uint16
    return np.random.default_rng(bits).integers(0, 1 << bits, shape).astype(dtype)


def scaled(samples: np.ndarray, bits: int) -> np.ndarray:
    return np.floor(samples.astype(float) * 255 / (2**bits - 1) + 0.5).astype(np.uint8)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8, 10, 12, 14, 16])
def test_grey_of_every_depth_and_byte_order(bits, order):
    samples = noise(7, 13, 1, bits=bits)
    black = inspect(tiff(samples, bits, BLACK, order=order), None)
    assert (black.image.shape, black.bit_depth, black.channels, black.format) == ((7, 13, 1), str(bits), 1, "TIFF")
    np.testing.assert_array_equal(black.image, scaled(samples, bits))
    white = decode(tiff(samples, bits, WHITE, order=order), 1)
    np.testing.assert_array_equal(white, 255 - scaled(samples, bits))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("bits", [4, 8, 12, 16])
@pytest.mark.parametrize("planar", [False, True])
def test_colour_of_every_depth_and_byte_order(bits, order, planar):
    samples = noise(7, 13, 3, bits=bits)
    decoded = inspect(tiff(samples, bits, RGB, order=order, planar=planar), 3)
    np.testing.assert_array_equal(decoded.image, scaled(samples, bits))
    assert (decoded.bit_depth, decoded.channels) == (str(bits), 3)


@pytest.mark.parametrize("compression", [NONE, LZW, DEFLATE, PACKBITS])
@pytest.mark.parametrize(
    "layout", [{"rows_per_strip": 5}, {"rows_per_strip": 100}, {"tile": (16, 32)}, {"planar": True}]
)
@pytest.mark.parametrize(("bits", "bands"), [(16, 13), (8, 5), (12, 2)])
def test_many_bands_are_channels(compression, layout, bits, bands):
    samples = noise(21, 40, bands, bits=bits)
    data = tiff(samples, bits, BLACK, order=">", compression=compression, extra=(0,) * (bands - 1), **layout)
    expected = scaled(samples, bits)
    np.testing.assert_array_equal(decode(data, None), expected)
    np.testing.assert_array_equal(decode(data, bands), expected)
    with pytest.raises(UnreadableImage, match=f"{bands} channels, 3 are wanted"):
        decode(data, 3)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize(("bits", "bands"), [(8, 3), (16, 1), (16, 6)])
@pytest.mark.parametrize("layout", [{}, {"tile": (16, 16)}, {"planar": True}])
def test_differences_between_neighbours_are_added_up(order, bits, bands, layout):
    samples = noise(20, 33, bands, bits=bits)
    photometric = RGB if bands == 3 else BLACK
    data = tiff(samples, bits, photometric, order=order, compression=DEFLATE, predictor=2, **layout)
    np.testing.assert_array_equal(decode(data, None), scaled(samples, bits))


@pytest.mark.parametrize("extra", [None, (0,)])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_fourth_band_that_is_not_called_alpha_is_a_channel(extra, bits):
    samples = noise(6, 9, 4, bits=bits)
    data = tiff(samples, bits, RGB, extra=extra)
    for channels in (None, 4):
        np.testing.assert_array_equal(decode(data, channels), scaled(samples, bits))
    for channels in (1, 3):
        with pytest.raises(UnreadableImage, match="4 bands, none of which its file calls alpha"):
            decode(data, channels)


@pytest.mark.parametrize("bits", [8, 16])
def test_alpha_that_the_file_names_is_composited_on_white(bits):
    most = 2**bits - 1
    samples = np.array([[[0, 0, most, most], [0, 0, most, 0]]], np.uint16)
    for extra in (1, 2):
        assert decode(tiff(samples, bits, RGB, extra=(extra,)), 3)[0].tolist()[0] == [0, 0, 255]
        assert decode(tiff(samples, bits, RGB, extra=(extra,)), 3)[0].tolist()[1] == [255, 255, 255]
    assert decode(tiff(samples, bits, RGB, extra=(2,)), 4)[0].tolist() == [[0, 0, 255, 255], [0, 0, 255, 0]]
    grey = np.array([[[most, most // 3]]], np.uint16)
    assert decode(tiff(grey, bits, WHITE, extra=(2,)), 1).tolist() == [[[170]]]  # a third of black


def test_colours_multiplied_by_alpha_are_divided_again():
    samples = np.array([[[50, 100, 20, 100], [255, 0, 0, 255], [200, 9, 0, 100]]], np.uint8)
    data = tiff(samples, 8, RGB, extra=(1,))
    assert decode(data, 4)[0].tolist() == [[128, 255, 51, 100], [255, 0, 0, 255], [255, 23, 0, 100]]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("order", "<>")
def test_palettes(bits, order):
    colours = np.random.default_rng(0).integers(0, 256, (3, 2**bits))
    samples = noise(5, 11, 1, bits=bits)
    data = tiff(samples, bits, PALETTE, order=order, more={320: (SHORT, (colours.ravel() * 257).tolist())})
    np.testing.assert_array_equal(decode(data, 3), colours.T[samples[..., 0]])
    greys = np.tile(colours[:1], (3, 1)).ravel() * 257
    assert inspect(tiff(samples, bits, PALETTE, more={320: (SHORT, greys.tolist())}), None).channels == 1


@pytest.mark.parametrize("mode", ["CMYK", "YCbCr"])
@pytest.mark.parametrize("bits", [8, 16])
def test_inks_and_luma_become_rgb(mode, bits):
    samples = noise(5, 7, 4 if mode == "CMYK" else 3)
    stored = samples.astype(np.uint16) * 257 if bits == 16 else samples
    data = tiff(stored, bits, CMYK if mode == "CMYK" else YCBCR, more={530: (SHORT, [1, 1])})
    expected = Image.frombytes(mode, (7, 5), samples.tobytes()).convert("RGB")
    np.testing.assert_array_equal(decode(data, 3), np.asarray(expected))


@pytest.mark.parametrize("bits", [16, 32, 64])
@pytest.mark.parametrize("order", "<>")
def test_floats_are_read_from_zero_to_one(bits, order):
    ramp = np.linspace(0, 1, 24).reshape(4, 6, 1).astype(f"f{bits // 8}")
    decoded = inspect(tiff(ramp, bits, BLACK, kind=3, order=order), 1)
    np.testing.assert_array_equal(decoded.image, np.round(ramp * 255).astype(np.uint8))
    assert decoded.bit_depth == f"float{bits}"
    for wrong in (ramp * 3, ramp - 1, np.full_like(ramp, np.nan)):
        with pytest.raises(UnreadableImage, match="only 0 to 1 has a known meaning"):
            decode(tiff(wrong, bits, BLACK, kind=3, order=order), 1)


def test_the_predictor_of_floats_is_undone():
    values = np.random.default_rng(0).random((9, 14, 3), np.float32)
    options = [cv2.IMWRITE_TIFF_COMPRESSION, 8, cv2.IMWRITE_TIFF_PREDICTOR, 3]
    data = cv2.imencode(".tiff", values[..., ::-1], options)[1].tobytes()
    assert read_pages(data)[0].predictor == 3
    np.testing.assert_array_equal(decode(data, 3), np.round(values * 255).astype(np.uint8))


@pytest.mark.parametrize(("bits", "kind"), [(32, 1), (32, 2), (16, 2), (8, 2), (64, 1)])
def test_integers_of_unknown_range_are_refused(bits, kind):
    samples = np.zeros((2, 3, 1), f"u{bits // 8}")
    with pytest.raises(UnreadableImage, match=f"{bits}-bit integer pixels, whose range is not known"):
        decode(tiff(samples, bits, BLACK, kind=kind), 1)


@pytest.mark.parametrize("order", "<>")
def test_big_tiff_is_read(order):
    samples = noise(7, 13, 5, bits=16)
    np.testing.assert_array_equal(decode(tiff(samples, 16, BLACK, order=order, big=True), 5), scaled(samples, 16))


def test_orientation_is_applied():
    samples = noise(4, 6, 1)
    decoded = inspect(tiff(samples, 8, BLACK, more={274: (SHORT, [6])}), 1)
    np.testing.assert_array_equal(decoded.image, np.rot90(samples, -1))
    assert decoded.remarks == ("rotated",)


def test_further_pages_are_remarked_or_are_channels():
    samples = noise(4, 6, 1, bits=12)
    data = tiff(samples, 12, BLACK, pages=7)
    assert inspect(data, 3).remarks == (PAGES,)
    np.testing.assert_array_equal(decode(data, 7), np.repeat(scaled(samples, 12), 7, axis=2))
    with pytest.raises(UnreadableImage, match="7 pages, 5 channels are wanted"):
        decode(data, 5)


@pytest.mark.parametrize("compression", ["jpeg", "group3", "group4", "raw", "tiff_lzw"])
def test_what_pillow_writes_is_read_as_pillow_reads_it(compression):
    photo = Image.fromarray(noise(30, 40, 3)).resize((80, 60))
    image = photo.convert("1") if compression.startswith("group") else photo
    stream = io.BytesIO()
    image.save(stream, "TIFF", compression=compression)
    expected = np.asarray(Image.open(io.BytesIO(stream.getvalue())).convert("RGB"))
    np.testing.assert_array_equal(decode(stream.getvalue(), 3), expected)


@pytest.mark.parametrize("compression", [NONE, LZW, DEFLATE, PACKBITS])
@pytest.mark.parametrize("bands", [1, 6])
def test_cut_files_are_refused(compression, bands, capfd):
    data = tiff(noise(40, 40, bands, bits=16), 16, BLACK, compression=compression)
    directory = struct.unpack("<I", data[4:8])[0]
    cut = data[: directory // 2]
    moved = data[:4] + struct.pack("<I", len(cut)) + cut[8:] + data[directory:]  # the pixels end early
    for damaged in (cut, moved, data[: directory + 40]):
        with pytest.raises(UnreadableImage):
            decode(damaged, None)
    assert capfd.readouterr() == ("", "")


def test_bands_of_different_depths_are_refused():
    data = tiff(noise(3, 3, 3), 8, RGB, more={258: (SHORT, [5, 6, 5])})
    with pytest.raises(UnreadableImage, match="differ in depth"):
        decode(data, 3)


def test_bands_beside_inks_are_alpha_or_refused():
    samples = noise(5, 7, 5)
    with pytest.raises(UnreadableImage, match="1 bands beside its colours"):
        decode(tiff(samples, 8, CMYK, extra=(0,)), 3)
    opaque = samples.copy()
    opaque[..., 4] = 255
    expected = Image.frombytes("CMYK", (7, 5), opaque[..., :4].tobytes()).convert("RGB")
    np.testing.assert_array_equal(decode(tiff(opaque, 8, CMYK, extra=(2,)), 3), np.asarray(expected))


def test_floats_of_inks_are_refused():
    with pytest.raises(UnreadableImage, match="floating-point samples of such colours"):
        decode(tiff(np.zeros((4, 6, 4), np.float32), 32, CMYK, kind=3), 3)


def test_what_nobody_reads_is_refused_with_the_number_in_the_file():
    samples = np.full((4, 4, 3), 9)
    for change, words in (
        ({"photometric": 32845}, "a TIFF file of colour space 32845, which is not read; save it as RGB"),
        ({"more": {259: (SHORT, [34712])}}, "a TIFF file of compression 34712, which is not read; save it as PNG"),
        ({"photometric": YCBCR}, "YCbCr of reduced chroma without compression; save it as RGB"),
    ):
        with pytest.raises(UnreadableImage, match=words):
            decode(tiff(samples, 8, **{"photometric": RGB, **change}), 3)
    luma = np.full((4, 4, 3), [200, 100, 150])
    data = tiff(luma, 8, YCBCR, more={530: (SHORT, [1, 1])})
    assert decode(data, 3)[0, 0].tolist() == [230, 193, 150]  # JFIF's matrix: 200 + 1.402 * 22, ...


@pytest.mark.parametrize(("photometric", "samples"), [(2, 2), (2, 1), (5, 3)])
def test_fewer_samples_than_colours_are_damage(photometric, samples):
    with pytest.raises(UnreadableImage, match=f"damaged: {samples} samples a pixel are too few for its colours"):
        decode(tiff(noise(6, 5, samples), 8, photometric), None)


def test_a_palette_of_eight_bits_is_read_as_it_is_meant():
    colours = [*range(0, 160, 10), *range(16), *range(100, 116)]  # red, green, blue of 16 colours, below 256
    samples = np.arange(16)[None, :, None]
    expected = np.array(colours).reshape(3, 16).T
    for factor in (1, 257):
        data = tiff(samples, 4, PALETTE, more={320: (SHORT, [value * factor for value in colours])})
        np.testing.assert_array_equal(decode(data, 3)[0], expected)


@pytest.mark.parametrize("compression", [NONE, DEFLATE, LZW, PACKBITS])
def test_a_strip_may_promise_more_rows_than_there_are(compression):
    samples = np.random.default_rng(0).integers(0, 256, (7, 5, 3))
    data = tiff(samples, 8, RGB, compression=compression, rows_per_strip=7, more={278: (LONG, [2**32 - 1])})
    np.testing.assert_array_equal(decode(data, 3), samples)


def test_pages_that_pillow_decodes_are_channels_in_their_order():
    planes = np.stack([np.full((16, 16), 40 * band, np.uint8) for band in range(5)], axis=2)
    pages = [Image.fromarray(planes[..., band]) for band in range(5)]
    stream = io.BytesIO()
    pages[0].save(stream, "TIFF", save_all=True, append_images=pages[1:], compression="jpeg")
    assert np.abs(decode(stream.getvalue(), 5).astype(int) - planes).max() <= 2


@pytest.mark.parametrize(("kind", "counts"), [(1, False), (2, True), (4, False), (0, True)])
def test_reduced_copies_and_masks_are_no_pages(kind, counts):
    samples = np.random.default_rng(0).integers(0, 256, (4, 5, 1))
    data = tiff(samples, 8, BLACK, more={254: (LONG, [kind])}, pages=2)
    if counts:
        assert len(read_pages(data)) == 2
    else:
        with pytest.raises(UnreadableImage, match="a TIFF file without a page"):
            decode(data, 1)


@pytest.mark.parametrize("compression", [NONE, PACKBITS, DEFLATE])
def test_bits_may_lie_in_reverse(compression):
    samples = np.random.default_rng(0).integers(0, 16, (6, 9, 1))
    content = pack(samples.reshape(6, -1), 4, "<")
    mirrored = bytes(int(f"{byte:08b}"[::-1], 2) for byte in compressed(content, compression))
    data = tiff(samples, 4, BLACK, compression=compression, rows_per_strip=6, more={266: (SHORT, [2])})
    assert data.count(compressed(content, compression)) == 1
    reverse = data.replace(compressed(content, compression), mirrored)
    np.testing.assert_array_equal(decode(reverse, 1), samples * 17)


@pytest.mark.parametrize("compression", ["jpeg", "raw", "tiff_lzw"])
@pytest.mark.parametrize("count", [1, 5])
def test_pages_behind_a_reduced_copy_are_read_and_not_the_copy(compression, count):
    copy, mask, *pages = (Image.new("L", (16, 16), level) for level in range(240, 240 - 20 * (count + 2), -20))
    stream = io.BytesIO()
    others = [pages[0], mask, *pages[1:]]
    copy.save(stream, "TIFF", save_all=True, append_images=others, compression=compression, tiffinfo={254: 0})
    data, entry = stream.getvalue(), struct.pack("<HHII", 254, LONG, 1, 0)
    first, second, third, *rest = data.split(entry)
    assert len(rest) == count
    reduced, whole, masked = (struct.pack("<HHII", 254, LONG, 1, kind) for kind in (1, 0, 4))
    data = first + reduced + second + whole + third + masked + entry.join(rest)
    assert [page.number for page in read_pages(data)] == [1, *range(3, count + 2)]
    found = decode(data, count)
    assert found.shape == (16, 16, count)
    assert np.abs(found[8, 8].astype(int) - [200 - 20 * page for page in range(count)]).max() <= 1


def test_a_single_band_is_never_apart():
    (page,) = read_pages(tiff(np.zeros((4, 5, 1), int), 8, BLACK, planar=True, more={284: (SHORT, [2])}))
    assert not page.planar
    (page,) = read_pages(tiff(np.zeros((4, 5, 3), int), 8, RGB, planar=True))
    assert page.planar


def test_lab_says_what_it_is():
    stream = io.BytesIO()
    Image.new("LAB", (4, 3)).save(stream, "TIFF")
    with pytest.raises(UnreadableImage, match="CIE Lab colours, which are not read; save it as RGB"):
        decode(stream.getvalue(), 3)


@pytest.mark.parametrize("colours", [0, 8, 15])
def test_a_palette_has_a_colour_for_every_number(colours):
    more = {320: (SHORT, [9] * 3 * colours)} if colours else {}
    with pytest.raises(UnreadableImage, match="damaged: a palette image without its palette"):
        decode(tiff(np.zeros((3, 4, 1), int), 4, PALETTE, more=more), 3)


def test_colour_that_happens_to_be_grey_stays_colour_but_for_palettes():
    grey = np.arange(12).reshape(3, 4, 1) * 20
    assert decode(tiff(np.repeat(grey, 3, axis=2), 8, RGB), None).shape == (3, 4, 3)
    ramp = {320: (SHORT, [value * 257 for value in range(256)] * 3)}
    assert np.array_equal(decode(tiff(grey, 8, PALETTE, more=ramp), None), grey)


def test_without_a_word_on_colour_it_is_not_guessed():
    data = tiff(np.zeros((4, 5, 3), np.uint8), 8, RGB)
    tag, other = struct.pack("<HH", 262, SHORT), struct.pack("<HH", 60_000, SHORT)
    assert data.count(tag) == 1
    with pytest.raises(UnreadableImage, match=r"no good PhotometricInterpretation \(tag 262\)"):
        decode(data.replace(tag, other), None)


@pytest.mark.parametrize("bits", [8, 16])
def test_bands_that_lie_apart_may_be_whole_strips(bits):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 5, 3), dtype=np.uint16)
    samples = pixels * 257 if bits == 16 else pixels
    np.testing.assert_array_equal(decode(tiff(samples, bits, RGB, planar=True, rows_per_strip=7), 3), pixels)


def directories(
    *tags: dict[int, tuple[int, list[int]]], order: str = "<", big: bool = False, following: int = 0
) -> bytes:
    """A file of directories alone: of each tag its type and values."""
    sizes = {SHORT: "H", LONG: "I"}
    number, inline = ("Q", 8) if big else ("I", 4)
    out = (b"II" if order == "<" else b"MM") + struct.pack(order + "H", 43 if big else 42)
    out += struct.pack(order + "HH", 8, 0) if big else b""
    out += struct.pack(order + number, len(out) + inline)
    for place, entries in enumerate(tags):
        start = len(out)
        head = 8 if big else 2
        after = start + head + len(entries) * (20 if big else 12) + inline
        body, values = struct.pack(order + ("Q" if big else "H"), len(entries)), b""
        for tag, (kind, numbers) in entries.items():
            content = b"".join(struct.pack(order + sizes[kind], value) for value in numbers)
            if len(content) > inline:
                values, content = values + content, struct.pack(order + number, after + len(values))
            body += struct.pack(f"{order}HH{number}", tag, kind, len(numbers)) + content.ljust(inline, b"\0")
        last = place + 1 == len(tags)
        out += body + struct.pack(order + number, following if last else after + len(values)) + values
    return out


LEAST = {256: (SHORT, [30]), 257: (SHORT, [40]), 262: (SHORT, [BLACK]), 273: (LONG, [8])}


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_what_is_not_said_is_as_the_standard_has_it(order, big):
    (page,) = read_pages(directories(LEAST, order=order, big=big))
    assert (page.order, page.width, page.height, page.bits, page.samples) == (order, 30, 40, 1, 1)
    assert (page.photometric, page.kind, page.extra, page.alpha) == (BLACK, "u", (), None)
    assert (page.compression, page.predictor, page.fill_order, page.planar) == (1, 1, 1, False)
    assert (page.chunk, page.offsets, page.counts) == ((40, 30), (8,), ())
    assert (page.colours, page.orientation, page.subsampling) == (None, 1, (2, 2))
    assert (page.bit_depth, page.bands) == ("1", 1)


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", "<>")
def test_every_tag_is_read(order, big):
    tags = LEAST | {
        258: (SHORT, [16, 16, 16, 16]),
        259: (SHORT, [5]),
        262: (SHORT, [RGB]),
        266: (SHORT, [2]),
        273: (LONG, [8, 9, 10]),
        274: (SHORT, [7]),
        277: (SHORT, [4]),
        278: (LONG, [16]),
        279: (LONG, [100, 200, 300]),
        284: (SHORT, [2]),
        317: (SHORT, [3]),
        338: (SHORT, [2]),
        339: (SHORT, [3, 3, 3, 3]),
        530: (SHORT, [1, 2]),
    }
    (page,) = read_pages(directories(tags, order=order, big=big))
    assert (page.bits, page.compression, page.photometric, page.fill_order) == (16, 5, RGB, 2)
    assert (page.offsets, page.counts, page.chunk) == ((8, 9, 10), (100, 200, 300), (16, 30))
    assert (page.orientation, page.samples, page.planar, page.predictor) == (7, 4, True, 3)
    assert (page.extra, page.alpha, page.kind, page.bit_depth) == ((2,), 2, "f", "float16")
    assert (page.subsampling, page.bands, page.colours) == ((1, 2), 4, None)
    # four bands and three forms of 4 x 2 bytes, of 16 of 40 rows
    assert page.bytes_per_pixel == pytest.approx(4 + 3 * 8 * 16 / 40)
    tiles = tags | {322: (SHORT, [64]), 323: (SHORT, [48]), 324: (LONG, [80]), 325: (LONG, [7])}
    (page,) = read_pages(directories(tiles, order=order, big=big))
    assert (page.chunk, page.offsets, page.counts) == ((48, 64), (80,), (7,))
    assert page.bytes_per_pixel == pytest.approx(4 + 3 * 8)  # a tile is higher than the page


@pytest.mark.parametrize(
    ("photometric", "samples", "extra", "meanings", "alpha", "bands"),
    [
        (BLACK, 1, None, (), None, 1),
        (WHITE, 2, [0], (0,), None, 2),
        (BLACK, 2, None, (0,), None, 2),
        (BLACK, 2, [1], (1,), 1, 2),
        (BLACK, 3, [2], (2, 0), None, 3),
        (RGB, 4, [0], (0,), None, 4),
        (RGB, 4, [999], (999,), None, 4),
        (PALETTE, 2, [2], (2,), 2, 4),
        (CMYK, 5, [1], (1,), 1, 4),
        (YCBCR, 3, None, (), None, 3),
        (32845, 3, None, (), None, 3),
    ],
)
def test_extra_samples_mean_what_the_file_says(photometric, samples, extra, meanings, alpha, bands):
    tags = LEAST | {258: (SHORT, [8]), 262: (SHORT, [photometric]), 277: (SHORT, [samples])}
    tags |= {} if extra is None else {338: (SHORT, extra)}
    (page,) = read_pages(directories(tags))
    assert (page.extra, page.alpha, page.bands) == (meanings, alpha, bands)


@pytest.mark.parametrize(
    ("photometric", "samples", "extra"),
    [
        (RGB, 3, [2]),
        (RGB, 4, [2, 2]),
        (RGB, 4, [3]),
        (RGB, 5, [0, 4098]),
        (BLACK, 1, [0]),
        (WHITE, 2, None),
        (WHITE, 3, None),
    ],
)
def test_extra_samples_that_are_not_there_are_damage(photometric, samples, extra):
    tags = LEAST | {258: (SHORT, [8]), 262: (SHORT, [photometric]), 277: (SHORT, [samples])}
    tags |= {} if extra is None else {338: (SHORT, extra)}
    with pytest.raises(UnreadableImage, match=f"damaged: {samples} samples a pixel are not what its colours and extra"):
        read_pages(directories(tags))


def test_a_predictor_counts_only_with_the_compressions_that_have_one():
    for compression in (5, 8, 32946, 34925, 50000, 1, 7, 32773):
        tags = LEAST | {259: (SHORT, [compression]), 317: (SHORT, [2])}
        assert read_pages(directories(tags))[0].predictor == (1 if compression in (1, 7, 32773) else 2)
    samples = np.random.default_rng(0).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    for compression in (NONE, PACKBITS):
        data = tiff(samples, 8, RGB, compression=compression, more={317: (SHORT, [2])})
        np.testing.assert_array_equal(decode(data), samples)
        np.testing.assert_array_equal(decode(data), Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"rows_per_strip": 12},
        {"order": ">", "compression": LZW, "predictor": 2},
        {"planar": True},
        {"planar": True, "compression": DEFLATE},
        {"tile": (16, 16)},
        {"tile": (16, 16), "compression": PACKBITS},
    ],
)
@pytest.mark.parametrize("bands", [1, 3])
def test_no_flipped_bit_of_a_directory_gives_what_pillow_refuses(layout, bands):
    samples = np.random.default_rng(0).integers(0, 256, (12, 17, bands), dtype=np.uint8)
    data = tiff(samples, 8, RGB if bands == 3 else BLACK, **layout)
    order = layout.get("order", "<")
    (start,) = struct.unpack_from(order + "I", data, 4)
    (count,) = struct.unpack_from(order + "H", data, start)
    taken = 0
    for bit in range(8 * start, 8 * (start + 2 + 12 * count)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        try:
            decode(bytes(flipped))
        except UnreadableImage:
            continue
        taken += 1
        Image.open(io.BytesIO(flipped)).load()  # raises where Pillow refuses it
    assert taken > 100  # flips of no consequence


def test_pages_follow_each_other_until_they_come_round():
    pages = [LEAST | {256: (SHORT, [width])} for width in (11, 12, 13)]
    assert [page.width for page in read_pages(directories(*pages))] == [11, 12, 13]
    assert [page.width for page in read_pages(directories(*pages, following=8))] == [11, 12, 13]
    assert [page.width for page in read_pages(directories(*pages, following=1 << 30))] == [11, 12, 13]
    with_masks = [pages[0], pages[1] | {254: (LONG, [1])}, pages[2] | {254: (LONG, [4])}, pages[1] | {254: (LONG, [2])}]
    assert [page.width for page in read_pages(directories(*with_masks))] == [11, 12]


def test_no_more_than_so_many_pages_are_looked_for(monkeypatch):
    monkeypatch.setattr(tiff_module, "_MOST_PAGES", 5)
    pages = [LEAST | {256: (SHORT, [width])} for width in range(1, 8)]
    assert [page.width for page in read_pages(directories(*pages))] == [1, 2, 3, 4, 5]
    masks = [page | {254: (LONG, [4])} for page in pages[:3]]
    assert [page.width for page in read_pages(directories(*masks, *pages[3:]))] == [4, 5]


def test_what_can_be_read_of_a_damaged_file_is_read():
    first = LEAST | {256: (SHORT, [11])}
    without = {256: (SHORT, [12]), 257: (SHORT, [40])}  # of no place of its pixels
    uneven = LEAST | {258: (SHORT, [8, 16]), 277: (SHORT, [2])}
    for later in (without, uneven, LEAST | {256: (SHORT, [])}):
        assert [page.width for page in read_pages(directories(first, later, first))] == [11]
    with pytest.raises(UnreadableImage, match=r"no good PhotometricInterpretation \(tag 262\)"):
        read_pages(directories(without))
    for data in (directories(LEAST)[:6], directories(LEAST)[:-1], b"II*\0", b"MM\0*\0\0\0\x08"):
        with pytest.raises(UnreadableImage, match="damaged: the TIFF directory does not make sense"):
            read_pages(data)
    with pytest.raises(UnreadableImage, match="a TIFF file without a page"):
        read_pages(b"II*\0" + bytes(4))
    far = bytearray(directories(LEAST, big=True))
    for number in (1 << 62, (1 << 64) - 1):  # behind the end, and beyond what can be counted
        far[8:16] = struct.pack("<Q", number)
        with pytest.raises(UnreadableImage, match="directory does not make sense"):
            read_pages(bytes(far))
    for tags in ({258: (SHORT, [1]), 320: (SHORT, [1, 2, 3, 4]), 262: (SHORT, [PALETTE])}, {277: (SHORT, [0])}):
        with pytest.raises(UnreadableImage, match="directory does not make sense"):
            read_pages(directories(LEAST | tags))
    some = LEAST | {1000 + number: (SHORT, [number]) for number in range(4096 - len(LEAST))}
    assert len(read_pages(directories(some))) == 1  # as many tags as are allowed
    many = bytearray(directories(LEAST))
    many[8:10] = struct.pack("<H", 4097)
    with pytest.raises(UnreadableImage, match="directory does not make sense"):
        read_pages(bytes(many) + bytes(12 * 5000))


@pytest.mark.parametrize(
    "tags",
    [{258: (SHORT, [8, 8, 16]), 277: (SHORT, [3])}, {339: (SHORT, [1, 3]), 277: (SHORT, [2]), 258: (SHORT, [16, 16])}],
)
def test_bands_of_one_page_have_one_depth_and_type(tags):
    with pytest.raises(UnreadableImage, match="bands differ in depth; save them with one"):
        read_pages(directories(LEAST | tags))
    shorter = LEAST | tags | {277: (SHORT, [1])}
    assert len(read_pages(directories(shorter))) == 1  # what is said of bands that are not there does not count


def test_kinds_of_numbers_are_told_apart():
    for number, kind in ((1, "u"), (2, "i"), (3, "f"), (4, "u")):
        (page,) = read_pages(directories(LEAST | {339: (SHORT, [number]), 258: (SHORT, [32])}))
        assert (page.kind, page.bit_depth) == (kind, "float32" if kind == "f" else "32")
    for number in (0, 5, 6):  # 5 and 6 are complex
        with pytest.raises(UnreadableImage, match=f"sample format {number}, which is not read; save it as integers"):
            read_pages(directories(LEAST | {339: (SHORT, [number]), 258: (SHORT, [16])}))


def test_a_palette_is_read_only_where_it_is_meant():
    tags = LEAST | {258: (SHORT, [1]), 320: (SHORT, list(range(6)))}
    for photometric in (PALETTE, BLACK):
        (page,) = read_pages(directories(tags | {262: (SHORT, [photometric])}))
        if photometric == PALETTE:
            assert page.colours.tolist() == [[0, 1], [2, 3], [4, 5]]
        else:
            assert page.colours is None


def test_rows_at_a_time_count_only_where_chunks_are_unpacked_whole():
    for tags, rows in (
        ({}, 1),
        ({278: (LONG, [10])}, 1),
        ({259: (SHORT, [5]), 278: (LONG, [10])}, 10),
        ({259: (SHORT, [5]), 278: (LONG, [1000])}, 40),
        ({284: (SHORT, [2]), 277: (SHORT, [2])}, 40),
    ):
        (page,) = read_pages(directories(LEAST | {258: (SHORT, [8])} | tags))
        assert page.bytes_per_pixel == pytest.approx(page.bands + 3 * page.samples * rows / 40)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("", None),
        ("LZWDecode: Not enough data at scanline 0.", "damaged: Not enough data at scanline 0"),
        ("TIFFReadDirectory: Warning, unknown field with tag 700.", None),
        ("of a tag\nZIPDecode: Decoding error at scanline 3", "damaged: Decoding error at scanline 3"),
        ("JPEGLib: Corrupt JPEG data.\nLZWDecode: later", "damaged: Corrupt JPEG data"),
        ("JPEGPreDecode: Improper JPEG strip/tile size.", "damaged: Improper JPEG strip/tile size"),
        ("LZWDecode: Warning of something", None),
        ("JPEGLib: Warning, harmless", None),
        ("see LZWDecode: in the middle", None),
    ],
)
def test_complaints_of_decoders_are_damage_and_warnings_are_not(said, words):
    assert damage(said) == words


def test_beginnings_of_both_orders_and_sizes_are_known():
    for head in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        assert is_tiff(head + b"more")
    for head in (b"", b"II*", b"MM*\0", b"II\0*", b"IM*\0", b" II*\0"):
        assert not is_tiff(head)
