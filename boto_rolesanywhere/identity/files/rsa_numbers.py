"""Whether the numbers of an RSA key belong together (RFC 8017, section 3.2).

OpenSSL would also test its primes for being prime, which takes a thousand times as long as all the
rest of reading a key. A file with other factors signs nothing that its certificate verifies, so
nothing is lost: the key is checked against the certificate, and AWS checks the signature.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_SMALLEST_EXPONENT = 3

# What RSA of 8192 bits needs: larger ones take minutes to be read, as a test of primes.
MOST_KEY_BYTES: Final = 6 * 1024
MOST_NUMBER_BYTES: Final = 1 + 8192 // 8


def belong_together(key: PrivateKeyTypes) -> bool:
    """Whether this is no RSA key, or one whose numbers fit one another."""
    from cryptography.hazmat.primitives.asymmetric import rsa

    if not isinstance(key, rsa.RSAPrivateKey):
        return True
    numbers = key.private_numbers()
    p, q, d = numbers.p, numbers.q, numbers.d
    n, e = numbers.public_numbers.n, numbers.public_numbers.e
    return (
        min(p, q) > 1
        and p * q == n
        and n % 2 == 1
        and e % 2 == 1
        and e >= _SMALLEST_EXPONENT
        and (d * e) % (p - 1) == 1
        and (d * e) % (q - 1) == 1
        and numbers.dmp1 == d % (p - 1)
        and numbers.dmq1 == d % (q - 1)
        and (numbers.iqmp * q) % p == 1
    )
