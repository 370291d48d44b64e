"""The PIN of a real (software) token: where it comes from, and that no wrong one is tried twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pkcs11
import pytest
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import ConfigurationError, KeyDeviceError, PassphraseError
from boto_rolesanywhere.identity.pkcs11 import open_token_key, read_token_certificates
from boto_rolesanywhere.identity.pkcs11.libraries import LIBRARIES
from boto_rolesanywhere.settings.sources import Secret, SecretSource
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority()
WRONG, NEW_PIN = "9999", "4321"


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        issued = CA.issue()
        token.add_key(issued.private_key, label="web", id_="01")
        token.add_certificate(issued.certificate, label="web", id_="01")
        yield token


def opened(token: SoftToken, pin: SecretSource | None = PIN, query: str = "") -> SigningKey:
    secret = None if pin is None else Secret(pin, "argument passphrase")
    return open_token_key(f"{token.uri};object=web{query}", module=SOFTHSM, secret=secret)


def signs(key: SigningKey) -> bool:
    return verify_signature(key.public_key(), key.sign(b"data"), b"data")


class TestWhereItComesFrom:
    @pytest.mark.parametrize("pin", [PIN, PIN.encode(), lambda: PIN, PIN.encode])
    def test_secret(self, token: SoftToken, pin: SecretSource) -> None:
        assert signs(opened(token, pin))

    def test_pin_value(self, token: SoftToken) -> None:
        key = opened(token, None, f"?pin-value={PIN}")
        assert signs(key)
        assert PIN not in repr(key)

    @pytest.mark.parametrize("content", [PIN, f"{PIN}\n", f"{PIN}\r\n"])
    @pytest.mark.parametrize("form", ["{}", "file:{}", "file://{}", "file://localhost{}"])
    def test_pin_source(self, token: SoftToken, tmp_path: Path, form: str, content: str) -> None:
        path = tmp_path / "pin"
        path.write_bytes(content.encode())
        assert signs(opened(token, None, f"?pin-source={form.format(path)}"))

    def test_the_uri_goes_before_the_secret(self, token: SoftToken) -> None:
        assert signs(opened(token, WRONG, f"?pin-value={PIN}"))
        assert not token.wrong_pin_was_tried()

    def test_a_callable_is_asked_once_while_the_token_is_not_locked_up(
        self, token: SoftToken
    ) -> None:
        asked: list[bool] = []
        other = opened(token)

        def ask() -> str:
            worker = threading.Thread(target=lambda: asked.append(signs(other)))
            worker.start()
            worker.join(60)
            return PIN

        key = opened(token, ask)
        assert signs(key)
        assert signs(key)
        assert asked == [True]

    @pytest.mark.parametrize(
        ("pin", "said"),
        [
            (None, "the token wants a PIN, and none is given. Give the PIN as passphrase="),
            ("", "argument passphrase: the PIN is empty"),
            (b"\xff\xfe", "argument passphrase: the PIN is not UTF-8"),
        ],
    )
    def test_none_to_be_had(self, token: SoftToken, pin: SecretSource | None, said: str) -> None:
        with pytest.raises(PassphraseError) as caught:
            opened(token, pin)
        assert said in str(caught.value)
        assert "pin-source=" in str(caught.value)
        assert not token.wrong_pin_was_tried()

    def test_pin_source_that_is_not_there(self, token: SoftToken, tmp_path: Path) -> None:
        with pytest.raises(ConfigurationError, match="absent' cannot be read"):
            opened(token, None, f"?pin-source={tmp_path}/absent")

    def test_pin_source_that_is_something_else(self, token: SoftToken, tmp_path: Path) -> None:
        (tmp_path / "pin").write_bytes(b"1" * 5000)
        with pytest.raises(ConfigurationError, match="larger than 4096 bytes"):
            opened(token, None, f"?pin-source={tmp_path}/pin")


class TestAWrongOne:
    def test_is_tried_once(self, token: SoftToken) -> None:
        with pytest.raises(PassphraseError, match=r"refused the PIN \(PKCS#11: PinIncorrect\)"):
            opened(token, WRONG)
        assert token.wrong_pin_was_tried()
        token.give_right_pin()
        for query in ("", f"?pin-value={WRONG}"):
            with pytest.raises(PassphraseError, match="has refused this PIN before") as caught:
                opened(token, WRONG, query)
            assert WRONG not in str(caught.value)
        assert not token.wrong_pin_was_tried()
        assert signs(opened(token))

    def test_is_tried_once_by_eight_threads(self, token: SoftToken) -> None:
        start, errors = threading.Barrier(8), list[str]()

        def work() -> None:
            start.wait(60)
            with pytest.raises(PassphraseError) as caught:
                opened(token, WRONG)
            errors.append(str(caught.value))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert sum("refused the PIN (" in error for error in errors) == 1
        assert sum("has refused this PIN before" in error for error in errors) == 7

    def test_is_told_apart_from_the_right_one_that_is_in_use(self, token: SoftToken) -> None:
        right = opened(token)
        with pytest.raises(PassphraseError, match="PinIncorrect"):
            opened(token, WRONG)
        token.give_right_pin()
        assert signs(right)
        assert not token.wrong_pin_was_tried()

    def test_of_one_token_may_be_right_for_another(self, token: SoftToken) -> None:
        other = token.another()
        other.add_key(CA.issue(key_type="RSA-2048").private_key, label="web")
        other.tool("--change-pin", "--new-pin", WRONG)
        with pytest.raises(PassphraseError):
            opened(token, WRONG)
        assert signs(opened(other, WRONG))

    def test_is_not_used_for_certificates_that_need_none(self, token: SoftToken) -> None:
        uri = f"{token.uri};object=web"
        assert any(read_token_certificates(uri, module=SOFTHSM, secret=Secret(WRONG)))
        assert not token.wrong_pin_was_tried()

    def test_after_the_pin_was_changed(self, token: SoftToken, tmp_path: Path) -> None:
        source = tmp_path / "pin"
        source.write_text(PIN)
        key = opened(token, None, f"?pin-source={source}")
        assert signs(key)
        token.tool("--change-pin", "--new-pin", NEW_PIN)
        with token.removed(), pytest.raises(KeyDeviceError):
            key.sign(b"data")
        with pytest.raises(PassphraseError, match="PinIncorrect"):
            key.sign(b"data")
        with pytest.raises(PassphraseError, match="has refused this PIN before"):
            key.sign(b"data")
        source.write_text(NEW_PIN)
        assert signs(key)

    def test_a_new_pin_takes_over_from_the_old_one(self, token: SoftToken) -> None:
        old = opened(token)
        token.tool("--change-pin", "--new-pin", NEW_PIN)
        assert signs(old)
        assert signs(opened(token, NEW_PIN))


class TestAlwaysAuthenticate:
    @pytest.fixture
    def uri(self, token: SoftToken) -> str:
        issued = CA.issue()
        token.add_key(issued.private_key, "--always-auth", label="guarded", id_="02")
        token.add_certificate(issued.certificate, label="guarded", id_="02")
        return f"{token.uri};object=guarded"

    def test_the_pin_is_given_with_each_signature(self, uri: str) -> None:
        asked: list[bool] = []

        def ask() -> str:
            asked.append(True)
            return PIN

        key = open_token_key(uri, module=SOFTHSM, secret=Secret(ask))
        assert all(signs(key) for _ in range(3))
        assert len(asked) == 1

    def test_a_wrong_pin_is_given_once(self, token: SoftToken, uri: str) -> None:
        log_in_elsewhere(token)
        key = open_token_key(uri, module=SOFTHSM, secret=Secret(WRONG))
        with pytest.raises(PassphraseError, match="PinIncorrect"):
            key.sign(b"data")
        token.give_right_pin()
        with pytest.raises(PassphraseError, match="has refused this PIN before"):
            key.sign(b"data")
        assert not token.wrong_pin_was_tried()

    def test_a_wrong_pin_wedges_nothing(self, token: SoftToken, uri: str) -> None:
        log_in_elsewhere(token)
        pins = [PIN, WRONG]
        key = open_token_key(uri, module=SOFTHSM, secret=Secret(pins.pop))
        other = opened(token)
        generation = LIBRARIES.generation
        with pytest.raises(PassphraseError, match="PinIncorrect"):
            key.sign(b"data")
        assert signs(key)
        assert signs(other)
        assert LIBRARIES.generation == generation  # nobody had to start anew for it


def log_in_elsewhere(token: SoftToken) -> None:
    """Be another part of the program that is logged in: then logging in tells nothing of a PIN."""
    assert any(read_token_certificates(token.uri, module=SOFTHSM))
    library = pkcs11.lib(str(Path(SOFTHSM).resolve()))
    library.get_token(token_label=token.label).open(user_pin=PIN)
