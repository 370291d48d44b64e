"""Odd certificates can be read and named."""

from __future__ import annotations

import math
import warnings

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from made_certificates import (
    issue,
)

from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.reading import decimal, quietly


def test_odd_subjects_can_be_named() -> None:
    assert describe_subject(issue("app")) == "CN=app"
    assert describe_subject(issue("")) == "an empty subject"
    encoded = issue("Germany").public_bytes(Encoding.DER)
    common_name, country = bytes.fromhex("0603550403"), bytes.fromhex("0603550406")
    odd = x509.load_der_x509_certificate(encoded.replace(common_name, country))
    with pytest.raises(UserWarning, match=r"(?i)two characters|length must be"):
        odd.subject.rfc4514_string()
    assert describe_subject(odd) == "C=Germany"
    broken = x509.load_der_x509_certificate(encoded.replace(b"Germany", b"Germ\xff\xfe\xfd"))
    assert describe_subject(broken) == "CN=Germ\xff\xfe\xfd"


def test_quietly_keeps_warnings_where_they_do_no_harm() -> None:
    def call() -> str:
        warnings.warn("odd", UserWarning, stacklevel=1)
        return "result"

    assert quietly(call) == "result"
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert quietly(call) == "result"
    assert [str(one.message) for one in shown] == ["odd"]
    with pytest.raises(ZeroDivisionError):
        quietly(lambda: 1 // 0)


@pytest.mark.parametrize("bits", [1, 160, 20_000])
def test_any_serial_number_can_be_written_in_decimal(bits: int) -> None:
    serial = 2**bits - 1
    written = decimal(serial)

    assert written.isdecimal()
    assert len(written) == math.floor(math.log10(serial)) + 1
    assert int(written[-9:]) == serial % 10**9


class PanicException(BaseException):  # as PyO3 names it, which gives no way to import it
    """The exception that a Python program sees after a panic in Rust."""


def test_a_panic_of_the_library_is_an_exception_like_others() -> None:
    def panic() -> None:
        raise PanicException("called `Result::unwrap()` on an `Err` value")

    with pytest.raises(ValueError, match="the cryptography library failed on it"):
        quietly(panic)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_the_end_of_the_program_is_no_panic(kind: type[BaseException]) -> None:
    def end() -> None:
        raise kind

    with pytest.raises(kind):
        quietly(end)
