"""Keys and certificates on a real (software) PKCS#11 token: found, or not found and why."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.certificates.chain import find_leaf, order_chain
from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    KeyDeviceError,
    RolesAnywhereError,
)
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.identity.pkcs11 import open_token_key, read_token_certificates
from boto_rolesanywhere.settings.sources import IdentitySources, Secret
from boto_rolesanywhere.signing_key import Digest, DigestSigningKey, SigningKey
from boto_rolesanywhere.testing import CertificateAuthority, IssuedCertificate, KeyType, utc_now

CA = CertificateAuthority()


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        yield token


def opened(token: SoftToken, rest: str, module: str | None = SOFTHSM) -> SigningKey:
    return open_token_key(token.uri + rest, module=module, secret=Secret(PIN))


def certificates(token: SoftToken, rest: str = "") -> tuple[x509.Certificate, ...]:
    return read(token.uri + rest)


def read(
    uri: str, module: str = SOFTHSM, secret: Secret | None = None
) -> tuple[x509.Certificate, ...]:
    """Those that the URI names, then the others."""
    named, others = read_token_certificates(uri, module=module, secret=secret)
    return (*named, *others)


def fails(token: SoftToken, rest: str) -> str:
    with pytest.raises(KeyDeviceError) as caught:
        opened(token, rest)
    return str(caught.value)


def public_of(key: object) -> PublicKeyTypes:
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key.public_key()


@pytest.mark.parametrize("digest", ["SHA256", "SHA384", "SHA512"])
@pytest.mark.parametrize("key_type", ["P-256", "P-384", "RSA-2048"])
def test_a_token_signs_with_other_digests(
    token: SoftToken, key_type: KeyType, digest: Digest
) -> None:
    issued = CA.issue("app", key_type=key_type)
    token.add_key(issued.private_key, label="app", id_="01")
    token.add_certificate(issued.certificate, label="app", id_="01")
    key = opened(token, ";object=app")

    assert isinstance(key, DigestSigningKey)
    assert verify_signature(key.public_key(), key.sign_with(b"data", digest), b"data", digest)


class TestWhichKey:
    @pytest.fixture(autouse=True)
    def filled(self, token: SoftToken) -> None:
        self.web, self.mail = CA.issue("web"), CA.issue("mail")
        for number, issued in enumerate((self.web, self.mail), 1):
            name = issued.certificate.subject.rfc4514_string().removeprefix("CN=")
            token.add_key(issued.private_key, label=f"{name}-key", id_=f"0{number}")
            token.add_certificate(issued.certificate, label=f"{name}-cert", id_=f"0{number}")

    @pytest.mark.parametrize(
        "rest",
        [
            ";object=mail-key",
            ";object=mail-key;type=private",
            ";id=%02",
            ";id=%02;type=private",
            ";id=%02;object=mail-key",
            ";object=mail-cert",
            ";object=mail-cert;type=cert",
            ";id=%02;type=cert",
        ],
    )
    def test_the_uri_names_the_key_or_its_certificate(self, token: SoftToken, rest: str) -> None:
        key = opened(token, rest)
        assert key.public_key() == self.mail.certificate.public_key()
        assert verify_signature(key.public_key(), key.sign(b"data"), b"data")

    def test_several_match(self, token: SoftToken) -> None:
        message = fails(token, "")
        assert "2 private keys on the token match" in message
        assert "'web-key' (id 01)" in message
        assert "'mail-key' (id 02)" in message
        assert "object=" in message

    @pytest.mark.parametrize("rest", [";object=nobody", ";id=%02;object=web-key", ";id=%ff"])
    def test_none_matches(self, token: SoftToken, rest: str) -> None:
        message = fails(token, rest)
        assert "no private key on the token matches" in message
        assert "'web-key' (id 01)" in message
        assert "'mail-cert' (id 02)" in message
        assert PIN not in message

    def test_an_id_as_other_tools_print_it(self, token: SoftToken) -> None:
        assert "as 01a0 is written id=%01%a0" in fails(token, ";id=01a0")

    def test_a_label_of_the_certificate_is_not_one_of_the_key(self, token: SoftToken) -> None:
        assert "no private key" in fails(token, ";object=mail-cert;type=private")

    @pytest.mark.parametrize("type_", ["data", "secret-key"])
    def test_another_class_of_object(self, token: SoftToken, type_: str) -> None:
        for ask in (open_token_key, read_token_certificates):
            with pytest.raises(ConfigurationError, match=f"type={type_}; expected type=private"):
                ask(f"{token.uri};type={type_}", module=SOFTHSM, secret=Secret(PIN))

    def test_the_only_key_needs_no_name(self, token: SoftToken) -> None:
        other = token.another()
        other.add_key(self.web.private_key, label="k")
        other.add_certificate(self.web.certificate, label="k")
        assert opened(other, "").public_key() == self.web.certificate.public_key()


class TestKeyOfACertificate:
    """A certificate is named; its key has the same id, else the label, else the public key."""

    def test_same_label_without_id(self, token: SoftToken) -> None:
        issued, other = CA.issue(), CA.issue()
        token.add_key(other.private_key, label="other")
        token.add_key(issued.private_key, label="web")
        token.add_certificate(issued.certificate, label="web", id_="0a")
        key = opened(token, ";object=web;type=cert")
        assert key.public_key() == issued.certificate.public_key()

    @pytest.mark.parametrize("key_type", ["P-256", "RSA-2048"])
    def test_same_public_key(self, token: SoftToken, key_type: str) -> None:
        issued, other = CA.issue(key_type=key_type), CA.issue()  # type: ignore[arg-type]  # a KeyType
        token.add_key(other.private_key, label="other", id_="01")
        token.add_certificate(other.certificate, label="other", id_="01")
        token.add_key(issued.private_key, label="x", id_="02")
        token.add_public_key(public_of(issued.private_key), label="x", id_="02")
        token.add_certificate(issued.certificate, label="web", id_="03")
        key = opened(token, ";object=web;type=cert")
        assert key.public_key() == issued.certificate.public_key()

    def test_one_id_for_two_keys(self, token: SoftToken) -> None:
        issued, other = CA.issue(key_type="P-384"), CA.issue()
        for one, label in ((issued, "a"), (other, "b")):
            token.add_key(one.private_key, label=label, id_="01")
            token.add_certificate(one.certificate, label=label, id_="01")
        key = opened(token, ";object=a;type=cert")
        assert key.public_key() == issued.certificate.public_key()

    def test_a_public_key_names_it_too(self, token: SoftToken) -> None:
        issued = CA.issue()
        token.add_key(issued.private_key, id_="01")
        token.add_public_key(public_of(issued.private_key), label="web", id_="01")
        for rest in (";object=web", ";object=web;type=public"):
            assert opened(token, rest).public_key() == issued.certificate.public_key()

    def test_a_certificate_without_key(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web", id_="01")
        assert "it holds private keys (none)" in fails(token, ";object=web;type=cert")


class TestKeysThatDoNot:
    def test_a_key_that_may_not_sign(self, token: SoftToken) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="web", id_="01")
        token.forbid_signing("web")
        assert "may not sign (its CKA_SIGN is false)" in fails(token, ";object=web")

    def test_a_key_that_may_sign_is_preferred(self, token: SoftToken) -> None:
        signing, other = CA.issue(key_type="RSA-2048"), CA.issue(key_type="RSA-2048")
        token.add_key(other.private_key, label="web", id_="01")
        token.forbid_signing("web")
        token.add_key(signing.private_key, label="web", id_="02")
        key = opened(token, ";object=web")
        assert key.public_key() == signing.certificate.public_key()

    def test_no_public_key_for_ec(self, token: SoftToken) -> None:
        token.add_key(CA.issue().private_key, label="web", id_="01")
        assert "the private key has no public key that can be used" in fails(token, ";object=web")

    def test_the_public_key_of_rsa_stands_in_the_private_one(self, token: SoftToken) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="web")
        assert opened(token, ";object=web").public_key() == issued.certificate.public_key()

    def test_a_certificate_of_another_curve_under_the_same_id(self, token: SoftToken) -> None:
        issued = CA.issue()
        token.add_key(issued.private_key, label="web", id_="01")
        token.add_certificate(CA.issue(key_type="P-384").certificate, label="web", id_="01")
        token.add_certificate(issued.certificate, label="web", id_="01")
        key = opened(token, ";object=web")
        assert verify_signature(issued.certificate.public_key(), key.sign(b"x"), b"x")

    @pytest.mark.parametrize("options", [(), ("--always-auth",)])
    def test_certificates_of_earlier_keys_under_the_same_id(
        self, token: SoftToken, options: tuple[str, ...]
    ) -> None:
        issued = CA.issue()
        token.add_key(issued.private_key, *options, label="web", id_="01")
        for one in (CA.issue(), issued, CA.issue()):
            token.add_certificate(one.certificate, label="web", id_="01")
        key = opened(token, ";object=web")
        assert key.public_key() == issued.certificate.public_key()
        assert verify_signature(key.public_key(), key.sign(b"data"), b"data")

    def test_another_public_key_under_the_same_id(self, token: SoftToken) -> None:
        token.add_key(CA.issue().private_key, label="web", id_="01")
        token.add_certificate(CA.issue().certificate, label="web", id_="01")
        key = opened(token, ";object=web")
        with pytest.raises(KeyDeviceError, match="does not fit the public key found on it"):
            key.sign(b"data")

    @pytest.mark.parametrize("key_type", ["EC:edwards25519", "EC:secp256k1"])
    def test_another_kind_of_key(self, token: SoftToken, key_type: str) -> None:
        token.tool(
            *("--keypairgen", "--key-type", key_type, "--label", "web", "--id", "01"),
            "--usage-sign",
        )
        assert "neither RSA nor EC" in fails(token, ";object=web")


class TestCertificates:
    def test_named_first_then_the_others(self, token: SoftToken) -> None:
        intermediate = CA.issue_intermediate()
        issued, other = intermediate.issue("web"), CA.issue("other")
        token.add_certificate(other.certificate, label="other", id_="02")
        token.add_certificate(intermediate.certificate, label="intermediate")
        token.add_certificate(issued.certificate, label="web", id_="01")
        token.add_key(issued.private_key, label="web", id_="01")
        for rest in (";object=web", ";id=%01", ";object=web;type=cert", ";id=%01;object=web"):
            found = certificates(token, rest)
            assert found[0] == issued.certificate
            assert len(found) == 3
            assert all(each in found for each in (other.certificate, intermediate.certificate))
        key = opened(token, ";object=web")
        leaf = find_leaf(found, key.public_key())
        assert leaf == issued.certificate
        assert order_chain(leaf, found) == (intermediate.certificate,)

    def test_they_need_no_pin(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web")

        def never() -> str:
            raise AssertionError("asked for a PIN without need")

        uri = f"{token.uri};object=web"
        assert len(read(uri, secret=Secret(never))) == 1

    def test_private_ones_need_it(self, token: SoftToken) -> None:
        issued = CA.issue()
        value = issued.certificate.public_bytes(Encoding.DER)
        token.add_odd_certificate(value, label="web", private=True)
        with pytest.raises(KeyDeviceError, match="no certificate on the token"):
            certificates(token, ";object=web")
        found = read(f"{token.uri};object=web", secret=Secret(PIN))
        assert found == (issued.certificate,)

    def test_attestations_are_told_apart_by_label(self, token: SoftToken) -> None:
        issued = CA.issue("web")
        attestation = CA.issue("YubiKey PIV Attestation 9a", key=issued.private_key)
        label = "X.509 Certificate for PIV Attestation 9a"
        token.add_certificate(attestation.certificate, label=label, id_="01")
        token.add_certificate(
            issued.certificate, label="X.509 Certificate for PIV Authentication", id_="01"
        )
        assert certificates(token, ";id=%01") == (issued.certificate,)
        asked_for = certificates(token, f";object={label.replace(' ', '%20')}")
        assert asked_for == (attestation.certificate, issued.certificate)

    def test_one_that_cannot_be_read(self, token: SoftToken) -> None:
        issued = CA.issue()
        token.add_certificate(issued.certificate, label="good")
        token.add_odd_certificate(b"0\x03\x02\x01\x01", label="broken")
        assert certificates(token, ";object=good") == (issued.certificate,)
        with pytest.raises(CertificateError, match=r"cannot be read; expected an X\.509"):
            certificates(token, ";object=broken")


class TestIdentity:
    @pytest.fixture
    def issued(self, token: SoftToken) -> IssuedCertificate:
        intermediate = CA.issue_intermediate()
        issued = intermediate.issue("web")
        token.add_key(issued.private_key, label="web", id_="01")
        token.add_certificate(intermediate.certificate, label="intermediate")
        token.add_certificate(issued.certificate, label="web", id_="01")
        return issued

    def test_all_of_it_on_the_token(self, token: SoftToken, issued: IssuedCertificate) -> None:
        identity = open_identity(
            IdentitySources(
                certificate=f"{token.uri};object=web?pin-value={PIN}", pkcs11_module=SOFTHSM
            ),
            now=utc_now(),
        )
        assert identity.certificate == issued.certificate
        assert identity.chain == issued.chain
        assert verify_signature(issued.certificate.public_key(), identity.sign(b"x"), b"x")

    def test_the_key_alone_on_the_token(
        self, token: SoftToken, issued: IssuedCertificate, tmp_path: Path
    ) -> None:
        paths = issued.write(tmp_path)
        identity = open_identity(
            IdentitySources(
                certificate=paths.certificate,
                chain=paths.chain,
                private_key=f"{token.uri};object=web",
                secret=Secret(PIN),
                pkcs11_module=SOFTHSM,
            ),
            now=utc_now(),
        )
        assert identity.certificate == issued.certificate
        assert verify_signature(issued.certificate.public_key(), identity.sign(b"x"), b"x")


class TestWhichToken:
    @pytest.mark.parametrize(
        ("attribute", "value"),
        [
            ("manufacturer", "SoftHSM%20project"),
            ("model", "SoftHSM%20v2"),
            ("library-manufacturer", "SoftHSM"),
            ("slot-manufacturer", "SoftHSM%20project"),
        ],
    )
    def test_every_attribute_counts(self, token: SoftToken, attribute: str, value: str) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="web")
        assert opened(token, f";{attribute}={value}")
        assert "no such token" in fails(token, f";{attribute}={value}x")

    def test_by_serial_number_alone(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        with pytest.raises(KeyDeviceError) as caught:
            read_token_certificates("pkcs11:token=nobody", module=SOFTHSM)
        serial = str(caught.value).partition("(serial ")[2].partition(")")[0]
        assert len(read(f"pkcs11:serial={serial}")) == 1

    def test_several_match(self, token: SoftToken) -> None:
        other = token.another()
        with pytest.raises(KeyDeviceError) as caught:
            read_token_certificates("pkcs11:object=web", module=SOFTHSM)
        assert "2 tokens match" in str(caught.value)
        assert f"'{token.label}' (serial " in str(caught.value)
        assert f"'{other.label}' (serial " in str(caught.value)
        assert "token= or serial=" in str(caught.value)

    def test_slot_0_is_any_slot_if_no_token_is_there(self, token: SoftToken) -> None:
        # AWS's helper (1.8.0) passes over slot-id=0; SoftHSM numbers its slots at random.
        token.add_certificate(CA.issue().certificate, label="web")
        assert len(read(f"{token.uri};slot-id=0")) == 1
        assert "no such token" in fails(token, ";slot-id=1")

    def test_the_only_one_needs_no_name(self, token: SoftToken) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        assert len(read("pkcs11:object=web")) == 1

    def test_two_with_one_label(self, token: SoftToken) -> None:
        token.another(token.label)
        with pytest.raises(KeyDeviceError, match="2 tokens match"):
            certificates(token)

    def test_as_p11tool_writes_it(self, token: SoftToken, monkeypatch: pytest.MonkeyPatch) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="my key; 100% / ü?", id_="00ff3b")
        monkeypatch.setenv("GNUTLS_PIN", PIN)
        listed = token.run(
            *("p11tool", "--provider", SOFTHSM, "--login", "--list-privkeys", "--only-urls"),
            token.uri,
        )
        uri = listed.strip()
        assert uri.startswith("pkcs11:")
        assert "id=%00%FF%3B" in uri
        key = open_token_key(uri, module=SOFTHSM, secret=Secret(PIN))
        assert key.public_key() == issued.certificate.public_key()


class TestWhichLibrary:
    @pytest.mark.parametrize(
        ("query", "module"),
        [
            (f"?module-path={SOFTHSM}", None),
            ("?module-name=softhsm2", None),
            ("?module-name=SoftHSM2", None),
            ("?module-path=/usr/lib/softhsm&module-name=softhsm2", None),
            ("?module-path=/nowhere.so", SOFTHSM),
            ("", "libsofthsm2.so"),
            ("", None),
        ],
    )
    def test_where_it_is_found(self, token: SoftToken, query: str, module: str | None) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        assert len(read(token.uri + query, module=module)) == 1

    def test_not_a_library(self, tmp_path: Path) -> None:
        path = tmp_path / "text.so"
        path.write_text("text")
        with pytest.raises(KeyDeviceError, match="no PKCS#11 library that this process can load"):
            read_token_certificates("pkcs11:", module=str(path))

    def test_a_library_that_does_not_come_up(
        self, token: SoftToken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token.add_certificate(CA.issue().certificate, label="web")
        monkeypatch.setenv("SOFTHSM2_CONF", str(token.folder / "absent.conf"))
        with pytest.raises(KeyDeviceError) as caught:
            certificates(token)
        assert "GeneralError" in str(caught.value) or "no such token" in str(caught.value)
        monkeypatch.undo()

    def test_python_pkcs11_is_missing(self, token: SoftToken) -> None:
        program = (
            "import sys; sys.modules['pkcs11'] = None\n"
            "from boto_rolesanywhere.identity.pkcs11 import open_token_key\n"
            "try: open_token_key('pkcs11:token=x')\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        said = token.run(sys.executable, "-c", program)
        assert said.startswith("KeyDeviceError keys on PKCS#11 tokens need the package python-pkcs")
        assert "pip install 'boto_rolesanywhere[pkcs11]'" in said


class TestMechanisms:
    def test_rsa_where_the_token_does_not_hash(self, token: SoftToken) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(issued.private_key, label="web")
        token.configure("slots.mechanisms = CKM_RSA_PKCS,CKM_ECDSA")
        assert "SHA256-RSA-PKCS" not in token.tool("--list-mechanisms")
        key = opened(token, ";object=web")
        assert verify_signature(issued.certificate.public_key(), key.sign(b"data"), b"data")

    def test_a_key_that_must_not_use_them(self, token: SoftToken) -> None:
        issued = CA.issue(key_type="RSA-2048")
        token.add_key(
            issued.private_key, "--allowed-mechanisms", "RSA-PKCS-PSS", label="web", id_="01"
        )
        key = opened(token, ";object=web")
        with pytest.raises(KeyDeviceError, match="does not let this key sign as AWS wants it"):
            key.sign(b"data")


def test_no_error_shows_the_pin(token: SoftToken) -> None:
    pin = "83461527"
    for rest in ("", ";object=x", ";type=data", ";serial=x"):
        for query in ("", "&module-name=softhsm2", "&module-path=/nowhere", "&module-name=none"):
            with pytest.raises(RolesAnywhereError) as caught:
                open_token_key(f"{token.uri}{rest}?pin-value={pin}{query}")
            assert pin not in str(caught.value)
            assert pin not in repr(vars(caught.value))
