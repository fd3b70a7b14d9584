"""Data sets: opening, checking, splitting, decoding and preprocessing images."""

from striate.data.dataset import Dataset, Skipped, Split
from striate.data.decode import UnreadableImage, decode
from striate.data.images import ArrayImages, EncodedImages, FileImages, Images
from striate.data.preprocessing import Preprocessing, channel_statistics, resize_image

__all__ = [
    "ArrayImages",
    "Dataset",
    "EncodedImages",
    "FileImages",
    "Images",
    "Preprocessing",
    "Skipped",
    "Split",
    "UnreadableImage",
    "channel_statistics",
    "decode",
    "resize_image",
]
