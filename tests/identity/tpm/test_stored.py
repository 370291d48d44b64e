"""Which keys in a TPM are taken, in which form, and why others are refused."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from hypothesis import given, settings
from hypothesis import strategies as st
from software_tpm import SIGNING, SoftwareTpm, software_tpm

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import (
    ConfigurationError,
    KeyDeviceError,
    PrivateKeyError,
    RolesAnywhereError,
)
from boto_rolesanywhere.identity.tpm import open_tpm_key
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.signing_key import Digest, DigestSigningKey, SigningKey
from boto_rolesanywhere.testing import CertificateAuthority

BEGIN, END = b"-----BEGIN TSS2 PRIVATE KEY-----\n", b"-----END TSS2 PRIVATE KEY-----\n"


@pytest.fixture(scope="module")
def tpm() -> Iterator[SoftwareTpm]:
    with software_tpm() as tpm:
        yield tpm


@pytest.fixture(scope="module")
def pem(tpm: SoftwareTpm) -> bytes:
    """A P-256 key."""
    return tpm.pem("group:P-256")


@pytest.fixture(autouse=True)
def tcti(tpm: SoftwareTpm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TPM2TOOLS_TCTI", tpm.tcti)


def works(key: SigningKey) -> bool:
    return verify_signature(key.public_key(), key.sign(b"data"), b"data")


@pytest.mark.parametrize("digest", ["SHA384", "SHA512"])
def test_a_tpm_signs_with_other_digests(tpm: SoftwareTpm, digest: Digest) -> None:
    key = open_tpm_key(tpm.pem("bits:2048", algorithm="RSA"))

    assert isinstance(key, DigestSigningKey)
    assert verify_signature(key.public_key(), key.sign_with(b"data", digest), b"data", digest)


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
def test_an_ec_key_that_is_bound_to_sha256_signs_with_other_digests(
    tpm: SoftwareTpm, digest: Digest
) -> None:
    # As AWS's helper (1.8.0) has a TPM do it.
    key = open_tpm_key(tpm.persistent(0x81000131, "ecc256:ecdsa-sha256"))

    assert isinstance(key, DigestSigningKey)
    assert verify_signature(key.public_key(), key.sign_with(b"data", digest), b"data", digest)
    tpm.evict(0x81000131)


def with_der(pem: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The PEM with its DER changed."""
    der = base64.b64decode(pem.removeprefix(BEGIN).removesuffix(END))
    changed = change(der)
    assert changed != der
    return BEGIN + base64.encodebytes(changed) + END


FORMS: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda pem: pem.replace(b"\n", b"\r\n"),
    "no-newline-at-the-end": lambda pem: pem.rstrip(),
    "one-line": lambda pem: BEGIN + pem[len(BEGIN) : -len(END)].replace(b"\n", b"") + b"\n" + END,
    "bom": lambda pem: b"\xef\xbb\xbf" + pem,
    "text-around": lambda pem: b"a key for app-1\n" + pem + b"\nkeep it\0",
    "after-a-certificate": lambda pem: CertificateAuthority().certificate_pem + pem,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
def test_a_file_is_read_in_any_form(pem: bytes, form: Callable[[bytes], bytes]) -> None:
    data = form(pem)
    assert data != pem
    assert works(open_tpm_key(data))


def test_a_file_that_tpm2_tools_wrote(tpm: SoftwareTpm) -> None:
    tpm.run("tpm2_create", "-C", "0x81000001", "-G", "ecc256", "-u", "e.pub", "-r", "e.priv")
    tpm.run("tpm2_encodeobject", "-C", "0x81000001", "-u", "e.pub", "-r", "e.priv", "-o", "e.pem")
    # The tool writes of every key that it has a password, unless it is called with -p.
    assert works(open_tpm_key((tpm.folder / "e.pem").read_bytes(), secret=Secret("")))


def test_a_key_made_as_the_errors_advise(tpm: SoftwareTpm) -> None:
    tpm.run(
        *("tpm2_create", "-C", "0x81000001", "-G", "ecc256:ecdsa-sha256"),
        *("-u", "e.pub", "-r", "e.priv"),
    )
    tpm.run("tpm2_encodeobject", "-C", "0x81000001", "-u", "e.pub", "-r", "e.priv", "-o", "e.pem")
    # The tool writes of every key that it has a password, unless it is called with -p.
    assert works(open_tpm_key((tpm.folder / "e.pem").read_bytes(), secret=Secret("")))


def test_a_file_that_tpm2_pytss_wrote(tpm: SoftwareTpm) -> None:
    from tpm2_pytss import ESAPI
    from tpm2_pytss.tsskey import TSSPrivKey

    with ESAPI(tpm.tcti) as esapi:
        pem = TSSPrivKey.create_rsa(esapi).to_pem()
    assert works(open_tpm_key(pem))


def test_a_file_is_opened_without_the_tpm(pem: bytes) -> None:
    nowhere = "swtpm:host=127.0.0.1,port=1"
    key = open_tpm_key(pem, tcti=nowhere)
    assert key.public_key() == open_tpm_key(pem).public_key()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda pem: pem + pem, "2 complete PEM blocks were found"),
        (lambda pem: pem[:-30], "has no END line: it is cut short"),
        (lambda pem: pem.replace(b"\nM", b"\n*", 1), "cannot be read: "),
        (lambda pem: with_der(pem, lambda der: der[:-9]), "cannot be read: "),
        (lambda _: BEGIN + b"aGVsbG8=\n" + END, "cannot be read: "),
        # The object identifier of a sealed blob, 2.23.133.10.1.5.
        (
            lambda pem: with_der(pem, lambda der: der.replace(b"\x0a\x01\x03", b"\x0a\x01\x05")),
            "cannot be read: ",
        ),
        (
            lambda pem: with_der(pem, lambda der: der.replace(b"\x40\0\0\1", b"\x40\0\0\7", 1)),
            "parent 0x40000007 is not supported",
        ),
    ],
    ids=["two", "torn", "not-base64", "short", "not-asn1", "another-kind", "null-hierarchy"],
)
def test_a_file_that_cannot_be_used(
    pem: bytes, change: Callable[[bytes], bytes], words: str
) -> None:
    with pytest.raises(PrivateKeyError, match=re.escape(words)) as caught:
        open_tpm_key(change(pem), where="/etc/pki/app.pem")
    assert str(caught.value).startswith("/etc/pki/app.pem: the TPM key")
    assert caught.value.expected
    assert caught.value.remedy


def test_a_public_half_that_is_no_key(pem: bytes) -> None:
    public = open_tpm_key(pem).public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    x = public.public_numbers().x.to_bytes(32, "big")
    moved = with_der(pem, lambda der: der.replace(x, bytes(32)))

    with pytest.raises(PrivateKeyError, match="the TPM key's public half is not understood"):
        open_tpm_key(moved)


@settings(deadline=None, max_examples=300)
@given(data=st.data())
def test_any_content_gives_a_key_or_our_error(pem: bytes, data: st.DataObject) -> None:
    der = bytearray(base64.b64decode(pem.removeprefix(BEGIN).removesuffix(END)))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(der)))
        der[start : start + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    with suppress(RolesAnywhereError):  # when it is opened, or when the TPM is to load it
        assert works(open_tpm_key(BEGIN + base64.encodebytes(der) + END))


@pytest.mark.parametrize(
    "source",
    ["handle:0x80000001", "handle:0x82000000", "handle:0x40000001", "handle:8100010g", "handle:"],
)
def test_a_handle_that_is_none(source: str) -> None:
    with pytest.raises(ConfigurationError, match="not the handle of a persistent key") as caught:
        open_tpm_key(source)
    assert source in str(caught.value)
    assert "handle:0x81" in str(caught.value.expected)


def test_an_empty_handle(tpm: SoftwareTpm) -> None:
    with pytest.raises(KeyDeviceError, match=r"no such key in this TPM \(TPM return code 0x18b\)"):
        open_tpm_key("handle:0x81000199")


def test_a_handle_whose_key_was_exchanged(tpm: SoftwareTpm) -> None:
    key = open_tpm_key(tpm.persistent(0x81000120, "ecc256"))
    assert works(key)
    tpm.evict(0x81000120)
    with pytest.raises(KeyDeviceError, match="no such key in this TPM"):
        key.sign(b"data")
    tpm.persistent(0x81000120, "ecc256")
    with pytest.raises(PrivateKeyError, match="the handle holds another key than when"):
        key.sign(b"data")


UNSUITABLE = {
    "decrypting": ("rsa2048", SIGNING.replace("sign", "decrypt"), "may not sign"),
    "attestation": ("ecc256:ecdsa-sha256:null", f"{SIGNING}|restricted", "is restricted to data"),
    "policy": ("ecc256", SIGNING.replace("|userwithauth", ""), "is guarded by a policy"),
    "pss": (
        "rsa2048:rsapss-sha256:null",
        SIGNING,
        "bound to a signature scheme that AWS does not take",
    ),
    "sha384": ("ecc384:ecdsa-sha384", SIGNING, "bound to a signature scheme that AWS does not"),
    "rsa-sha384": ("rsa2048:rsassa-sha384", SIGNING, "bound to a signature scheme that AWS"),
    "hmac": ("hmac:sha256", SIGNING, "is not an asymmetric key"),
}


@pytest.mark.parametrize(
    ("number", "algorithm", "attributes", "words"),
    [(number, *row) for number, row in enumerate(UNSUITABLE.values())],
    ids=UNSUITABLE.keys(),
)
def test_an_unsuitable_key_is_refused_when_opened(
    tpm: SoftwareTpm, number: int, algorithm: str, attributes: str, words: str
) -> None:
    source = tpm.persistent(0x81000130 + number, algorithm, attributes=attributes)
    with pytest.raises(PrivateKeyError, match=words) as caught:
        open_tpm_key(source)
    assert source in str(caught.value)
    assert "tpm2_create -C 0x81000001 -G ecc256:ecdsa-sha256" in str(caught.value.remedy)
    assert "rsassa-sha256 or ecdsa-sha256" in str(caught.value.expected)


def test_the_key_of_another_tpm(tpm: SoftwareTpm, pem: bytes) -> None:
    with software_tpm() as other:
        key = open_tpm_key(pem, tcti=other.tcti)
        with pytest.raises(KeyDeviceError, match=r"belongs to another TPM.*0x1df"):
            key.sign(b"data")
        assert other.occupied_slots() == []


def test_a_parent_that_is_gone(tpm: SoftwareTpm) -> None:
    tpm.parent(0x81000003)
    key = open_tpm_key(tpm.pem("group:P-256", "parent:0x81000003"))
    assert works(key)
    tpm.evict(0x81000003)
    with pytest.raises(KeyDeviceError, match=r"the key's parent is not in this TPM.*0x18b"):
        key.sign(b"data")


def test_a_parent_that_is_no_parent(tpm: SoftwareTpm) -> None:
    tpm.parent(0x81000003)
    key = open_tpm_key(tpm.pem("group:P-256", "parent:0x81000003"))
    tpm.evict(0x81000003)
    tpm.persistent(0x81000003, "ecc256")
    with pytest.raises(KeyDeviceError, match=r"the key's parent is not a storage key.*0x18a"):
        key.sign(b"data")
    tpm.evict(0x81000003)


def test_the_codes_for_unsuitable_keys_are_those_of_a_real_tpm(tpm: SoftwareTpm) -> None:
    """They are refused before the TPM is asked; should one slip through, it is explained too."""
    from tpm2_pytss import TSS2_Exception

    from boto_rolesanywhere.identity import tpm as module
    from boto_rolesanywhere.identity.tpm.device import device_at
    from boto_rolesanywhere.identity.tpm.public import ECDSA, RSASSA

    tpm.persistent(0x81000140, "rsa2048")
    for handle, scheme, code in ((0x81000140, ECDSA, 0x2D2), (0x81000001, RSASSA, 0x19C)):
        with device_at(tpm.tcti).connection("k") as connection:
            found = connection.tr_from_tpmpublic(handle)
            with pytest.raises(TSS2_Exception) as caught:
                module._sign_digest(connection, found, bytes(32), "SHA256", scheme)
            assert caught.value.rc == code


def test_the_public_key_is_the_tpms(tpm: SoftwareTpm) -> None:
    def public_key(source: str | bytes) -> PublicKeyTypes:
        return open_tpm_key(source).public_key()

    assert public_key(tpm.pem("group:P-256")) == tpm.public_key_of_pem()
    assert public_key(tpm.persistent(0x81000150, "rsa2048")) == tpm.public_key_of_handle(0x81000150)
