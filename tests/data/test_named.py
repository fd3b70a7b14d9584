"""The named data sets, from a cache folder written here; downloads come from a server on this machine."""

import gzip
import hashlib
import http.server
import io
import shutil
import struct
import tarfile
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torchvision
from PIL import Image
from sklearn.datasets import load_digits

from striate.data import named, open_dataset
from striate.errors import StriateError


@pytest.fixture
def offline(monkeypatch):
    """Addresses where nobody answers."""
    nobody = {
        name: named.Published(entry.folder, ("http://127.0.0.1:9/",), entry.files)
        for name, entry in named.PUBLISHED.items()
    }
    monkeypatch.setattr(named, "PUBLISHED", nobody)


@pytest.fixture
def server(tmp_path):
    """A web server on this machine: its folder and its address."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(folder))

        def log_message(self, *args):
            pass

        def do_GET(self):
            if self.path.startswith("/cut/"):
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"only the beginning")
            else:
                super().do_GET()

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield folder, f"http://127.0.0.1:{running.server_port}/"
        running.shutdown()


def write_cifar(folder, label_bytes, batches, names, names_file):
    """Records as the binary version lays them out; the pixels of each are written down for comparison."""
    folder.mkdir(parents=True)
    generator = np.random.default_rng(0)
    pixels = {}
    for batch in batches:
        images = generator.integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
        labels = np.arange(6) % len(names)
        records = [
            bytes([9] * (label_bytes - 1) + [label]) + image.tobytes()
            for image, label in zip(images, labels, strict=True)
        ]
        (folder / batch).write_bytes(b"".join(records))
        pixels[batch] = images
    (folder / names_file).write_text("\n".join(names) + "\n\n")
    return pixels


def write_cifar10(folder):
    batches = [*(f"data_batch_{n}.bin" for n in range(1, 6)), "test_batch.bin"]
    return write_cifar(folder, 1, batches, ("airplane", "car"), "batches.meta.txt")


def test_digits_are_scaled_and_divided_once_and_for_all():
    dataset = open_dataset("digits", seed=0)
    other = open_dataset("digits", seed=1)
    assert [len(split) for split in dataset.splits] == [1294, 144, 359]
    assert np.array_equal(dataset.test.images.array, other.test.images.array)
    assert not np.array_equal(dataset.val.images.array, other.val.images.array)
    bunch = load_digits()
    for row in (0, 100, 358):
        original = int(dataset.test.images.name(row)[len("digits[") : -1])
        expected = np.round(bunch.images[original] / 16 * 255)
        assert np.array_equal(dataset.test.images.read(row)[..., 0], expected)
        assert dataset.test.labels[row] == bunch.target[original]
    shares = dataset.test.counts(10) / np.bincount(bunch.target)
    assert np.abs(shares - 0.2).max() < 0.005


def write_mnist(folder, train=3, test=2):
    """Files as MNIST's are called, of pictures in which every pixel says the row; labels 9, 8, 7."""
    folder.mkdir(parents=True)
    for prefix, count in (("train", train), ("t10k", test)):
        images = b"".join(bytes([row]) * 28 * 28 for row in range(count))
        for name, content in (
            ("images-idx3", struct.pack(">4I", 0x803, count, 28, 28) + images),
            ("labels-idx1", struct.pack(">2I", 0x801, count) + bytes(9 - row for row in range(count))),
        ):
            (folder / f"{prefix}-{name}-ubyte.gz").write_bytes(gzip.compress(content))


@pytest.mark.parametrize("place", ["MNIST/raw", "mnist/MNIST/raw", "mnist/raw", "mnist"])
def test_mnist_is_found_in_its_usual_places(tmp_path, place, offline):
    write_mnist(tmp_path / place)
    dataset = open_dataset("mnist", cache=tmp_path, classes=tuple("0123456789"), val_fraction=0)
    assert [len(split) for split in dataset.splits] == [3, 2]
    assert dataset.train.labels.tolist() == [9, 8, 7]
    assert dataset.test.images.read(1)[0, 0].tolist() == [1]


@pytest.mark.parametrize(("name", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST")])
def test_two_sets_of_one_form_are_told_apart(tmp_path, name, folder, offline):
    write_mnist(tmp_path / "MNIST" / "raw", train=3)
    write_mnist(tmp_path / "FashionMNIST" / "raw", train=4)
    listing = named.list_named(name, tmp_path)
    assert len(listing.parts["train"].labels) == {"MNIST": 3, "FashionMNIST": 4}[folder]
    assert len(listing.parts["test"].labels) == 2
    assert listing.classes[9] == {"MNIST": "9", "FashionMNIST": "Ankle boot"}[folder]


def test_half_of_a_set_is_not_the_set(tmp_path, offline):
    write_mnist(tmp_path / "mnist" / "raw")
    for path in (tmp_path / "mnist" / "raw").glob("t10k*"):
        path.unlink()
    with pytest.raises(StriateError, match="'mnist' is not in the cache"):
        open_dataset("mnist", cache=tmp_path)


def test_cache_comes_from_the_environment(tmp_path, monkeypatch, offline):
    write_mnist(tmp_path / "mnist")
    monkeypatch.setenv("STRIATE_CACHE", str(tmp_path))
    assert len(named.list_named("mnist").parts["train"].labels) == 3


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("place", [".", "cifar10"])
def test_cifar10_is_read_from_the_binary_version(tmp_path, packed, place, offline):
    folder = tmp_path / place / "cifar-10-batches-bin"
    pixels = write_cifar10(folder)
    if packed:
        with tarfile.open(tmp_path / place / "cifar-10-binary.tar.gz", "w:gz") as tar:
            tar.add(folder, "cifar-10-batches-bin")
        shutil.rmtree(folder)
    dataset = open_dataset("cifar10", cache=tmp_path, val_fraction=0)
    assert dataset.classes == ("airplane", "car")
    assert [len(split) for split in dataset.splits] == [30, 6]
    assert np.array_equal(dataset.train.images.read(8), pixels["data_batch_2.bin"][2].transpose(1, 2, 0))
    assert dataset.train.images.name(8) == "data_batch_2.bin[2]"
    assert dataset.train.labels[:6].tolist() == [0, 1, 0, 1, 0, 1]


def test_cifar100_has_the_fine_labels(tmp_path, offline):
    names = ("apple", "baby", "bear")
    write_cifar(tmp_path / "cifar-100-binary", 2, ("train.bin", "test.bin"), names, "fine_label_names.txt")
    dataset = open_dataset("cifar100", cache=tmp_path, val_fraction=0)
    assert dataset.classes == names
    assert dataset.test.labels.tolist() == [0, 1, 2, 0, 1, 2]


def write_parquet(folder, **columns):
    folder.mkdir()
    stream = io.BytesIO()
    Image.new("RGB", (32, 32)).save(stream, "PNG")
    for split, count in (("train", 4), ("test", 2)):
        table = {"img": [stream.getvalue()] * count, **{name: values[:count] for name, values in columns.items()}}
        pq.write_table(pa.table(table), folder / f"{split}.parquet")


def test_cifar100_in_parquet_has_the_fine_labels(tmp_path, offline):
    write_parquet(tmp_path / "cifar100", coarse_label=[0, 0, 0, 0], fine_label=[1, 0, 1, 0])
    dataset = open_dataset("cifar100", cache=tmp_path, val_fraction=0)
    assert dataset.classes == ("0", "1")
    assert dataset.test.labels.tolist() == [1, 0]


@pytest.mark.parametrize("name", ["cifar10", "mnist"])
def test_a_set_is_read_from_parquet_too(tmp_path, name, offline):
    write_parquet(tmp_path / name, label=[1, 0, 1, 0])
    assert [len(split) for split in open_dataset(name, cache=tmp_path, val_fraction=0).splits] == [4, 2]
    (tmp_path / name / "test.parquet").unlink()
    with pytest.raises(StriateError, match=f"'{name}' is not in the cache"):
        open_dataset(name, cache=tmp_path)


def test_damaged_archives_are_one_clear_line(tmp_path, offline):
    archive = tmp_path / "cifar-10-binary.tar.gz"
    folder = tmp_path / "made"
    write_cifar10(folder)
    (folder / "test_batch.bin").write_bytes(b"x" * 4000)
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(folder, "cifar-10-batches-bin")
    with pytest.raises(StriateError, match=r"test_batch.bin is truncated: 4,000 bytes"):
        open_dataset("cifar10", cache=tmp_path)
    archive.write_bytes(archive.read_bytes()[:5000])
    with pytest.raises(StriateError, match="damaged or cut short"):
        open_dataset("cifar10", cache=tmp_path)


def test_pickles_are_never_read(tmp_path, offline):
    (tmp_path / "cifar-10-python.tar.gz").write_bytes(b"anything")
    with pytest.raises(StriateError, match=r"made of pickles, which are never read; put cifar-10-binary.tar.gz into"):
        open_dataset("cifar10", cache=tmp_path)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist", "cifar10", "cifar100"])
def test_offline_message_names_the_files_and_their_folder(tmp_path, name, offline):
    with pytest.raises(StriateError) as caught:
        open_dataset(name, cache=tmp_path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / named.PUBLISHED[name].folder) in message
    assert all(file in message for file, _ in named.PUBLISHED[name].files)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_checksums_are_torchvisions():
    assert named.PUBLISHED["mnist"].files == tuple(torchvision.datasets.MNIST.resources)
    fashion = dict(torchvision.datasets.FashionMNIST.resources)
    assert dict(named.PUBLISHED["fashion_mnist"].files) == fashion
    assert list(named._FASHION_NAMES) == torchvision.datasets.FashionMNIST.classes


def test_a_cache_that_cannot_be_made_is_told(tmp_path, offline):
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(StriateError) as caught:
        named.list_named("cifar10", tmp_path / "cache")
    place = tmp_path / "cache" / "cifar10" / "cifar-10-binary.tar.gz"
    assert str(caught.value).startswith(f"'cifar10' is not in the cache: {place}: cannot be written (")
    assert str(caught.value).endswith("). STRIATE_CACHE names another folder for fetched files.")


def test_missing_data_set_is_downloaded_into_the_cache(tmp_path, server, monkeypatch):
    folder, address = server
    write_cifar10(tmp_path / "made")
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        tar.add(tmp_path / "made", "cifar-10-batches-bin")
    (folder / "cifar-10-binary.tar.gz").write_bytes(archive.getvalue())
    files = (("cifar-10-binary.tar.gz", hashlib.md5(archive.getvalue()).hexdigest()),)
    monkeypatch.setitem(named.PUBLISHED, "cifar10", named.Published("cifar10", (address,), files))
    assert len(open_dataset("cifar10", cache=tmp_path / "cache").test) == 6
    assert (tmp_path / "cache/cifar10/cifar-10-binary.tar.gz").is_file()


@pytest.mark.parametrize(("name", "last"), [("mnist", "9"), ("fashion_mnist", "Ankle boot")])
def test_a_downloaded_set_has_its_own_names_of_classes(tmp_path, server, monkeypatch, name, last):
    folder, address = server
    write_mnist(folder / "made")
    files = []
    for path in sorted((folder / "made").iterdir()):
        path.rename(folder / path.name)
        files.append((path.name, hashlib.md5((folder / path.name).read_bytes()).hexdigest()))
    monkeypatch.setitem(named.PUBLISHED, name, named.Published("here/raw", (address,), tuple(files)))
    listing = named.list_named(name, tmp_path / "cache")
    assert listing.classes[9] == last
    assert {split: len(part.labels) for split, part in listing.parts.items()} == {"train": 3, "test": 2}


def test_pickles_are_named_wherever_they_lie(tmp_path, offline):
    for name, files in (
        ("cifar10", ("cifar-10-python.tar.gz", "cifar-10-batches-py")),
        ("cifar100", ("cifar-100-python.tar.gz", "cifar-100-python")),
    ):
        for file in files:
            for place in (tmp_path / f"in {file}" / name, tmp_path / f"at {file}"):
                (place / file).mkdir(parents=True)
                cache = place if place.name.startswith("at") else place.parent
                with pytest.raises(StriateError) as caught:
                    named.list_named(name, cache)
                words = f"; {place / file} is made of pickles, which are never read; put {name[:5]}-{name[5:]}-binary"
                assert words in str(caught.value)
                assert str(caught.value).startswith(f"'{name}' is not in the cache: cannot fetch http")
                assert str(caught.value).endswith(f".tar.gz into {cache}/{name}")


def test_sets_are_published_where_their_authors_put_them():
    toronto = ("https://www.cs.toronto.edu/~kriz/",)
    assert {name: (entry.folder, entry.addresses) for name, entry in named.PUBLISHED.items()} == {
        "mnist": (
            "MNIST/raw",
            ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        ),
        "fashion_mnist": ("FashionMNIST/raw", ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",)),
        "cifar10": ("cifar10", toronto),
        "cifar100": ("cifar100", toronto),
    }
    assert set(torchvision.datasets.MNIST.mirrors) == set(named.PUBLISHED["mnist"].addresses)
    # md5 of the binary versions, as cs.toronto.edu/~kriz/cifar.html lists them
    assert named.PUBLISHED["cifar10"].files == (("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),)
    assert named.PUBLISHED["cifar100"].files == (("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),)


@pytest.mark.parametrize("name", ["cifar10", "cifar100"])
def test_a_set_in_its_own_folder_goes_before_one_beside_it(tmp_path, name, offline):
    binary = {"cifar10": "cifar-10-batches-bin", "cifar100": "cifar-100-binary"}[name]
    batches = [f"data_batch_{n}.bin" for n in range(1, 6)] if name == "cifar10" else ["train.bin"]
    test, meta = ("test_batch.bin", "batches.meta.txt") if name == "cifar10" else ("test.bin", "fine_label_names.txt")
    labels = 1 if name == "cifar10" else 2
    for place, classes in ((tmp_path, ("outer", "other")), (tmp_path / name, ("inner", "other"))):
        write_cifar(place / binary, labels, [*batches, test], classes, meta)
        assert named.list_named(name, tmp_path).classes == classes
    write_parquet(tmp_path / name / "data", label=["a", "b", "a", "b"])
    assert named.list_named(name, tmp_path).classes == ("a", "b")


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_what_lies_under_a_sets_own_title_goes_before_its_name(tmp_path, name, offline):
    title = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}[name]
    write_mnist(tmp_path / name, train=3)
    assert len(named.list_named(name, tmp_path).parts["train"].labels) == 3
    write_mnist(tmp_path / title / "raw", train=5)
    listing = named.list_named(name, tmp_path)
    assert len(listing.parts["train"].labels) == 5
    assert list(listing.parts) == ["train", "test"]


def test_only_what_is_missing_is_fetched(tmp_path, server, monkeypatch):
    folder, address = server
    write_mnist(folder / "made")
    files = []
    for path in sorted((folder / "made").iterdir()):
        files.append((path.name, hashlib.md5(path.read_bytes()).hexdigest()))
    monkeypatch.setitem(
        named.PUBLISHED, "mnist", named.Published("here/raw", (address + "gone/", address + "made/"), tuple(files))
    )
    place = tmp_path / "cache" / "here" / "raw"
    place.mkdir(parents=True)
    shutil.copy(folder / "made" / files[0][0], place)
    (folder / "made" / files[0][0]).unlink()
    assert len(named.list_named("mnist", tmp_path / "cache").parts["test"].labels) == 2
    (place / files[1][0]).unlink()
    (folder / "made" / files[1][0]).write_bytes(b"another")
    with pytest.raises(StriateError) as caught:
        named.list_named("mnist", tmp_path / "cache")
    listed = ", ".join(name for name, _ in files)
    assert str(caught.value) == (
        f"'mnist' is not in the cache: cannot fetch {address}made/{files[1][0]} (what arrived has another checksum "
        f"than the published one); put {listed} into {place}"
    )
