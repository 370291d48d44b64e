"""The suite that every signing key has to pass: yours, and those of this package.

It needs pytest. `boto_rolesanywhere.SigningKey` says what a key must do.
"""

from __future__ import annotations

import base64
import hashlib
import multiprocessing
import os
import pickle
import threading
import time
import warnings
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final, cast

import pytest

from boto_rolesanywhere.certificates.public_keys import (
    algorithm_for,
    describe_key,
    verify_signature,
)
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.signing_key import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from multiprocessing.connection import Connection

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

_THREADS: Final = 8
_LONGEST_NUMBER: Final = 1024  # bytes; Python refuses to print much longer integers
_SAMPLES: Final = {
    "empty": b"",
    "short": b"AWS4-X509-ECDSA-SHA256\n20260101T000000Z\n",
    "of 64 KiB": bytes(range(256)) * 256,
}
_needs_fork = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="this platform has no fork, so no key has to survive one"
)


class SigningKeyCompliance:
    """Tests for a `SigningKey`. Inherit, and override the fixture `signing_key`.

    ::

        import pytest
        from boto_rolesanywhere.testing.compliance import SigningKeyCompliance

        class TestVaultKey(SigningKeyCompliance):
            @pytest.fixture
            def signing_key(self, vault):
                return VaultKey(vault.url, "workload-42")

    Fixtures to override:

    * `signing_key`: a fresh key for each test (two tests close it).
    * `expected_public_key`: the public key that it must have, an object of `cryptography`; None
      (the default) if that is not known apart from the key.
    * `key_secrets`: byte strings that its repr must not show, such as the private key's bytes, a
      password or a token. Empty by default.

    Class attributes to override, for slow devices:

    * `signatures_per_thread`: 3.
    * `patience`: seconds after which a thread or a child that has not answered counts as hung: 60.
    """

    signatures_per_thread: int = 3
    patience: float = 60.0

    @pytest.fixture
    def signing_key(self) -> SigningKey:
        """The key under test."""
        pytest.fail("override the fixture signing_key: it gives the key under test", pytrace=False)

    @pytest.fixture
    def expected_public_key(self) -> PublicKeyTypes | None:
        """The public key it must have, if that is known."""
        return None

    @pytest.fixture
    def key_secrets(self) -> Sequence[bytes]:
        """What must not be seen in its repr."""
        return ()

    def test_is_a_signing_key(self, signing_key: SigningKey) -> None:
        """It has the Protocol's methods."""
        _require(isinstance(signing_key, SigningKey), "it lacks public_key() or sign(data)")

    def test_public_key_is_of_a_kind_that_aws_takes(self, signing_key: SigningKey) -> None:
        """RSA of 2048 bits or more, EC on P-256, P-384 or P-521, or ML-DSA."""
        algorithm_for(signing_key.public_key(), where="public_key()")

    def test_public_key_stays_the_same(
        self, signing_key: SigningKey, expected_public_key: PublicKeyTypes | None
    ) -> None:
        """Also after a signature; and it is the expected one, if that is known."""
        first = signing_key.public_key()
        signing_key.sign(b"")
        _require(signing_key.public_key() == first, "public_key() gave two different keys")
        _require(expected_public_key in (None, first), "public_key() is not expected_public_key")

    @pytest.mark.parametrize("data", _SAMPLES.values(), ids=_SAMPLES.keys())
    def test_signs_as_aws_verifies(self, signing_key: SigningKey, data: bytes) -> None:
        """PKCS #1 v1.5 with SHA-256, ECDSA with SHA-256 as DER, or pure ML-DSA, over the data."""
        _verify(signing_key.public_key(), signing_key.sign(data), data)

    def test_a_signature_is_good_for_its_own_data_only(self, signing_key: SigningKey) -> None:
        """What is signed depends on all of the data."""
        long = _SAMPLES["of 64 KiB"]
        signature = signing_key.sign(long)
        for changed in (b"", long[:-1], long[:-1] + b"\0", b"\1" + long[1:]):
            _require(
                not verify_signature(signing_key.public_key(), signature, changed),
                "a signature also verifies for other data: sign() does not use all of its data",
            )

    def test_signs_in_threads(self, signing_key: SigningKey) -> None:
        """Eight at once, each with data of its own."""
        public, start = signing_key.public_key(), threading.Barrier(_THREADS)

        def work(number: int) -> None:
            start.wait(self.patience)
            for turn in range(self.signatures_per_thread):
                data = f"thread {number}, turn {turn}".encode()
                _verify(public, signing_key.sign(data), data)

        _run_threads([partial(work, n) for n in range(_THREADS)], self.patience)

    @_needs_fork
    def test_signs_in_a_forked_child(self, signing_key: SigningKey) -> None:
        """In the child, in the parent afterwards, and in a second child."""
        for name in (b"first child", b"second child"):
            _verify(
                signing_key.public_key(), _sign_in_child(signing_key, name, self.patience), name
            )
            _verify(signing_key.public_key(), signing_key.sign(b"parent"), b"parent")

    @_needs_fork
    def test_signs_in_a_child_forked_during_a_signature(self, signing_key: SigningKey) -> None:
        """A lock that another thread holds at the moment of the fork must not stay locked."""
        public = signing_key.public_key()
        with _signing_meanwhile(signing_key, self.patience):
            for turn in range(self.signatures_per_thread):
                data = f"child {turn}".encode()
                _verify(public, _sign_in_child(signing_key, data, self.patience), data)
        _verify(public, signing_key.sign(b"parent"), b"parent")

    def test_pickling_is_refused(self, signing_key: SigningKey) -> None:
        """With a TypeError that says so: a pickled key would leave the process."""
        try:
            pickle.dumps(signing_key)
        except TypeError as error:
            _require(
                "pickle" in str(error),
                f"the TypeError does not say that pickling is refused: {error}",
            )
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the wrong one
            pytest.fail(f"pickling must raise TypeError, not {type(error).__name__}: {error}")
        else:
            pytest.fail(
                "it can be pickled, and so leave the process: let __reduce__ raise TypeError"
            )

    def test_repr_shows_no_secret(
        self, signing_key: SigningKey, key_secrets: Sequence[bytes]
    ) -> None:
        """Neither before nor after the first signature."""
        before = f"{signing_key!r} {signing_key!s}"
        signing_key.sign(b"")
        shown = f"{before} {signing_key!r} {signing_key!s}"
        _require("PRIVATE KEY-----" not in shown, "repr or str shows a private key")
        for number, secret in enumerate(key_secrets):
            _require(
                not any(form in shown for form in _forms(secret)),
                f"repr or str shows key_secrets[{number}]",
            )

    def test_close_may_be_called_twice(self, signing_key: SigningKey) -> None:
        """If there is a `close` at all."""
        close = _close_of(signing_key)
        close()
        close()

    def test_a_closed_key_refuses_to_sign(self, signing_key: SigningKey) -> None:
        """With an error of this package."""
        _close_of(signing_key)()
        try:
            signing_key.sign(b"")
        except RolesAnywhereError:
            return
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the wrong one
            pytest.fail(
                "after close(), sign() must raise a RolesAnywhereError, "
                f"not {type(error).__name__}: {error}"
            )
        pytest.fail("sign() still works after close()")


def _require(condition: bool, message: str) -> None:
    # Not `assert`: this must also hold under python -O.
    if not condition:
        raise AssertionError(message)


def _close_of(key: SigningKey) -> Callable[[], object]:
    close: Callable[[], object] | None = getattr(key, "close", None)
    if close is None:
        pytest.skip("the key has no close(), which is optional")
    return close


def _forms(secret: bytes) -> Iterator[str]:
    """The ways in which a secret could be printed."""
    yield secret.decode("utf-8", "replace")
    yield secret.decode("latin-1")
    yield repr(secret)[2:-1]
    yield secret.hex()
    yield secret.hex().upper()
    yield base64.b64encode(secret).decode().rstrip("=")
    if len(secret) <= _LONGEST_NUMBER:
        yield str(int.from_bytes(secret, "big"))


def _verify(public: PublicKeyTypes, signature: object, data: bytes) -> None:
    if not isinstance(signature, bytes):
        raise AssertionError(f"sign() gave a {type(signature).__name__}, not bytes")  # noqa: TRY004  # the key's fault, not a caller's
    if not verify_signature(public, signature, data):
        raise AssertionError(
            f"a signature of {len(data)} bytes of data does not verify with {describe_key(public)}"
            f"{_guess(public, signature, data)}"
        )


def _guess(public: PublicKeyTypes, signature: bytes, data: bytes) -> str:
    """The likely mistake behind a bad signature, as a clause; empty if there is no idea."""
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    if verify_signature(public, signature, hashlib.sha256(data).digest()):
        return ": the data was hashed twice; sign() is given the data and hashes it once"
    if isinstance(public, ec.EllipticCurvePublicKey):
        size = (public.key_size + 7) // 8
        if len(signature) == 2 * size:
            r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
            if verify_signature(public, encode_dss_signature(r, s), data):
                return ": it is raw r and s; AWS wants them in DER (encode_dss_signature)"
    return ""


def _run_threads(tasks: Sequence[Callable[[], None]], patience: float) -> None:
    """Run all at once; raise the first error, or say which hang."""
    # Daemons, unlike those of a pool: a key that hangs must not keep the interpreter from ending.
    errors: list[BaseException] = []
    threads = [_started(task, errors) for task in tasks]
    deadline = time.monotonic() + patience
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if errors:
        raise errors[0]
    hung = sum(thread.is_alive() for thread in threads)
    _require(not hung, f"{hung} of {len(threads)} threads hung in sign() for {patience:.0f} s")


def _started(task: Callable[[], None], errors: list[BaseException]) -> threading.Thread:
    """A thread that does the task, and adds the error in which that ends."""

    def guarded() -> None:
        try:
            task()
        except BaseException as error:  # noqa: BLE001  # raised again in the test's thread
            errors.append(error)

    thread = threading.Thread(target=guarded, daemon=True)
    thread.start()
    return thread


@contextmanager
def _signing_meanwhile(key: SigningKey, patience: float) -> Iterator[None]:
    """Keep another thread signing, for the body of the `with`."""
    begun, stop = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def work() -> None:
        while not stop.is_set():
            begun.set()
            key.sign(b"meanwhile")

    thread = _started(work, errors)
    begun.wait(patience)
    try:
        yield
    finally:
        stop.set()
        thread.join(patience)
    if errors:
        raise errors[0]
    _require(not thread.is_alive(), "sign() hung in a thread of the parent, after forks beside it")


def _sign_in_child(key: SigningKey, data: bytes, patience: float) -> bytes:
    """The signature that a forked child makes."""
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_answer, args=(key, data, theirs), daemon=True)
    with warnings.catch_warnings():
        # Python 3.12 and later warn of every fork in a process with threads.
        warnings.simplefilter("ignore", DeprecationWarning)
        child.start()
    theirs.close()
    try:
        _require(
            ours.poll(patience),
            f"sign() hung in a forked child for {patience:.0f} s: a lock or connection of the "
            "parent's, perhaps (os.register_at_fork helps)",
        )
        signature, problem = ours.recv()
    except EOFError:
        child.join()
        raise AssertionError(
            f"a forked child died in sign() (exit status {child.exitcode})"
        ) from None
    finally:
        child.kill()
        child.join()
        ours.close()
    _require(problem is None, f"sign() failed in a forked child: {problem}")
    return cast("bytes", signature)


def _answer(key: SigningKey, data: bytes, pipe: Connection) -> None:
    try:
        pipe.send((key.sign(data), None))
    except BaseException as error:  # noqa: BLE001  # the parent reports it
        pipe.send((None, f"{type(error).__name__}: {error}"))
