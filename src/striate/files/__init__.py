"""Files: paths, writing whole or not at all, the cache. Each way of doing it stands here once.

`striate.files.fetching` is imported by those who fetch: it loads Python's whole HTTP client.
"""

from striate.files.cache import cache_folder
from striate.files.checksums import Checksum, digest_of
from striate.files.paths import as_spelt_here, at_home, is_address, portable_name
from striate.files.placing import place
from striate.files.writing import DISK_FULL, explain, make_folder_of, replacing, write_atomically, write_csv

__all__ = [
    "DISK_FULL",
    "Checksum",
    "as_spelt_here",
    "at_home",
    "cache_folder",
    "digest_of",
    "explain",
    "is_address",
    "make_folder_of",
    "place",
    "portable_name",
    "replacing",
    "write_atomically",
    "write_csv",
]
