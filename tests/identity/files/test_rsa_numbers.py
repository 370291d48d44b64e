"""An RSA key whose numbers do not belong together is refused, without a test of primes."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.files.pem import Block
from boto_rolesanywhere.identity.files.private_keys import decode_key

KEY = rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Numbers:
    """RFC 8017, appendix A.1.2, in its order."""

    n: int
    e: int
    d: int
    p: int
    q: int
    dmp1: int
    dmq1: int
    iqmp: int

    def encoded(self) -> bytes:
        values = (0, self.n, self.e, self.d, self.p, self.q, self.dmp1, self.dmq1, self.iqmp)
        parts = (
            der.encode(der.INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))
            for value in values
        )
        return der.encode(der.SEQUENCE, b"".join(parts))


def numbers() -> Numbers:
    found = KEY.private_numbers()
    public = found.public_numbers
    return Numbers(
        public.n, public.e, found.d, found.p, found.q, found.dmp1, found.dmq1, found.iqmp
    )


def test_a_whole_key_is_read() -> None:
    encoded = numbers().encoded()
    assert encoded == KEY.private_bytes(
        Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption()
    )
    key = decode_key(Block("RSA PRIVATE KEY", encoded), "app.key", None)
    assert key.public_key() == KEY.public_key()


@pytest.mark.parametrize("name", ["n", "e", "d", "p", "q", "dmp1", "dmq1", "iqmp"])
@pytest.mark.parametrize("value", [None, 0, 1, 2])
def test_a_number_that_does_not_fit_is_refused(name: str, value: int | None) -> None:
    whole = numbers()
    changed = replace(whole, **{name: getattr(whole, name) + 2 if value is None else value})
    with pytest.raises(PrivateKeyError, match="it is damaged, or of a kind"):
        decode_key(Block("RSA PRIVATE KEY", changed.encoded()), "app.key", None)
