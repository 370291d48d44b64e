"""One token as a URI names it: found, opened, logged in to, and found again when it was lost.

`objects` and `certificates` read what is on the token.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pkcs11 import PROTECTED_AUTH
from pkcs11.constants import TokenFlag
from pkcs11.exceptions import PKCS11Error, UserAlreadyLoggedIn

from boto_rolesanywhere.errors import KeyDeviceError, PassphraseError
from boto_rolesanywhere.identity.refused_secrets import digest, remember_refusal, was_refused
from boto_rolesanywhere.identity.secret_memory import Mark, SecretMemory
from boto_rolesanywhere.identity.sharing import Sameness
from boto_rolesanywhere.settings.cache_folder import cache_folder

from .choice import meant_tokens
from .errors import PIN_REFUSED, NotFoundError, explain, is_curable
from .libraries import LIBRARIES, close_session
from .pin import PinNeededError, TokenPin

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
    from pkcs11._pkcs11 import lib as Library  # noqa: N812  # a class, whatever its name
    from pkcs11.types import Session, Token

    from .uri import Pkcs11Uri

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Login:
    """Who is logged in to a token. The login is the process's, and ends with its session.

    Attributes:
        generation: that of the libraries.
        session: the session that logged in; kept open and used for nothing else. None if another
            part of the program logged in.
        digest: stands for the PIN; None as `session` is, and where it was typed on the token.
    """

    generation: int
    session: Session | None = None
    digest: bytes | None = None


# One login for each library and slot: a second one is refused, even with a wrong PIN.
_logins: Final[dict[tuple[str, int], _Login]] = {}


class TokenAccess:
    """Access to the token that a URI names, through one library."""

    __slots__ = ("_path", "pin", "uri", "wanted")

    def __init__(
        self, path: str, uri: Pkcs11Uri, pin: TokenPin, wanted: Sequence[PublicKeyTypes] = ()
    ) -> None:
        """Prepare the access; nothing asks the token yet.

        Args:
            path: of the library.
            uri: of the token and what is on it.
            pin: the token's.
            wanted: public keys of which the key must have one, if any are known. They decide where
                the URI leaves several tokens or keys.
        """
        self._path = path
        self.uri = uri
        self.pin = pin
        self.wanted = wanted

    @property
    def where(self) -> str:
        """The place, for error messages: the URI without its PIN, and the library."""
        return f"{self.uri} (library {self._path})"

    def sameness(self) -> Sameness:
        """What tells it from access to another token, or with another PIN."""
        spki = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        wanted = [key.public_bytes(*spki) for key in self.wanted]
        return Sameness(self._path, self.uri, self.pin.secret, wanted)

    def run(self, call: Callable[[], Result]) -> Result:
        """Run `call` under the lock; if a new start of the library may help, start it and retry."""
        while True:
            try:
                return self._run_alone(call)
            except PinNeededError as needed:  # noqa: PERF203  # twice round as a rule
                # Not under the lock: the user's callable may take its time.
                self.pin.ask(str(needed))

    def of_one(self, uri: Pkcs11Uri) -> TokenAccess:
        """Access to what `uri` names, through the same library and with the same secret."""
        return TokenAccess(self._path, uri, TokenPin(uri, self.pin.secret), self.wanted)

    @contextmanager
    def session(self, token: Token | None = None, *, login: bool = False) -> Iterator[Session]:
        """A session for the body of the `with`. Only within `run`.

        Args:
            token: one of `matching`; None for the one that the URI means.
            login: whether to log in, to the one that the URI means.
        """
        session = token.open() if token else self.open(login=login)
        try:
            yield session
        finally:
            close_session(session, LIBRARIES.generation)

    def open(self, *, login: bool) -> Session:
        """A new session on the token, of `LIBRARIES.generation`. Only within `run`."""
        token = self._find()
        if login and token.flags & TokenFlag.LOGIN_REQUIRED:
            has_keys = token.flags & TokenFlag.PROTECTED_AUTHENTICATION_PATH
            if has_keys and not self.pin.available(by_asking=False):
                self._log_in_on_the_token(token)
            else:
                token = self._log_in(token)
        return token.open()

    @contextmanager
    def pin_for(self, token: Token) -> Iterator[str]:
        """The PIN to try, unless the token has refused it before. Only within `run`.

        If the token refuses it in the body of the `with`, it is not given again. The user's
        processes take turns, and keep the token's last try back after a wrong one.
        """
        pin, memory = self._known_pin(token), _memory_of(token)
        with memory.turn():
            if not self.pin.asks and memory.recall().refused and _is_last_try(token):
                raise PassphraseError(
                    "the token refused the last PIN, and locks itself at one more wrong one",
                    code="pin-refused",
                    where=str(self.uri),
                    remedy="If you have corrected the PIN, log in once with the token's own tool "
                    "(`pkcs11-tool --login --list-objects`), which resets the token's count, or "
                    f"remove {memory.path}.",
                )
            try:
                yield pin
            except PKCS11Error as error:
                if type(error).__name__ in PIN_REFUSED:
                    remember_refusal(_identity(token), pin.encode())
                    memory.remember(Mark(has_password=True, refused=True))
                    self.pin.forget()
                raise
            if memory.recall().refused:
                memory.remember(Mark(has_password=True))

    def _known_pin(self, token: Token) -> str:
        of_pin = self._tokens_of_pin()
        if of_pin is not None and _identity(token) not in of_pin:
            raise self.pin.missing()
        which = "" if self.uri.token else f" on token {token.label!r}"
        pin = self.pin.known(which + (" (the last try)" if _is_last_try(token) else ""))
        if was_refused(_identity(token), pin.encode()):
            self.pin.forget()
            raise PassphraseError(
                "the token has refused this PIN before, so it is not asked again",
                code="pin-refused",
                where=str(self.uri),
                remedy="Give the right PIN: tokens lock themselves after a few wrong ones. If it "
                "was the token's PIN that changed, start the process anew.",
            )
        return pin

    def _run_alone(self, call: Callable[[], Result]) -> Result:
        with LIBRARIES.lock:
            try:
                return call()
            except NotFoundError:
                pass  # a library may have looked for its tokens once only
            except PKCS11Error as error:
                if not is_curable(error):
                    raise explain(error, where=self.where) from error
            LIBRARIES.restart()
            try:
                return call()
            except PKCS11Error as error:
                raise explain(error, where=self.where) from error

    def matching(self) -> list[Token]:
        """The tokens that the URI may mean: several where nothing decides. Only within `run`."""
        return self._meant_by(self.uri, self._tokens_of_pin())

    def _tokens_of_pin(self) -> frozenset[bytes] | None:
        """The tokens that a PIN from another URI is for; None where the PIN is of this one."""
        lender = self.pin.lender
        return frozenset(map(_identity, self._meant_by(lender))) if lender else None

    def _meant_by(self, uri: Pkcs11Uri, of_pin: frozenset[bytes] | None = None) -> list[Token]:
        matching = [token for token in self._present() if _token_matches(uri, token)]
        meant = meant_tokens(matching, uri, self.wanted)
        if len(meant) > 1 and of_pin is not None:
            return [token for token in meant if _identity(token) in of_pin] or meant
        return meant

    def _present(self) -> list[Token]:
        library = LIBRARIES.get(self._path)
        return list(_tokens(library)) if _library_matches(self.uri, library) else []

    def _find(self) -> Token:
        meant = self.matching()
        if len(meant) == 1:
            return meant[0]
        if meant:
            raise KeyDeviceError(
                f"{len(meant)} tokens match: {_list(meant)}",
                code="token-ambiguous",
                where=self.where,
                remedy="Name one of them with token= or serial= in the URI. No PIN is tried to "
                "find out which of them is meant.",
            )
        present = [token for token in self._present() if token.flags & TokenFlag.TOKEN_INITIALIZED]
        raise NotFoundError(
            f"no such token; the library shows {_list(present) or 'none'}",
            code="token-missing",
            where=self.where,
            remedy="Insert the token, correct the URI, or name the library that serves the token "
            "as pkcs11_module.",
        )

    def _log_in_on_the_token(self, token: Token) -> None:
        """Log the process in with the PIN that a person types on the token or its reader."""
        place = (self._path, token.slot.slot_id)
        login = _logins.get(place)
        if not (login and LIBRARIES.is_current(login.generation)):
            with suppress(UserAlreadyLoggedIn):
                session = token.open(user_pin=PROTECTED_AUTH)
                _logins[place] = _Login(LIBRARIES.generation, session)

    def _log_in(self, token: Token) -> Token:
        """Log the process in; the token again, since its library may have been started anew."""
        held: bytes | None = digest(_identity(token), self._known_pin(token).encode())
        login = _logins.get((self._path, token.slot.slot_id))
        if login and LIBRARIES.is_current(login.generation):
            if login.digest in (None, held):
                return token
            # Another PIN than the one that unlocked it. Only the token can tell which is right;
            # SoftHSM sees that its PIN was changed only when it is started anew.
            LIBRARIES.restart()
            token = self._find()
        session: Session | None = None
        try:
            with self.pin_for(token) as pin:
                session = token.open(user_pin=pin)
        except UserAlreadyLoggedIn:
            held = None
        key = (self._path, token.slot.slot_id)
        _logins[key] = _Login(LIBRARIES.generation, session, held)
        return token


def pinned(uri: Pkcs11Uri, token: Token) -> Pkcs11Uri:
    """The URI for this token alone."""
    return replace(
        uri,
        token=token.label,
        manufacturer=token.manufacturer_id,
        model=token.model,
        serial=_serial(token),
    )


def _tokens(library: Library) -> Iterator[Token]:
    for slot in library.get_slots(token_present=True):
        # One broken reader must not hide the other slots.
        with suppress(PKCS11Error):
            yield slot.get_token()


def _library_matches(uri: Pkcs11Uri, library: Library) -> bool:
    wanted_and_found = (
        (uri.library_manufacturer, library.manufacturer_id),
        (uri.library_description, library.library_description),
        (uri.library_version, library.library_version),
    )
    return all(wanted in (None, found) for wanted, found in wanted_and_found)


def _token_matches(uri: Pkcs11Uri, token: Token) -> bool:
    # RFC 7512 section 2.5: an attribute that is absent matches everything.
    slot = token.slot
    wanted_and_found = (
        (uri.token, token.label),
        (uri.manufacturer, token.manufacturer_id),
        (uri.serial, _serial(token)),
        (uri.model, token.model),
        # AWS's helper passes over slot-id=0: it means slot 0 only if a token is there.
        (uri.slot_id or None, slot.slot_id),
        (uri.slot_description, slot.slot_description),
        (uri.slot_manufacturer, slot.manufacturer_id),
    )
    return all(wanted in (None, found) for wanted, found in wanted_and_found)


def _serial(token: Token) -> str:
    # Blank-padded by the specification; some libraries pad with NULs.
    return token.serial.rstrip(b"\0 ").decode("utf-8", "replace")


def _is_last_try(token: Token) -> bool:
    """Whether the token says that one more wrong PIN locks it; asked anew, for its flags change."""
    return bool(token.slot.get_token().flags & TokenFlag.USER_PIN_FINAL_TRY)


def _memory_of(token: Token) -> SecretMemory:
    return SecretMemory(cache_folder(os.environ), _identity(token))


def _identity(token: Token) -> bytes:
    """What tells the token from others."""
    names = (token.manufacturer_id, token.model, _serial(token), token.label)
    return "\n".join(names).encode("utf-8", "surrogatepass")


def _list(tokens: list[Token]) -> str:
    return ", ".join(f"{token.label!r} (serial {_serial(token)})" for token in tokens)
