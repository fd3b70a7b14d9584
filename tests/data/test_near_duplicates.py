import gzip
import shutil

import cv2
import numpy as np
import pytest
from PIL import Image

from striate.data import ArrayImages, Dataset, FileImages, Place, Split, near_duplicates, open_dataset
from striate.data.near_duplicates import NearPair, candidates, detail, families
from striate.data.perceptual_hash import mirrored


def of(pictures, labels=None):
    """A data set of pictures in memory of which nobody has learnt anything."""
    array = np.stack([cv2.resize(picture, (64, 48)) for picture in pictures])
    images = ArrayImages(array, [str(row) for row in range(len(array))])
    split = Split("train", images, np.zeros(len(array), np.int64) if labels is None else np.array(labels))
    return Dataset("", ("a", "b"), 3, split, None, None, (), (), "")


def names(pairs):
    return {(pair.first.name, pair.second.name) for pair in pairs}


@pytest.fixture(scope="module")
def pictures(cloudy):
    return [cloudy(seed, tint) for seed in range(30) for tint in ("red", "blue")]


def jpeg(image, quality):
    return cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def test_copies_in_every_guise_are_found_and_nothing_else(pictures):
    one = pictures[0:12:2]
    guises = [
        jpeg(one[0], 50),
        cv2.resize(one[1], (70, 50), interpolation=cv2.INTER_AREA),
        np.ascontiguousarray(one[2][:, ::-1]),
        np.repeat(one[3].mean(2).astype(np.uint8)[:, :, None], 3, axis=2),
        cv2.convertScaleAbs(one[4], alpha=0.6, beta=70),
        one[5][1:-1, 1:-2],
    ]
    different = [pictures[row] for row in range(0, 60, 2)]
    found = near_duplicates(of(different + guises))
    assert names(found) == {(str(number), str(30 + number)) for number in range(6)}
    assert [pair.mirrored for pair in found if pair.first.name == "2"] == [True]
    assert not any(pair.mirrored for pair in found if pair.first.name != "2")
    assert [pair.likeness for pair in found] == sorted((pair.likeness for pair in found), reverse=True)
    assert 0.8 <= found[-1].likeness <= found[0].likeness <= 1.0001


def test_pictures_that_all_look_alike_are_no_copies_but_copies_among_them_are():
    """As X-rays are: one shape for all, with detail of its own."""
    rng = np.random.default_rng(0)
    shape = cv2.GaussianBlur(rng.random((48, 64), np.float32), (0, 0), 1.2)
    shape = (shape - shape.mean()) / shape.std()
    alike = []
    for _ in range(40):
        own = cv2.GaussianBlur(rng.random((48, 64), np.float32), (0, 0), 1.2)
        grey = 128 + 45 * shape + 22 * (own - own.mean()) / own.std()
        alike.append(np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2))
    correlations = [float((detail(alike[0]) * detail(other)).sum()) for other in alike[1:]]
    assert max(correlations) > 0.8  # as much as LEAST asks for
    assert near_duplicates(of(alike)) == ()
    assert names(near_duplicates(of([*alike, jpeg(alike[7], 95)]))) == {("7", "40")}


def test_many_copies_of_one_picture_are_one_family(pictures):
    copies = [jpeg(pictures[0], quality) for quality in (95, 92, 90, 88, 85, 82, 80)]
    pairs = near_duplicates(of([*pictures[0:20:2], *copies]))
    (family,) = families(pairs)
    assert {place.name for place in family} == {"0", *(str(10 + number) for number in range(7))}


def test_the_same_pictures_stand_once_and_those_of_one_colour_not_at_all(pictures, tmp_path):
    for label in ("a", "b"):
        (tmp_path / label).mkdir()
        for number in range(3):
            faint = 2 * (pictures[4] > 120) + 10 * np.uint8(number) + 5 * np.uint8(label == "a")
            Image.fromarray(faint.astype(np.uint8)).save(tmp_path / label / f"blank{number}.png")
    Image.fromarray(pictures[0]).save(tmp_path / "a/original.png")
    shutil.copy(tmp_path / "a/original.png", tmp_path / "a/same.png")
    Image.fromarray(pictures[0]).resize((60, 40)).save(tmp_path / "b/small.jpg", quality=80)
    dataset = open_dataset(tmp_path, val_fraction=0)
    (pair,) = near_duplicates(dataset)
    assert [place.name.rsplit("/", 1)[1] for place in pair[:2]] == ["original.png", "small.jpg"]
    assert [place.label for place in pair[:2]] == [0, 1]


def test_files_that_have_gone_are_like_nothing(pictures, tmp_path):
    (tmp_path / "a").mkdir()
    for number, quality in enumerate((90, 80)):
        Image.fromarray(pictures[0]).save(tmp_path / f"a/{number}.jpg", quality=quality)
    paths = [tmp_path / "a/0.jpg", tmp_path / "a/1.jpg", tmp_path / "a/gone.jpg"]
    split = Split("train", FileImages(paths, 3), np.zeros(3, np.int64))
    dataset = Dataset("", ("a",), 3, split, None, None, (), (), "")
    assert names(near_duplicates(dataset)) == {(str(paths[0]), str(paths[1]))}
    known = open_dataset(shutil.copytree(tmp_path / "a", tmp_path / "set/a").parent, memory_limit=0, classes=("a", "b"))
    assert len(near_duplicates(known)) == 1
    (tmp_path / "set/a/1.jpg").unlink()
    assert near_duplicates(known) == ()


def test_every_pair_of_near_hashes_is_a_candidate_and_no_other():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 1 << 63, 300, np.uint64)
    for row, (other, flips) in enumerate([(200, 10), (201, 11), (150, 3), (299, 0)]):
        flipped = int(hashes[row]) ^ sum(1 << int(bit) for bit in rng.permutation(63)[:flips])
        hashes[other] = flipped
    hashes[210] = mirrored(hashes[5:6])[0]
    shown = []
    found = candidates(hashes, lambda done, total: shown.append((done, total)))
    pairs = set(zip(found.first.tolist(), found.second.tolist(), found.mirrored.tolist(), strict=True))
    expected = {
        (one, other, turned)
        for turned, own in ((False, hashes), (True, mirrored(hashes)))
        for one in range(300)
        for other in range(one + 1, 300)
        if (int(own[one]) ^ int(hashes[other])).bit_count() <= 10
    }
    assert pairs == expected >= {(0, 200, False), (2, 150, False), (3, 299, False), (5, 210, True)}
    assert shown[-1] == (300, 300)


def test_of_very_many_candidates_the_nearest_are_taken():
    first = np.uint64(int("0110" * 16, 2))
    hashes = np.array([first, *([first ^ np.uint64(7)] * 100), *([first ^ np.uint64(1)] * 64)], np.uint64)
    found = candidates(hashes)
    assert found.second[found.first == 0].tolist() == list(range(101, 165))


def test_families_join_pairs_that_share_an_image():
    places = [Place("train", str(number), 0) for number in range(6)]
    pairs = [NearPair(places[a], places[b], 0.9, False) for a, b in ((0, 1), (4, 5), (2, 3), (1, 2))]
    assert [[place.name for place in family] for family in families(pairs)] == [["0", "1", "2", "3"], ["4", "5"]]
    assert families([]) == []


@pytest.mark.slow
def test_no_handwritten_digit_is_a_copy_of_another(shared_data):
    folder = shared_data / "mnist/MNIST/raw"
    parts = [
        np.frombuffer(gzip.decompress((folder / name).read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28, 1)
        for name in ("train-images-idx3-ubyte.gz", "t10k-images-idx3-ubyte.gz")
    ]
    array = np.concatenate(parts)
    split = Split("train", ArrayImages(array, [str(row) for row in range(len(array))]), np.zeros(len(array), np.int64))
    assert len(array) == 70_000
    assert near_duplicates(Dataset("", ("a",), 1, split, None, None, (), (), "")) == ()


#: Judged by eye: each pair is one photograph, in another size, trim, colour or manner. (The data's README knows 13.)
FLOWERS = 19


@pytest.mark.slow
def test_photographs_that_occur_twice_among_flowers(shared_data, tmp_path):
    shutil.unpack_archive(shared_data / "flowers.tar", tmp_path, filter="data")
    dataset = open_dataset(tmp_path / "flowers", memory_limit=0)
    pairs = near_duplicates(dataset)
    assert len(pairs) == FLOWERS
    assert all(pair.first.label == pair.second.label for pair in pairs)
    across = [dataset.classes[pair.first.label] for pair in pairs if pair.first.split != pair.second.split]
    assert sorted(across) == ["dandelion", "roses", *["sunflowers"] * 3, *["tulips"] * 2]
