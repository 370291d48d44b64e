"""Sound files that AWS does not take, and pairs that do not fit: each is refused clearly.

The words are in `tests/vectors/refusals.json`.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from openssl_files import CA, END_ENTITY, OpenSSL, build_pki
from refusals import Make, check, sources

from boto_rolesanywhere.settings.sources import IdentitySources


def own(
    *options: str,
    algorithm: str = "EC",
    key: str = "P-256",
    subject: str = "/CN=app",
    extensions: str = END_ENTITY,
    parameters: tuple[str, ...] = (),
) -> Make:
    """A certificate of its own kind, with its own key."""

    def sources_of(openssl: OpenSSL) -> IdentitySources:
        given = (f"ec_paramgen_curve:{key}",) if algorithm == "EC" else ()
        openssl.key("own.key", algorithm, *given, *parameters)
        openssl.certificate(
            "own.crt", "own.key", subject, *options, issuer="lower", extensions=extensions
        )
        return sources(openssl.path("own.crt"), openssl.path("own.key"))

    return sources_of


def explicit(name: str, encoding: str) -> Make:
    """A certificate with explicit parameters, its key converted."""

    def sources_of(openssl: OpenSSL) -> IdentitySources:
        own(parameters=("ec_param_enc:explicit",))(openssl)
        openssl("ec", "-in", "own.key", "-param_enc", encoding, "-out", name)
        return sources(openssl.path("own.crt"), openssl.path(name))

    return sources_of


def long_chain(openssl: OpenSSL) -> IdentitySources:
    issuer, chain = "root", b""
    for number in range(6):
        name = f"step{number}"
        openssl.key(f"{name}.key")
        openssl.certificate(
            f"{name}.crt", f"{name}.key", f"/CN={name}", issuer=issuer, extensions=CA
        )
        issuer, chain = name, chain + openssl.read(f"{name}.crt")
    openssl.certificate("deep.crt", "ec.key", "/CN=deep", issuer=issuer)
    return sources(
        openssl.path("deep.crt"), openssl.path("ec.key"), chain=openssl.write("deep.pem", chain)
    )


CASES: dict[str, Make] = {
    "Ed25519": own(algorithm="ED25519"),
    "RSA 1024": own(algorithm="RSA", parameters=("rsa_keygen_bits:1024",)),
    "secp256k1": own(key="secp256k1"),
    "P-224": own(key="P-224"),
    "X25519": lambda o: sources(o.path("ec.crt"), o.key("x.key", "X25519")),
    "explicit parameters": own(parameters=("ec_param_enc:explicit",)),
    "explicit parameters in SEC 1": explicit("key.sec1", "explicit"),
    "explicit parameters in the certificate": explicit("named.key", "named_curve"),
    "RSA-PSS": own(algorithm="RSA-PSS", parameters=("rsa_keygen_bits:2048",)),
    "another key": lambda o: sources(o.path("ec.crt"), o.path("other.key")),
    "a key of another kind": lambda o: sources(o.path("ec.crt"), o.path("rsa.key")),
    "none of several": lambda o: sources(
        o.write("b.pem", o.read("ec.crt") + o.read("lower.crt")), o.path("other.key")
    ),
    "expired": lambda o: sources(o.path("ec.crt"), o.path("ec.key")),
    "not yet valid": lambda o: sources(o.path("ec.crt"), o.path("ec.key")),
    "a CA's": lambda o: sources(o.path("lower.crt"), o.path("lower.key")),
    "no keyUsage": own(extensions="basicConstraints=CA:FALSE"),
    "keyUsage without digitalSignature": own(extensions="keyUsage=keyEncipherment"),
    "SHA-1": own("-sha1"),
    "SHA-224": own("-sha224"),
    "empty subject": own(subject="/"),
    "X.509 v1": own(extensions=""),
    "chain of six": long_chain,
}
LATER = {"expired": timedelta(days=31), "not yet valid": timedelta(days=-1)}


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> OpenSSL:
    return build_pki(tmp_path_factory.mktemp("pki"))


@pytest.mark.parametrize("name", CASES)
def test_each_is_refused_in_these_words(name: str, pki: OpenSSL) -> None:
    check(name, CASES[name], pki, LATER.get(name, timedelta()))
