"""Keys on a real (software) token over time: threads, forks, lost tokens, shared libraries."""

from __future__ import annotations

import copy
import ctypes
import gc
import pickle
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pkcs11
import pytest
from forked import in_child
from soft_token import PIN, SOFTHSM, SoftToken, soft_token

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError
from boto_rolesanywhere.identity.pkcs11 import open_token_key
from boto_rolesanywhere.identity.pkcs11.libraries import LIBRARIES
from boto_rolesanywhere.identity.pkcs11.library_path import library_path
from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import CertificateAuthority

CA = CertificateAuthority()
PATIENCE = 60
MODULES = [pytest.param(SOFTHSM, id="direct"), pytest.param(None, id="proxy")]


@pytest.fixture
def token() -> Iterator[SoftToken]:
    with soft_token() as token:
        fill(token)
        yield token


def fill(token: SoftToken) -> None:
    for label, key_type in (("ec", "P-256"), ("rsa", "RSA-2048")):
        issued = CA.issue(key_type=key_type)  # type: ignore[arg-type]  # one of KeyType
        token.add_key(issued.private_key, label=label)
        token.add_certificate(issued.certificate, label=label)


def opened(token: SoftToken, module: str | None = SOFTHSM, label: str = "ec") -> SigningKey:
    uri = f"{token.uri};object={label}"
    return open_token_key(uri, module=module, secret=Secret(PIN))


def signs(key: SigningKey, data: bytes = b"data") -> bool:
    return verify_signature(key.public_key(), key.sign(data), data)


def library(module: str | None = SOFTHSM) -> object:
    """python-pkcs11's own object for a library that is loaded."""
    return pkcs11.lib(library_path(parse_pkcs11_uri("pkcs11:"), module))


def at_once(*tasks: Callable[[], object]) -> None:
    errors: list[BaseException] = []
    start = threading.Barrier(len(tasks))

    def run(task: Callable[[], object]) -> None:
        try:
            start.wait(PATIENCE)
            task()
        except BaseException as error:  # noqa: BLE001  # raised again below
            errors.append(error)

    threads = [threading.Thread(target=run, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
    if errors:
        raise errors[0]


class TestThreads:
    def test_keys_of_both_libraries_in_eight_threads(self, token: SoftToken) -> None:
        # The proxy calls SoftHSM too: a lock for each library would not keep them apart.
        keys = [
            opened(token, module, label) for module in (None, SOFTHSM) for label in ("ec", "rsa")
        ]

        def work(key: SigningKey) -> None:
            for turn in range(100):
                assert signs(key, b"%d" % turn)

        at_once(*(lambda key=key: work(key) for key in keys * 2))

    def test_opening_and_closing_beside_signatures(self, token: SoftToken) -> None:
        key = opened(token)

        def sign() -> None:
            for _ in range(100):
                assert signs(key)

        def reopen() -> None:
            for _ in range(20):
                other = opened(token)
                assert signs(other)
                other.close()  # type: ignore[attr-defined]  # optional in the Protocol

        at_once(*[sign] * 4, *[reopen] * 4)


class TestForks:
    @pytest.mark.parametrize("module", MODULES)
    def test_children_and_their_children(self, token: SoftToken, module: str | None) -> None:
        key = opened(token, module)
        assert in_child(lambda: signs(key) and in_child(lambda: signs(key)))
        assert signs(key)

    @pytest.mark.parametrize("module", MODULES)
    def test_a_key_is_opened_in_a_child(self, token: SoftToken, module: str | None) -> None:
        assert signs(opened(token, module))
        assert in_child(lambda: signs(opened(token, module)))

    def test_what_a_child_drops_stays_with_the_parent(self, token: SoftToken) -> None:
        key = opened(token)

        def close_and_finalize() -> bool:
            key.close()  # type: ignore[attr-defined]  # optional in the Protocol
            return signs(opened(token))

        assert in_child(close_and_finalize)
        assert signs(key)

    def test_a_child_logs_in_for_itself(self, token: SoftToken) -> None:
        opened(token)

        def wrong() -> bool:
            with pytest.raises(PassphraseError, match="PinIncorrect"):
                open_token_key(token.uri, module=SOFTHSM, secret=Secret("8888"))
            return True

        assert in_child(wrong)

    def test_a_wrong_pin_is_remembered_in_a_child(self, token: SoftToken) -> None:
        def wrong() -> str:
            with pytest.raises(PassphraseError) as caught:
                open_token_key(token.uri, module=SOFTHSM, secret=Secret("9999"))
            return str(caught.value)

        assert "PinIncorrect" in wrong()
        assert in_child(lambda: "before" in wrong())


class TestLostTokens:
    @pytest.mark.parametrize("module", MODULES)
    def test_removed_and_back(self, token: SoftToken, module: str | None) -> None:
        key = opened(token, module)
        for _ in range(2):
            with token.removed():
                for _ in range(2):
                    with pytest.raises(
                        KeyDeviceError, match="no such token; the library shows none"
                    ):
                        key.sign(b"data")
            assert signs(key)

    def test_back_before_it_was_missed(self, token: SoftToken) -> None:
        key = opened(token)
        with token.removed():
            pass
        assert signs(key)

    def test_removed_under_eight_threads(self, token: SoftToken) -> None:
        keys = [opened(token) for _ in range(8)]
        with token.removed():

            def fail(key: SigningKey) -> None:
                with pytest.raises(KeyDeviceError):
                    key.sign(b"data")

            at_once(*(lambda key=key: fail(key) for key in keys))
        at_once(*(lambda key=key: signs(key) for key in keys))
        assert all(signs(key) for key in keys)

    def test_back_with_another_key_under_the_same_name(self, token: SoftToken) -> None:
        key = opened(token)
        token.tool("--delete-object", "--type", "privkey", "--label", "ec")
        token.tool("--delete-object", "--type", "cert", "--label", "ec")
        fill(token)
        with pytest.raises(KeyDeviceError, match="the key was replaced"):
            key.sign(b"data")

    def test_gone_for_good(self, token: SoftToken) -> None:
        key = opened(token)
        token.tool("--delete-object", "--type", "privkey", "--label", "ec")
        with pytest.raises(KeyDeviceError, match="no private key on the token matches"):
            key.sign(b"data")

    def test_a_token_that_comes_later(self, token: SoftToken) -> None:
        with token.removed(), pytest.raises(KeyDeviceError, match="no such token"):
            opened(token)
        assert signs(opened(token))

    def test_one_inserted_beside_another(self, token: SoftToken) -> None:
        key = opened(token)
        other = token.another()
        fill(other)
        assert signs(opened(other))
        assert signs(key)


class TestOtherUsersOfTheLibrary:
    @pytest.mark.parametrize("module", MODULES)
    @pytest.mark.parametrize("calls", [["finalize"], ["finalize", "initialize"]])
    def test_finalized_by_another_part(
        self, token: SoftToken, module: str | None, calls: list[str]
    ) -> None:
        key, second = opened(token, module), opened(token, module, "rsa")
        for call in calls:
            getattr(library(module), call)()
        assert signs(key)
        assert signs(second)

    def test_logged_in_by_another_part(self, token: SoftToken) -> None:
        opened(token)
        library().reinitialize()  # type: ignore[attr-defined]  # as python-pkcs11 has it
        session = library().get_token(token_label=token.label).open(user_pin=PIN)  # type: ignore[attr-defined]  # the same
        assert signs(opened(token))
        session.close()
        assert signs(opened(token))

    @pytest.mark.parametrize("order", [[None, SOFTHSM], [SOFTHSM, None]])
    def test_the_proxy_and_the_library_behind_it(
        self, token: SoftToken, order: list[str | None]
    ) -> None:
        program = (
            "import sys\n"
            "from boto_rolesanywhere.identity.pkcs11 import open_token_key\n"
            "from boto_rolesanywhere.settings.sources import Secret\n"
            f"uri, pin, keys = '{token.uri};object=ec', Secret('{PIN}'), []\n"
            f"for path in {order!r}: keys.append(open_token_key(uri, module=path, secret=pin))\n"
            "for key in keys * 2: print(bool(key.sign(b'data')))\n"
        )
        assert token.run(sys.executable, "-c", program) == "True\n" * 4

    def test_initialised_by_something_else_first(self, token: SoftToken) -> None:
        program = (
            "import ctypes\n"
            f"print(ctypes.CDLL('{Path(SOFTHSM).resolve()}').C_Initialize(None))\n"
            "from boto_rolesanywhere.identity.pkcs11 import read_token_certificates\n"
            f"try: read_token_certificates('{token.uri}', module='{SOFTHSM}')\n"
            "except Exception as error: print(type(error).__name__, error)\n"
        )
        said = token.run(sys.executable, "-c", program)
        assert said.startswith("0\nKeyDeviceError")
        assert "has initialised this PKCS#11 library already" in said


class TestSessions:
    def test_closed_keys_leave_none(self, token: SoftToken) -> None:
        first = opened(token)
        before = open_sessions()
        assert before
        for _ in range(3):
            opened(token).close()  # type: ignore[attr-defined]  # optional in the Protocol
        assert open_sessions() == before
        assert signs(first)

    def test_dropped_keys_leave_none(self, token: SoftToken) -> None:
        first = opened(token)
        before = open_sessions()
        for _ in range(3):
            dropped = opened(token, label="rsa")
        assert open_sessions() > before
        del dropped
        gc.collect()
        assert open_sessions() == before
        assert signs(first)

    def test_keys_of_one_uri_and_pin_share_one(self, token: SoftToken) -> None:
        first = opened(token)
        before = open_sessions()
        others = [opened(token) for _ in range(3)]
        assert all(map(signs, others))
        assert open_sessions() == before

        first.close()  # type: ignore[attr-defined]  # optional in the Protocol
        assert all(map(signs, others))
        for other in others:
            other.close()  # type: ignore[attr-defined]  # optional in the Protocol
        assert open_sessions() == before - 1

    def test_another_pin_is_asked_of_the_token(self, token: SoftToken) -> None:
        first = opened(token)
        with pytest.raises(PassphraseError):
            open_token_key(f"{token.uri};object=ec", module=SOFTHSM, secret=Secret("0000"))
        assert signs(first)

    def test_a_replaced_key_is_seen_beside_the_old_one(self, token: SoftToken) -> None:
        old = opened(token)
        token.tool("--delete-object", "--type", "privkey", "--label", "ec")
        token.tool("--delete-object", "--type", "cert", "--label", "ec")
        issued = CA.issue()
        token.add_key(issued.private_key, label="ec")
        token.add_certificate(issued.certificate, label="ec")

        new = opened(token)
        assert new.public_key() == issued.private_key.public_key()
        assert signs(new)
        with pytest.raises(KeyDeviceError, match="the key was replaced"):
            old.sign(b"data")
        assert signs(new)

    def test_failed_attempts_leave_none(self, token: SoftToken) -> None:
        first = opened(token)
        with pytest.raises(KeyDeviceError):
            opened(token, label="nobody")
        assert signs(first)
        before = open_sessions()
        with pytest.raises(KeyDeviceError, match="2 private keys"):
            open_token_key(token.uri, module=SOFTHSM, secret=Secret(PIN))
        assert open_sessions() == before

    def test_a_session_that_died_is_not_closed_for_another(self, token: SoftToken) -> None:
        with LIBRARIES.lock:
            LIBRARIES.restart()
        old, live = opened(token), opened(token)
        with LIBRARIES.lock:
            LIBRARIES.restart()  # SoftHSM counts its sessions from 1 again
        assert signs(live)
        before = open_sessions()
        old.close()  # type: ignore[attr-defined]  # optional in the Protocol
        assert open_sessions() == before

    def test_a_closed_key_says_so(self, token: SoftToken) -> None:
        key = opened(token)
        key.close()  # type: ignore[attr-defined]  # optional in the Protocol
        with pytest.raises(KeyDeviceError, match=r"was closed\. Open the identity again"):
            key.sign(b"data")
        assert key.public_key() == opened(token).public_key()

    @pytest.mark.parametrize("take", [pickle.dumps, copy.copy, copy.deepcopy])
    def test_it_stays_in_its_process(
        self, token: SoftToken, take: Callable[[SigningKey], object]
    ) -> None:
        with pytest.raises(TypeError, match="a TokenKey cannot be pickled"):
            take(opened(token))

    def test_its_repr(self, token: SoftToken) -> None:
        assert repr(opened(token)) == f"<TokenKey {token.uri};object=ec (EC P-256)>"


def open_sessions() -> int:
    """How many sessions this process has open in SoftHSM, which numbers all handles upward."""
    get_info = ctypes.CDLL(str(Path(SOFTHSM).resolve())).C_GetSessionInfo
    info = ctypes.create_string_buffer(64)  # CK_SESSION_INFO: four numbers
    return sum(get_info(ctypes.c_ulong(handle), info) == 0 for handle in range(1, 2000))
