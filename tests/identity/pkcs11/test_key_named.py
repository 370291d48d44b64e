"""Keys on a (software) PKCS#11 token: which one a URI names, and keys that do not do."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from soft_token import PIN, SOFTHSM, SoftToken
from token_objects import CA, fails, opened

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import ConfigurationError, KeyDeviceError
from boto_rolesanywhere.identity.pkcs11 import open_token_key, read_token_certificates
from boto_rolesanywhere.settings.sources import Secret


def public_of(key: object) -> PublicKeyTypes:
    assert isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey)
    return key.public_key()


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
