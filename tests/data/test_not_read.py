"""Files of a kind that is not read say so by content, or by their extension."""

import io

import pytest
from PIL import Image

from striate.data import heif
from striate.data.decode import UnreadableImage, decode, decode_image, inspect
from striate.data.not_read import advice_for, not_read, refusal


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("photo.NEF", ".nef is not read; develop it to JPEG, PNG or TIFF"),
        ("film.mp4", ".mp4 is not read; save pictures of it as JPEG or PNG"),
        ("all.zip", ".zip is not read; unpack it"),
        ("notes.txt", "not an image"),
        ("photo.jpg", "not an image"),
    ],
)
def test_what_no_decoder_knows_is_told_by_its_extension(name, words, tmp_path):
    (tmp_path / name).write_bytes(b"something else" * 9)
    with pytest.raises(UnreadableImage) as caught:
        inspect(tmp_path / name)
    assert caught.value.reason == words


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "a pointer of Git LFS in place of the picture"),
        (b"\n<!DOCTYPE HTML><title>404</title>", "a web page in place of the picture; fetch it again"),
        (b"<html><body>gone</body>", "a web page in place of the picture; fetch it again"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(30), "damaged: its header does not make sense"),
        (b"GIF89a" + bytes(4), "damaged: its header does not make sense"),
        (b"\0\0\0\x1cftypavif" + bytes(40), "damaged: its header does not make sense"),
    ],
)
def test_what_lies_in_place_of_a_picture_is_called_by_its_name(content, words, tmp_path):
    (tmp_path / "photo.jpg").write_bytes(content)
    for source in (content, tmp_path / "photo.jpg"):
        with pytest.raises(UnreadableImage) as caught:
            decode(source)
        assert caught.value.reason.startswith(words)


def test_raw_files_of_cameras_are_refused_though_they_begin_as_tiff(tmp_path):
    Image.new("RGB", (4, 3)).save(tmp_path / "thumbnail.tif")
    (tmp_path / "thumbnail.tif").rename(tmp_path / "photo.NEF")
    with pytest.raises(UnreadableImage, match=r"photo.NEF: \.nef is not read; develop it to JPEG"):
        decode(tmp_path / "photo.NEF")


def test_an_opened_image_of_another_format_is_called_by_its_format():
    stream = io.BytesIO()
    Image.new("RGB", (4, 3)).save(stream, "PCX")
    with pytest.raises(UnreadableImage, match=r"^\.pcx is not read; convert it to JPEG or PNG"):
        decode_image(Image.open(stream), 3)


def test_what_a_file_holds_goes_before_what_it_is_called(tmp_path):
    (tmp_path / "photo.nef").write_bytes(b"<html>")
    with pytest.raises(UnreadableImage, match=r"photo.nef: a web page in place of the picture"):
        decode(tmp_path / "photo.nef")


def test_what_can_be_read_is_read_under_any_name(tmp_path):
    Image.new("RGB", (4, 3), (9, 8, 7)).save(tmp_path / "a.png")
    (tmp_path / "a.png").rename(tmp_path / "a.jxl")
    assert decode(tmp_path / "a.jxl")[0, 0].tolist() == [9, 8, 7]


ADVICE = {
    "convert it to JPEG or PNG": (
        "jxl jxr psd psb xcf kra tga pcx dds exr hdr svg svgz eps ai wmf emf pdf ps dcm dicom djvu sgi xpm flif"
    ),
    "develop it to JPEG, PNG or TIFF": (
        "cr2 cr3 crw nef nrw arw srf sr2 srw dng orf rw2 raf pef raw 3fr fff iiq erf kdc dcr mrw mos rwl x3f"
    ),
    "save pictures of it as JPEG or PNG": "mp4 m4v mov avi mkv webm mpg mpeg wmv flv 3gp mts m2ts",
    "save each picture as a file of its own": "npz mat h5 hdf5 pkl pickle pt tfrecord tfrecords mdb nii",
    "give the folder that holds it alone": "parquet pq",
    "save it as Parquet": "arrow feather",
    "unpack it": "zip tar tgz gz bz2 xz 7z rar",
}


@pytest.mark.parametrize("advice", ADVICE)
def test_every_kind_has_its_advice(advice):
    for extension in ADVICE[advice].split():
        assert refusal(f".{extension}") == f".{extension} is not read; {advice}"
        assert not_read(b"?" * 99, f".{extension}") == f".{extension} is not read; {advice}"
        assert advice_for(f".{extension}", "all") == advice.replace(" it ", " all ").replace("unpack it", "unpack all")
        assert advice_for(f".{extension}") == advice_for(f".{extension}", "them")


@pytest.mark.parametrize("extension", [".heic", ".heif", ".hif"])
def test_pictures_of_hevc_are_told_what_to_install(extension, monkeypatch):
    monkeypatch.setattr(heif, "is_installed", lambda: False)
    advice = "pip install 'striate[heic]', or convert it to JPEG or PNG"
    assert refusal(extension) == not_read(b"?" * 99, extension) == f"{extension} is not read; {advice}"
    assert advice_for(extension) == advice.replace(" it ", " them ")
    monkeypatch.setattr(heif, "is_installed", lambda: True)
    assert advice_for(extension) == refusal(extension) == ""
    assert not_read(b"?" * 99, extension) == "not an image"


@pytest.mark.parametrize("extension", ["", ".txt", ".jpg", "heic", "."])
def test_other_kinds_have_none(extension):
    assert (advice_for(extension), refusal(extension)) == ("", "")
    assert not_read(b"?" * 99, extension) == "not an image"


def test_pictures_of_hevc_are_known_by_every_brand(monkeypatch):
    monkeypatch.setattr(heif, "is_installed", lambda: False)
    for brand in (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"):
        assert not_read(b"\0\0\0\x18ftyp" + brand + bytes(30), ".jpg").startswith(".heic is not read; pip install")
    assert not_read(b"\0\0\0\x18ftypmp42" + bytes(30), ".mov").startswith(".mov is not read; save pictures")
    assert not_read(b"\0\0\0\x18FTYPheic" + bytes(30), ".jpg") == "not an image"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"VERSION HTTPS://GIT-LFS", "a pointer of Git LFS in place of the picture; run git lfs pull"),
        (b" \t\r\n<HTML>", "a web page in place of the picture; fetch it again"),
        (b"<!doctype HTML>", "a web page in place of the picture; fetch it again"),
        (b" " * 59 + b"<html", "a web page in place of the picture; fetch it again"),
        (b" " * 60 + b"<html", ".cr2 is not read; develop it to JPEG, PNG or TIFF"),
        (b"a <html>", ".cr2 is not read; develop it to JPEG, PNG or TIFF"),
        (b"\xff\xd8\xff\xe0", "damaged: its header does not make sense"),
    ],
)
def test_what_begins_a_file_goes_before_its_name(content, words):
    assert not_read(content, ".cr2") == words
