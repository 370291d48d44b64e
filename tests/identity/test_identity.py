"""What an identity shows of itself: enough to recognise it, whatever stands in it."""

from __future__ import annotations

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from boto_rolesanywhere.identity.files.contents import Contents
from boto_rolesanywhere.identity.identity import Identity
from boto_rolesanywhere.identity.opening import Matched
from boto_rolesanywhere.signing_key import Algorithm
from boto_rolesanywhere.testing import CertificateAuthority

APP = CertificateAuthority().issue("app").certificate
ALGORITHM: Algorithm = "AWS4-X509-ECDSA-SHA256"


class Key:
    """A key of the program's own, which shows its PIN."""

    def sign(self, data: bytes) -> bytes:
        return data

    def __repr__(self) -> str:
        return "PIN 1234"


def with_common_name(encoded: bytes) -> x509.Certificate:
    """The certificate of `app` with other bytes in place of the UTF8String of its name."""
    good = APP.public_bytes(Encoding.DER)
    assert b"\x0c\x03app" in good
    return x509.load_der_x509_certificate(good.replace(b"\x0c\x03app", encoded))


def test_its_repr_names_subject_serial_number_and_algorithm() -> None:
    identity = Identity(certificate=APP, chain=(), key=Key(), algorithm=ALGORITHM)

    assert repr(identity) == f"<Identity CN=app, serial number {APP.serial_number}, {ALGORITHM}>"


@pytest.mark.parametrize("encoded", [b"\x00\x03app", b"\x0c\x03\xff\xfep", b"\x0c\x03a\x1b["])
def test_no_name_makes_a_repr_fail_or_steers_the_terminal(encoded: bytes) -> None:
    odd = with_common_name(encoded)
    identity = Identity(certificate=odd, chain=(odd,), key=Key(), algorithm=ALGORITHM)
    matched = Matched(key=Key(), leaf=odd, candidates=(odd,), intermediates=(odd,))

    shown = repr([identity, matched, Contents(certificates=(odd,), beside=(odd,))])

    assert "PIN" not in shown
    assert shown.isprintable()
