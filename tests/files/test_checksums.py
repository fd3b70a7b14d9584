"""Checksums, whole and by their first digits."""

import hashlib

import pytest

from striate.files import Checksum, digest_of

CONTENT = bytes(range(256)) * 5000
#: Of the empty message: RFC 1321 (appendix A.5), and NIST's examples of SHA-256.
MD5 = "d41d8cd98f00b204e9800998ecf8427e"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_a_digest_is_of_the_whole_file(tmp_path):
    (tmp_path / "a").write_bytes(CONTENT)
    assert digest_of(tmp_path / "a") == hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "a").write_bytes(b"")
    assert digest_of(tmp_path / "a") == SHA256
    assert digest_of(tmp_path / "a", "md5") == MD5


@pytest.mark.parametrize(("algorithm", "digits"), [("md5", MD5), ("sha256", SHA256)])
def test_the_first_digits_are_enough_and_must_be_the_first(tmp_path, algorithm, digits):
    (tmp_path / "empty").touch()
    for stated in (digits, digits[:8]):
        assert Checksum(algorithm, stated).is_of(tmp_path / "empty")
        assert Checksum(algorithm, stated).fits(digits)
    for stated in (digits[1:9], digits + "0", "f" + digits[1:], digits[:7] + "x"):
        assert not Checksum(algorithm, stated).is_of(tmp_path / "empty")
    assert str(Checksum(algorithm, digits)) == f"{algorithm} {digits[:8]}..."
