"""Data sets: opening, checking, splitting, decoding and preprocessing images."""

from striate.data.channel_statistics import channel_statistics
from striate.data.dataset import Dataset, Skipped, Split
from striate.data.decode import UnreadableImage, decode
from striate.data.duplicates import Duplicates, cross_split_duplicates, same_pictures
from striate.data.images import ArrayImages, EncodedImages, FileImages, Images
from striate.data.kept import KeptImages
from striate.data.near_duplicates import NearPair, near_duplicates
from striate.data.open import open_dataset
from striate.data.preprocessing import Preprocessing
from striate.data.resizing import resize_image
from striate.data.survey import Place, Sizes, Survey

__all__ = [
    "ArrayImages",
    "Dataset",
    "Duplicates",
    "EncodedImages",
    "FileImages",
    "Images",
    "KeptImages",
    "NearPair",
    "Place",
    "Preprocessing",
    "Sizes",
    "Skipped",
    "Split",
    "Survey",
    "UnreadableImage",
    "channel_statistics",
    "cross_split_duplicates",
    "decode",
    "near_duplicates",
    "open_dataset",
    "resize_image",
    "same_pictures",
]
