"""Forms in which pictures come and are not read, and what to do about each."""

from __future__ import annotations

from striate.data import heif
from striate.data.heif_boxes import is_heif
from striate.data.signatures import LENGTH, begins_as_image

#: What to do with files that hold pictures, but in a form that is not read; {} stands for them.
_ADVICE = {
    "pip install 'striate[heic]', or convert {} to JPEG or PNG": " ".join(heif.EXTENSIONS),
    "convert {} to JPEG or PNG": """
        .jxl .jxr .psd .psb .xcf .kra .tga .pcx .dds .exr .hdr .svg .svgz .eps .ai .wmf .emf .pdf .ps
        .dcm .dicom .djvu .sgi .xpm .flif""",
    "develop {} to JPEG, PNG or TIFF": """
        .cr2 .cr3 .crw .nef .nrw .arw .srf .sr2 .srw .dng .orf .rw2 .raf .pef .raw .3fr .fff .iiq .erf .kdc .dcr .mrw
        .mos .rwl .x3f""",
    "save pictures of {} as JPEG or PNG": ".mp4 .m4v .mov .avi .mkv .webm .mpg .mpeg .wmv .flv .3gp .mts .m2ts",
    "save each picture as a file of its own": ".npz .mat .h5 .hdf5 .pkl .pickle .pt .tfrecord .tfrecords .mdb .nii",
    "give the folder that holds {} alone": ".parquet .pq",
    "save {} as Parquet": ".arrow .feather",
    "unpack {}": ".zip .tar .tgz .gz .bz2 .xz .7z .rar",
}

_ADVICE_FOR = {extension: advice for advice, extensions in _ADVICE.items() for extension in extensions.split()}

#: What downloads and version control leave under the names of pictures, by how it begins (white space aside, any case).
_INSTEAD = {
    b"version https://git-lfs": "a pointer of Git LFS in place of the picture; run git lfs pull",
    b"<!doctype html": "a web page in place of the picture; fetch it again",
    b"<html": "a web page in place of the picture; fetch it again",
}


def advice_for(extension: str, them: str = "them") -> str:
    """What to do with files of an extension; empty where pictures are not expected in them."""
    if extension in heif.EXTENSIONS and heif.is_installed():
        return ""
    return _ADVICE_FOR.get(extension, "").format(them)


def not_read(data: bytes, extension: str) -> str:
    """Why content that no decoder knows is not read, by what it holds, else by its file's extension."""
    if is_heif(data):
        extension = ".heic"
    elif begins_as_image(data[:LENGTH]):
        return "damaged: its header does not make sense"
    start = data[:64].lstrip().lower()
    instead = next((what for beginning, what in _INSTEAD.items() if start.startswith(beginning)), "")
    return instead or refusal(extension) or "not an image"


def refusal(extension: str) -> str:
    """The reason not to read files of an extension, with the mend; empty where there is none."""
    advice = advice_for(extension, "it")
    return f"{extension} is not read; {advice}" if advice else ""
