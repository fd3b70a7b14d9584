"""Data sets: opening, checking, splitting, decoding and preprocessing images."""

from striate.data.dataset import Dataset, Skipped, Split
from striate.data.decode import UnreadableImage, decode
from striate.data.duplicates import Duplicates, cross_split_duplicates
from striate.data.images import ArrayImages, EncodedImages, FileImages, Images
from striate.data.open import open_dataset
from striate.data.preprocessing import Preprocessing, channel_statistics, resize_image

__all__ = [
    "ArrayImages",
    "Dataset",
    "Duplicates",
    "EncodedImages",
    "FileImages",
    "Images",
    "Preprocessing",
    "Skipped",
    "Split",
    "UnreadableImage",
    "channel_statistics",
    "cross_split_duplicates",
    "decode",
    "open_dataset",
    "resize_image",
]
