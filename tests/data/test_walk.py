"""The one walk: what is taken, what is passed over, and what is said about the rest."""

import heapq
import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import heif
from striate.data.walk import Walk, extension_of, files_in, holdings, is_image, is_system, subfolders
from striate.errors import StriateError


def encoded(format: str) -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 3), (9, 99, 200)).save(stream, format)
    return stream.getvalue()


def walk(folder: Path) -> tuple[list[str], Walk]:
    found = Walk()
    return [os.path.relpath(path, folder) for path in found.images(folder)], found


@pytest.mark.parametrize(
    "name",
    [
        *(
            "@eaDir",
            "@EADIR",
            "$RECYCLE.BIN",
            "$Recycle.Bin",
            "lost+found",
            ".ipynb_checkpoints",
            "__MACOSX",
            "#recycle",
        ),
        *(
            "System Volume Information",
            ".Trash-1000",
            "Thumbs.db",
            "thumbs.db",
            ".AppleDouble",
            "._0.png",
            "desktop.ini",
        ),
        *(".DS_Store", "@Recycle", "FOUND.000", "Network Trash Folder", "Icon\r", "__pycache__", "RECYCLER"),
        *("@SynoEAStream", "@SynoResource", "@appdata", "~snapshot", "$Extend"),
    ],
)
def test_what_systems_leave_is_passed_over_at_every_level(make_folder, name):
    assert is_system(name)
    folder = make_folder({"cat": 1})
    for place in (folder, folder / "cat"):
        (place / name).mkdir()
        shutil.copy(folder / "cat" / "000.png", place / name / "thumb.png")
    found, met = walk(folder)
    assert found == ["cat/000.png"]
    assert met.notes() == ()


SYSTEM = (
    "@eaDir @tmp @recycle @Recently-Snapshot @sharebin @__thumb #recycle #snapshot @SynoEAStream @SynoResource "
    "@appdata @appstore @apptemp @snapshots ~snapshot $RECYCLE.BIN RECYCLER RECYCLED msdownld.tmp lost+found $Extend "
    "$WinREAgent $SysReset __MACOSX __pycache__ Thumbs.db ehthumbs.db ehthumbs_vista.db desktop.ini .git .DS_Store "
    "found.000 FOUND.123"
)


def test_every_name_of_the_systems_is_known_in_any_case():
    spaced = (
        "System Volume Information",
        "Network Trash Folder",
        "Temporary Items",
        "TheVolumeSettingsFolder",
        "Icon\r",
    )
    for name in (*SYSTEM.split(), *spaced):
        assert is_system(name)
        assert is_system(name.upper())
        assert is_system(name.lower())
        assert not is_system(f"my {name}")


@pytest.mark.parametrize(
    "name",
    [
        "cats",
        "e@dir",
        "lost",
        "RECYCLE",
        "found.0",
        "found.0000",
        "found.00a",
        "found",
        "thumbs",
        "desktop",
        "icons",
        "system",
    ],
)
def test_users_names_are_not_the_systems(name):
    assert not is_system(name)


@pytest.mark.parametrize("format", ["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM", "JPEG2000"])
def test_without_an_extension_the_content_decides(tmp_path, format):
    for name in ("picture", "2020.05.17", "photo.jpg?w=200", "Dr. No"):
        (tmp_path / name).write_bytes(encoded(format))
        assert is_image(tmp_path / name), name
    (tmp_path / "notes").write_bytes(b"BMW, RIFF and P5 are no images")
    assert not is_image(tmp_path / "notes")


def test_arrays_and_sounds_without_an_extension_are_told_apart(tmp_path):
    np.save(tmp_path / "array.npy", np.zeros((3, 4), np.uint8))
    (tmp_path / "array.npy").rename(tmp_path / "array")
    (tmp_path / "sound").write_bytes(b"RIFF\x24\x08\0\0WAVEfmt ")
    assert is_image(tmp_path / "array")
    assert not is_image(tmp_path / "sound")


@pytest.mark.parametrize(
    ("name", "extension"),
    [("A.JPG", ".jpg"), ("a.tar.gz", ".gz"), ("a", ""), ("2020.05.17", ""), ("a.3fr", ".3fr"), ("Mr. Smith", "")],
)
def test_extensions_are_letters_after_the_last_dot(name, extension):
    assert extension_of(Path(name)) == extension


def test_links_upper_case_and_folders_called_like_images_are_entered(make_folder, tmp_path):
    elsewhere = make_folder({"far": 1}, name="elsewhere")
    folder = make_folder({"near": 1, "folder.jpg": 1})
    (folder / "near" / "000.png").rename(folder / "near" / "A.PNG")
    (folder / "link").symlink_to(elsewhere)
    (folder / "link.png").symlink_to(elsewhere / "far" / "000.png")
    (folder / "again").symlink_to(folder / "near")
    (folder / "up").symlink_to(folder)
    (folder / "knot").symlink_to(folder / "knot")
    found, _ = walk(folder)
    assert found == ["again/A.PNG", "folder.jpg/000.png", "link/far/000.png", "link.png"]


@pytest.fixture
def deep(tmp_path, monkeypatch):
    """Folders in folders, more than functions may call each other; taken away again, for rmtree calls itself, too."""
    monkeypatch.chdir(tmp_path)
    depth = 1050
    for _ in range(depth):
        os.mkdir("a")
        os.chdir("a")
    Path("x.png").write_bytes(encoded("PNG"))
    yield tmp_path
    Path("x.png").unlink()
    for _ in range(depth):
        os.chdir("..")
        os.rmdir("a")


def test_folders_may_lie_deeper_than_functions_may_call(deep):
    found, met = walk(deep)
    assert [path[-5:] for path in found] == ["x.png"]
    assert met.skipped == []


def test_what_is_left_out_is_counted_by_kind_with_the_first_and_the_mend(tmp_path):
    for name in ("b.JXL", "a.jxl", "c.psd", "raw.CR2", "clip.mp4", "all.zip", "x.h5", "notes.txt", "README"):
        (tmp_path / name).write_bytes(b"?")
    found, met = walk(tmp_path)
    assert found == []
    assert met.notes() == (
        f"3 files left out (2 .jxl, 1 .psd; the first: {tmp_path / 'a.jxl'}): not read; convert them to JPEG or PNG",
        f"1 file left out (1 .cr2; the first: {tmp_path / 'raw.CR2'}): not read; develop them to JPEG, PNG or TIFF",
        f"1 file left out (1 .h5; the first: {tmp_path / 'x.h5'}): not read; save each picture as a file of its own",
        f"1 file left out (1 .mp4; the first: {tmp_path / 'clip.mp4'}): not read; save pictures of them as JPEG or PNG",
        f"1 file left out (1 .zip; the first: {tmp_path / 'all.zip'}): not read; unpack them",
        f"2 files left out (1 without extension, 1 .txt; the first: {tmp_path / 'README'}): not images by their names",
    )
    assert holdings(met.left_out).startswith("only 3 files (2 .jxl, 1 .psd: not read; convert them to JPEG")
    assert holdings(Walk().left_out) == ""


@pytest.mark.parametrize("installed", [False, True])
def test_pictures_of_telephones_are_left_out_where_nothing_reads_them(installed, tmp_path, monkeypatch):
    monkeypatch.setattr(heif, "is_installed", lambda: installed)
    for name in ("a.heic", "b.HEIF", "c.hif", "d.jpg", "e.jxl"):
        (tmp_path / name).write_bytes(b"?")
    (tmp_path / "f").write_bytes(b"\0\0\0\x18ftypheic")
    found, met = walk(tmp_path)
    if installed:
        assert found == ["a.heic", "b.HEIF", "c.hif", "d.jpg", "f"]
        assert [note[:25] for note in met.notes()] == ["1 file left out (1 .jxl; "]
        return
    assert found == ["d.jpg"]
    assert met.notes()[0] == (
        f"3 files left out (1 .heic, 1 .heif, 1 .hif; the first: {tmp_path / 'a.heic'}): "
        "not read; pip install 'striate[heic]', or convert them to JPEG or PNG"
    )


def test_many_kinds_are_cut_short(tmp_path):
    for number in range(8):
        (tmp_path / f"a.x{number}").touch()
    _, met = walk(tmp_path)
    assert met.notes()[0].startswith("8 files left out (1 .x0, 1 .x1, 1 .x2, 1 .x3, 1 .x4 and 3 more kinds; the first")


def test_a_folder_that_cannot_be_listed_is_named_and_the_walk_goes_on(make_folder, locked):
    folder = make_folder({"a": 1, "locked": 1, "z": 1})
    found, met = walk(folder)
    assert found == ["a/000.png", "z/000.png"]
    assert [(entry.path, entry.reason) for entry in met.skipped] == [
        (str(folder / "locked"), "cannot be listed: permission denied")
    ]


def test_names_of_two_lines_are_told_in_one(tmp_path, locked):
    folder = tmp_path / "two\nlines"
    (folder / "locked").mkdir(parents=True)
    for name in ("a\nb.jxl", "c\nd.txt"):
        (folder / name).touch()
    _, met = walk(folder)
    shown = f"{tmp_path}/two\ufffdlines"
    assert met.first == {".jxl": f"{shown}/a\ufffdb.jxl", ".txt": f"{shown}/c\ufffdd.txt"}
    assert [entry.path for entry in met.skipped] == [f"{shown}/locked"]
    for directly in (files_in, subfolders):
        with pytest.raises(StriateError) as caught:
            directly(folder / "locked")
        assert str(caught.value) == f"{shown}/locked cannot be listed: Permission denied"


def test_what_lies_directly_in_a_folder_is_listed_by_name(tmp_path):
    for name in ("b", "a.d", ".hidden", "@eaDir"):
        (tmp_path / name).mkdir()
    for name in ("z.png", "A.txt", ".x.png", "Thumbs.db"):
        (tmp_path / name).touch()
    (tmp_path / "link").symlink_to(tmp_path / "b")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "knot").symlink_to(tmp_path / "knot")
    assert [path.name for path in subfolders(tmp_path)] == ["a.d", "b", "link"]
    assert [path.name for path in files_in(tmp_path)] == ["A.txt", "gone", "knot", "z.png"]
    assert files_in(tmp_path)[0] == tmp_path / "A.txt"
    assert not is_image(tmp_path / "gone")
    assert not is_image(tmp_path / "b")
    assert is_image(tmp_path / "nowhere.png")


@pytest.mark.parametrize(
    ("name", "extension"),
    [
        ("a.jpg", ".jpg"),
        ("a.JPeG", ".jpeg"),
        ("a.b.c", ".c"),
        ("a.mp4", ".mp4"),
        ("a.x" + "y" * 11, ".x" + "y" * 11),
        ("a.x" + "y" * 12, ""),
        ("a.7z", ".7z"),
        ("a.17", ""),
        ("a.", ""),
        ("a. b", ""),
        ("a.b c", ""),
        (".png", ""),
        ("a.j-p", ""),
    ],
)
def test_what_follows_a_dot_is_an_extension_where_it_looks_like_one(name, extension):
    assert extension_of(Path(name)) == extension


def test_a_folder_is_entered_once_in_all_walks_of_one_kind(make_folder):
    folder = make_folder({"cat": 2, "dog": 1})
    met = Walk()
    assert len(list(met.files(folder / "cat"))) == 2
    assert [path.parent.name for path in met.files(folder)] == ["dog"]
    assert list(met.files(folder)) == []
    assert list(Walk().files(folder / "gone")) == []


def test_files_are_counted_by_what_is_to_be_done_the_most_first():
    met = Walk()
    for name in ("a.zip", "b.txt", "c.jxl", "d.jxl", "e.psd", "f.md", "g.md", *(f"{n}.cr2" for n in range(1200))):
        met.leave_out(Path(name))
    assert met.notes() == (
        "1,200 files left out (1,200 .cr2; the first: 0.cr2): not read; develop them to JPEG, PNG or TIFF",
        "3 files left out (2 .jxl, 1 .psd; the first: c.jxl): not read; convert them to JPEG or PNG",
        "1 file left out (1 .zip; the first: a.zip): not read; unpack them",
        "3 files left out (2 .md, 1 .txt; the first: f.md): not images by their names",
    )
    assert holdings(met.left_out) == (
        "only 1,200 files (1,200 .cr2: not read; develop them to JPEG, PNG or TIFF) and "
        "3 files (2 .jxl, 1 .psd: not read; convert them to JPEG or PNG) and 1 file (1 .zip: not read; unpack them) "
        "and 3 files (2 .md, 1 .txt: not images by their names)"
    )


def test_a_file_that_must_not_be_read_is_no_image_where_only_its_content_could_tell(tmp_path, monkeypatch):
    for name in ("picture", "picture.png"):
        (tmp_path / name).write_bytes(encoded("PNG"))

    def refuse(self, *_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    assert not is_image(tmp_path / "picture")
    assert is_image(tmp_path / "picture.png")


@pytest.mark.parametrize("at_once", [1, 2, 3, 7, 8, 100])
def test_any_number_of_names_at_a_time_gives_the_same_files_in_the_same_order(tmp_path, at_once):
    names = ["b.png", "a.png", "_.png", "B/c.png", "B/a.png", "z/1.png", ".hidden.png", "é.png", "n.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    whole, parts = Walk(), Walk(at_once=at_once)
    assert list(parts.images(tmp_path)) == list(whole.images(tmp_path))
    assert parts.notes() == whole.notes()


def test_no_more_names_of_a_folder_are_held_than_asked_for(tmp_path, monkeypatch):
    for number in range(20):
        (tmp_path / f"{number:02}.png").touch()
    held, really = [], heapq.nsmallest
    monkeypatch.setattr(heapq, "nsmallest", lambda *given, key: held.append(really(*given, key=key)) or held[-1])
    walk = Walk(at_once=6).images(tmp_path)
    assert next(walk).name == "00.png"
    assert [len(names) for names in held] == [6]
    assert [path.name for path in walk] == [f"{number:02}.png" for number in range(1, 20)]
    assert [len(names) for names in held] == [6, 6, 6, 2]
