"""A private key on a token, as a `SigningKey`."""

from __future__ import annotations

import hashlib
import weakref
from contextlib import nullcontext, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from pkcs11.constants import Attribute
from pkcs11.exceptions import PKCS11Error
from pkcs11.mechanisms import Mechanism

from boto_rolesanywhere.certificates.public_keys import describe_key, verify_signature
from boto_rolesanywhere.errors import KeyDeviceError
from boto_rolesanywhere.identity.one_process import NotPickled
from boto_rolesanywhere.identity.sharing import Shared

from .libraries import LIBRARIES, close_session
from .objects import (
    find_private_keys,
    find_public_keys,
    fitting_keys,
    no_public_key,
    read,
    several_keys,
    uris_of_keys,
)
from .token import pinned

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from pkcs11.types import Session, SignMixin

    from boto_rolesanywhere.signing_key import Digest

    from .token import TokenAccess
    from .uri import Pkcs11Uri

Result = TypeVar("Result")

# RFC 8017 section 9.2, note 1: the DER of DigestInfo, up to the digest.
_DIGEST_INFO: Final[dict[Digest, bytes]] = {
    "SHA256": bytes.fromhex("3031300d060960864801650304020105000420"),
    "SHA384": bytes.fromhex("3041300d060960864801650304020205000430"),
    "SHA512": bytes.fromhex("3051300d060960864801650304020305000440"),
}
_HASHING_RSA: Final[dict[Digest, Mechanism]] = {
    "SHA256": Mechanism.SHA256_RSA_PKCS,
    "SHA384": Mechanism.SHA384_RSA_PKCS,
    "SHA512": Mechanism.SHA512_RSA_PKCS,
}
# Cannot be a string to sign, which begins with the name of an algorithm.
_PROBE: Final = b"boto_rolesanywhere: which public key is this private key's?"


@dataclass(frozen=True, slots=True)
class _Handles:
    """The key's handles in one session of one generation of the libraries."""

    generation: int
    session: Session
    private: SignMixin
    public: PublicKeyTypes
    offered: frozenset[Mechanism]
    always_authenticate: bool


class _Opened:
    """The key on the token: opened when needed, and again when its handles are void.

    Each key has a session of its own, apart from the session that logged in. So a failed operation
    blocks only this key's session, which is then closed. All `TokenKey`s of the same URI and PIN
    share one of these; when the last of them is closed or dropped, so is the session.

    Attributes:
        access: to the token.
    """

    __slots__ = ("__weakref__", "_close", "_handles", "access")

    def __init__(self, access: TokenAccess) -> None:
        self.access = access
        self._handles: _Handles | None = None
        self._close: Callable[[], object] | None = None

    def get(self, *, anew: bool = False) -> _Handles:
        """The live handles; `anew`: of what the URI names now. Only within `TokenAccess.run`."""
        LIBRARIES.follow_fork()
        handles = self._handles
        if handles is None or not LIBRARIES.is_current(handles.generation):
            return self._open()
        if anew:
            handles = self._handles = self._find(handles.session, handles.generation)
        return handles

    def close(self) -> None:
        """Close the session. Never an error. Only within `TokenAccess.run`."""
        self._handles = None
        if self._close:
            self._close()

    def _open(self) -> _Handles:
        self.close()
        session, generation = self.access.open(login=True), LIBRARIES.generation
        # A dropped key must not keep its session: tokens have few.
        self._close = finalizer = weakref.finalize(self, close_session, session, generation)
        finalizer.atexit = False
        try:
            handles = self._handles = self._find(session, generation)
        except BaseException:
            self.close()
            raise
        return handles

    def sign(self, data: bytes, digest: Digest) -> bytes:
        """Sign `data`, opening the key if need be. Only within `TokenAccess.run`."""
        handles = self.get()
        try:
            return self._sign(handles, data, digest)
        except PKCS11Error:
            self.close()  # the operation may still be active in the session
            raise

    def _find(self, session: Session, generation: int) -> _Handles:
        uri, wanted = self.access.uri, self.access.wanted
        keys = find_private_keys(session, uri, wanted)
        if len(keys) == 1:
            return self._handles_of(keys[0], session, generation)
        # EC keys of one name: any of them may belong to any public key there.
        found: list[_Handles] = []
        for key in keys:
            with suppress(KeyDeviceError):
                found.append(self._handles_of(key, session, generation))
        found = [each for each in found if each.public in wanted]
        if len(found) != 1:
            raise several_keys(session, uri, len(keys))
        return found[0]

    def _handles_of(self, private: SignMixin, session: Session, generation: int) -> _Handles:
        always_authenticate = bool(read(private, Attribute.ALWAYS_AUTHENTICATE))
        shown = find_public_keys(session, private)
        possible = shown or fitting_keys(private, self.access.wanted)
        if not possible:
            raise no_public_key(self.access.uri)
        public = possible[0]
        is_rsa = isinstance(public, rsa.RSAPublicKey)
        offered = frozenset(session.token.slot.get_mechanisms() if is_rsa else ())
        handles = _Handles(generation, session, private, public, offered, always_authenticate)
        if len(shown) == 1:
            return handles
        proven = self._proven(handles, possible)
        if not (proven or shown):
            raise no_public_key(self.access.uri)
        return proven or handles

    def _proven(self, handles: _Handles, possible: list[PublicKeyTypes]) -> _Handles | None:
        """The opened key with the one public key that verifies its signature."""
        signature = self._sign(handles, _PROBE)
        for public in possible:
            if verify_signature(public, signature, _PROBE):
                return replace(handles, public=public)
        return None

    def _sign(self, handles: _Handles, data: bytes, digest: Digest = "SHA256") -> bytes:
        # The mechanism is always named: python-pkcs11's defaults are those of SHA-512.
        mechanism = _mechanism(handles, digest)
        message = _input(handles, mechanism, data, digest)
        token = handles.session.token
        with self.access.pin_for(token) if handles.always_authenticate else nullcontext() as pin:
            return _encoded(handles, handles.private.sign(message, mechanism=mechanism, pin=pin))


_OPENED: Final[Shared[_Opened]] = Shared()


class TokenKey(NotPickled):
    """A `SigningKey` on a PKCS#11 token. Open it with `open_token_key`.

    It may be used from several threads (they take turns), after a fork, and after the token was
    removed and inserted again.
    """

    def __init__(self, access: TokenAccess) -> None:
        """Find the key. Raises as `open_token_key` does."""
        self._uri = access.uri
        self._opened: _Opened | None = _OPENED.one(access.sameness(), lambda: _Opened(access))
        self._public: PublicKeyTypes = self._run(lambda opened: opened.get(anew=True).public)

    def public_key(self) -> PublicKeyTypes:
        """The public key; also after `close`."""
        return self._public

    def sign(self, data: bytes) -> bytes:
        """Sign `data`, as `SigningKey` says.

        Raises:
            PassphraseError: the PIN is missing, or the token refused it (now or before).
            KeyDeviceError: the key was closed or is another by now; the token is gone, or failed.
        """
        return self.sign_with(data, "SHA256")

    def sign_with(self, data: bytes, digest: Digest) -> bytes:
        """Sign `data` with a digest that AWS may not take. Raises as `sign` does."""
        signature = self._run(lambda opened: opened.sign(data, digest))
        if not verify_signature(self._public, signature, data, digest):
            raise KeyDeviceError(
                "the token's signature does not fit the public key found on it: the key was"
                " replaced, or its public key or certificate belongs to another key",
                code="key-changed",
                where=str(self._uri),
                remedy="Open the identity again; give key and certificate one id of their own.",
            )
        return signature

    def close(self) -> None:
        """Close this key; its session too, unless other keys of the same URI use it.

        The process stays logged in for other keys on the token.
        """
        self._opened = None

    def _run(self, call: Callable[[_Opened], Result]) -> Result:
        opened = self._opened
        if opened is None:
            raise KeyDeviceError(
                "the token's key was closed",
                code="key-closed",
                where=str(self._uri),
                remedy="Open the identity again.",
            )
        return opened.access.run(lambda: call(opened))

    def __repr__(self) -> str:
        return f"<TokenKey {self._uri} ({describe_key(self._public)})>"


def open_keys(access: TokenAccess) -> list[TokenKey]:
    """The one key that the URI means, or all that it may mean on its token, opened.

    Raises:
        KeyDeviceError: as of one key; several tokens match.
    """
    try:
        return [TokenKey(access)]
    except KeyDeviceError as error:
        if error.code != "token-ambiguous" or not (keys := access.run(lambda: _uris(access))):
            raise
    return [TokenKey(access.of_one(key)) for key in keys]


def _uris(access: TokenAccess) -> list[Pkcs11Uri]:
    """Of the keys that the URI may mean; none if several tokens match."""
    if len(access.matching()) > 1:
        return []
    with access.session(login=True) as session:
        return uris_of_keys(session, pinned(access.uri, session.token))


def _mechanism(handles: _Handles, digest: Digest) -> Mechanism:
    # Few tokens hash for ECDSA (SoftHSM does not), and each signs a digest.
    if isinstance(handles.public, ec.EllipticCurvePublicKey):
        return Mechanism.ECDSA
    hashing = _HASHING_RSA[digest]
    if hashing in handles.offered or Mechanism.RSA_PKCS not in handles.offered:
        return hashing
    return Mechanism.RSA_PKCS


def _input(handles: _Handles, mechanism: Mechanism, data: bytes, digest: Digest) -> bytes:
    if mechanism is _HASHING_RSA[digest]:
        return data
    hashed = hashlib.new(digest, data).digest()
    if isinstance(handles.public, ec.EllipticCurvePublicKey):
        # ECDSA takes as many bits as the curve's order has (SEC 1, 4.1.3); some tokens refuse more.
        return hashed[: (handles.public.curve.key_size + 7) // 8]
    return _DIGEST_INFO[digest] + hashed


def _encoded(handles: _Handles, signature: bytes) -> bytes:
    if isinstance(handles.public, rsa.RSAPublicKey):
        return signature
    # PKCS #11 v2.40 section 2.3.1: r and s, of equal length, one after the other.
    half = len(signature) // 2
    return encode_dss_signature(
        int.from_bytes(signature[:half], "big"), int.from_bytes(signature[half:], "big")
    )
