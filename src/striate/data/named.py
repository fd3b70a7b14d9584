"""The data sets that are known by name: where their files lie in the cache, and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from striate.data.cifar import list_cifar
from striate.data.idx import idx_pairs, list_idx
from striate.data.images import printable
from striate.data.listing import Listing, Part
from striate.data.parquet import list_parquet
from striate.data.parquet_files import parquet_files
from striate.data.split import stratified_split
from striate.data.tree import Place
from striate.errors import StriateError
from striate.files import Checksum, cache_folder
from striate.files.fetching import fetch

_DIGIT_NAMES = tuple("0123456789")
_FASHION_NAMES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_TORONTO = ("https://www.cs.toronto.edu/~kriz/",)


@dataclass(frozen=True)
class Published:
    """Files of a data set with their md5, the addresses that offer them, and their folder in the cache."""

    folder: str
    addresses: tuple[str, ...]
    files: tuple[tuple[str, str], ...]


#: Checksums as published by the authors and used by torchvision.
PUBLISHED = {
    "mnist": Published(
        "MNIST/raw",
        ("https://ossci-datasets.s3.amazonaws.com/mnist/", "http://yann.lecun.com/exdb/mnist/"),
        (
            ("train-images-idx3-ubyte.gz", "f68b3c2dcbeaaa9fbdd348bbdeb94873"),
            ("train-labels-idx1-ubyte.gz", "d53e105ee54ea40749a09fcbcd1e9432"),
            ("t10k-images-idx3-ubyte.gz", "9fb629c4189551a2d022fa330f9573f3"),
            ("t10k-labels-idx1-ubyte.gz", "ec29112dd5afa0611ce80d1b7f02629c"),
        ),
    ),
    "fashion_mnist": Published(
        "FashionMNIST/raw",
        ("http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",),
        (
            ("train-images-idx3-ubyte.gz", "8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
            ("train-labels-idx1-ubyte.gz", "25c81989df183df01b3e8a0aad5dffbe"),
            ("t10k-images-idx3-ubyte.gz", "bef4ecab320f06d8554ea6380940ec79"),
            ("t10k-labels-idx1-ubyte.gz", "bb300cfdad3c16e7a12a480ee83cd310"),
        ),
    ),
    "cifar10": Published("cifar10", _TORONTO, (("cifar-10-binary.tar.gz", "c32a1d4ab5d03f1284b67883e8d87530"),)),
    "cifar100": Published("cifar100", _TORONTO, (("cifar-100-binary.tar.gz", "03b5dce01913d631647c71ecec9e9cb8"),)),
}
_UNPACKED = {"cifar10": "cifar-10-batches-bin", "cifar100": "cifar-100-binary"}
_PICKLED = {
    "cifar10": ("cifar-10-python.tar.gz", "cifar-10-batches-py"),
    "cifar100": ("cifar-100-python.tar.gz", "cifar-100-python"),
}


def list_named(name: str, cache: str | Path | None = None) -> Listing:
    """List a data set of `NAMES`, from the cache (`cache`, else the usual folder) or fetched into it.

    Raises:
        StriateError: neither in the cache nor to be fetched; the message names the folder for the files.
    """
    return NAMES[name](name, cache_folder(cache))


def _list_digits(name: str, cache: Path) -> Listing:
    """scikit-learn's 1,797 digits of 8x8 pixels (UCI optdigits); values 0..16 become 0..255."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    pixels = np.round(bunch.images * (255 / 16)).astype(np.uint8)[..., None]  # (1797, 8, 8, 1)
    labels = bunch.target.astype(np.int64)
    kept, held = stratified_split(labels, 0.2, seed=0)  # always the same, so that results compare
    parts = {
        split: Part(pixels[rows], [f"digits[{row}]" for row in rows], labels[rows])
        for split, rows in (("train", kept), ("test", held))
    }
    return Listing(_DIGIT_NAMES, parts)


def _list_mnist(name: str, cache: Path) -> Listing:
    classes = _FASHION_NAMES if name == "fashion_mnist" else _DIGIT_NAMES
    published = PUBLISHED[name]
    title = published.folder.split("/")[0]
    for place in (cache / title, cache / name):
        try:
            pairs = idx_pairs(place)
        except StriateError:  # images without labels, as a download that was broken off leaves them
            pairs = {}
        if pairs.keys() >= {"train", "test"}:
            return list_idx({split: pairs[split] for split in ("train", "test")}, classes)
        if files := _train_and_test(place):
            return list_parquet(files)
    return list_idx(idx_pairs(_fetched(name, cache)), classes)


def _list_cifar(name: str, cache: Path) -> Listing:
    archive = PUBLISHED[name].files[0][0]
    for place in (cache / name, cache):
        if place != cache and (files := _train_and_test(place)):
            return list_parquet(files)
        for binary in (place / _UNPACKED[name], place / archive):
            if binary.exists():
                return list_cifar(name, binary)
    pickled = [cache / name / file for file in _PICKLED[name]] + [cache / file for file in _PICKLED[name]]
    found = next((path for path in pickled if path.exists()), None)
    warning = f"{printable(found)} is made of pickles, which are never read; " if found else ""
    return list_cifar(name, _fetched(name, cache, warning) / archive)


def _train_and_test(place: Path) -> dict[str, list[Place]] | None:
    """The Parquet files of a set in the cache, where both splits are there."""
    files = parquet_files(place) if place.is_dir() else None
    return files.splits if files is not None and files.splits.keys() >= {"train", "test"} else None


def _fetched(name: str, cache: Path, warning: str = "") -> Path:
    """The folder of a set's published files, each fetched if it is not there yet."""
    published = PUBLISHED[name]
    folder = cache / published.folder
    names = ", ".join(file for file, _ in published.files)
    by_hand = f"{warning}put {names} into {printable(folder)}"
    for file, md5 in published.files:
        if not (folder / file).is_file():
            addresses = [address + file for address in published.addresses]
            try:
                fetch(addresses, folder / file, Checksum("md5", md5), by_hand)
            except StriateError as error:
                raise StriateError(f"'{name}' is not in the cache: {error}") from error
    return folder


NAMES: dict[str, Callable[[str, Path], Listing]] = {
    "digits": _list_digits,
    "mnist": _list_mnist,
    "fashion_mnist": _list_mnist,
    "cifar10": _list_cifar,
    "cifar100": _list_cifar,
}
