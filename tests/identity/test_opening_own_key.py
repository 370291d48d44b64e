"""A key that the user made: it is used as it is, and told as it fails."""

from __future__ import annotations

import re

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from opened import NOW, signs

from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.settings.sources import IdentitySources
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import IssuedCertificate


class OwnKey:
    """A user's own key."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.closed = 0

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._key.public_key()

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data, ec.ECDSA(SHA256()))

    def close(self) -> None:
        self.closed += 1


def test_a_users_own_key_is_used_as_it_is(issued: IssuedCertificate) -> None:
    assert isinstance(issued.private_key, ec.EllipticCurvePrivateKey)
    own = OwnKey(issued.private_key)
    assert isinstance(own, SigningKey)
    identity = open_identity(
        IdentitySources(certificate=issued.certificate, private_key=own), now=NOW
    )
    assert identity.key is own
    assert signs(identity)
    identity.close()
    assert own.closed == 1


def test_an_own_key_that_is_not_the_certificates_is_refused(issued: IssuedCertificate) -> None:
    other = OwnKey(ec.generate_private_key(ec.SECP256R1()))
    sources = IdentitySources(certificate=issued.certificate, private_key=other)
    with pytest.raises(PrivateKeyError, match="does not belong to the certificate"):
        open_identity(sources, now=NOW)


def test_an_own_key_that_gives_no_public_key_is_refused(issued: IssuedCertificate) -> None:
    class Odd(OwnKey):
        def public_key(self) -> str:  # type: ignore[override]  # what is odd
            return "ssh-rsa AAAA"

    odd = Odd(ec.generate_private_key(ec.SECP256R1()))
    sources = IdentitySources(certificate=issued.certificate, private_key=odd)  # type: ignore[arg-type]  # the point
    with pytest.raises(PrivateKeyError, match="cannot use a key of this kind: str"):
        open_identity(sources, now=NOW)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (OSError("the card was pulled: 2468"), "the key Failing could not sign (OSError)"),
        ("signature", "the key Failing signed with a str; expected the signature as bytes"),
    ],
)
def test_an_own_key_that_fails_is_told_without_what_it_says(
    issued: IssuedCertificate, result: object, words: str
) -> None:
    class Failing(OwnKey):
        def sign(self, data: bytes) -> bytes:  # noqa: ARG002  # it fails at any
            if isinstance(result, Exception):
                raise result
            return result  # type: ignore[return-value]  # whatever a key may give

    own = Failing(issued.private_key)  # type: ignore[arg-type]  # a P-256 key
    sources = IdentitySources(certificate=issued.certificate, private_key=own)
    identity = open_identity(sources, now=NOW)

    with pytest.raises(PrivateKeyError, match=re.escape(words)) as caught:
        identity.sign(b"data")

    assert "2468" not in str(caught.value)
    assert caught.value.__cause__ is (result if isinstance(result, Exception) else None)
