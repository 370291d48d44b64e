"""A token's PIN and where it comes from. No token is asked here."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from boto_rolesanywhere.errors import ConfigurationError, PassphraseError
from boto_rolesanywhere.settings.passphrases import read_secret_file
from boto_rolesanywhere.settings.sources import Secret

from .library_path import expand

if TYPE_CHECKING:
    from .uri import Pkcs11Uri

_WAYS: Final = (
    "Give the PIN as passphrase= (text, bytes or a callable), by --pkcs11-pin-file or -env, in the "
    "variable AWS_ROLESANYWHERE_PRIVATE_KEY_PASSPHRASE, by the setting "
    "rolesanywhere_private_key_passphrase_file or rolesanywhere_private_key_passphrase_env, or as "
    "pin-source= in the PKCS#11 URI."
)
_LONGEST_FILE: Final = 4096  # another file would be tried as a wrong PIN
_SOURCE: Final = "pin-source of the PKCS#11 URI"
_missing: Final = partial(PassphraseError, code="pin-missing", remedy=_WAYS)


class PinNeededError(Exception):
    """The token wants a PIN, and nobody has asked for it yet. Never leaves these modules.

    Its text says of which token, for a person who is asked.
    """


class LentPin(Secret):
    """The PIN of one URI, lent to another URI that has none, for the lender's token only.

    Attributes:
        lender: the URI with the PIN.
    """

    __slots__ = ("lender",)

    def __init__(self, lender: Pkcs11Uri) -> None:
        super().__init__(lambda: TokenPin(lender, None).obtain()[0], "the other PKCS#11 URI")
        self.lender = lender

    @property
    def told_apart_by(self) -> str:
        """The URI with its PIN."""
        return f"{self.lender}\n{self.lender.pin_value}"


class TokenPin:
    """The PIN for one key, asked for when first needed and kept for logging in again.

    The URI's PIN comes before the configured PIN. The repr never shows a PIN.
    """

    __slots__ = ("_pin", "_uri", "_where", "secret")

    def __init__(self, uri: Pkcs11Uri, secret: Secret | None) -> None:
        self._uri = uri
        self.secret = secret
        self._where = str(uri)
        self._pin: str | None = None

    def known(self, of_which: str = "") -> str:
        """The PIN; raises PinNeededError until `ask` has run, which needs that no lock is held."""
        pin = self._pin  # read once: another thread may make it forget
        if pin is None:
            raise PinNeededError(of_which)
        return pin

    def ask(self, of_which: str = "") -> None:
        """Get the PIN from its source, which may be a callable of the user's."""
        pin, origin = self.obtain(of_which)
        if not pin:
            # An empty PIN would be counted as a wrong one.
            raise _missing("the PIN is empty", where=origin)
        try:
            self._pin = pin.decode("utf-8")
        except UnicodeDecodeError:
            # `from None`: the exception carries the PIN.
            raise _missing("the PIN is not UTF-8", where=origin) from None

    @property
    def lender(self) -> Pkcs11Uri | None:
        """The URI whose PIN it is, if that is another one."""
        return None if self._uri.has_pin else getattr(self.secret, "lender", None)

    def missing(self) -> PassphraseError:
        """The error for a missing PIN."""
        return _missing("the token wants a PIN, and none is given", where=self._where)

    def forget(self) -> None:
        """Forget the PIN; the next use asks for it anew."""
        self._pin = None

    def available(self, *, by_asking: bool) -> bool:
        """Whether a PIN is configured, or a person can be asked for it and `by_asking` is true."""
        secret = self.secret is not None and (by_asking or not self.secret.asks)
        return bool(self._uri.pin_value or self._uri.pin_source or secret)

    @property
    def asks(self) -> bool:
        """Whether a person is asked for it."""
        return not self._uri.has_pin and self.secret is not None and self.secret.asks

    def obtain(self, of_which: str = "") -> tuple[bytes, str]:
        """The PIN and where it is configured. Raises as `ask` does."""
        if self._uri.pin_value is not None:
            return self._uri.pin_value.encode("utf-8"), "pin-value of the PKCS#11 URI"
        if self._uri.pin_source is not None:
            path = pin_source_path(self._uri.pin_source)
            return read_secret_file(str(path), _SOURCE, _LONGEST_FILE), f"{_SOURCE}, {path}"
        if self.secret is not None:
            return self.secret.reveal(f"PIN for {self._where}{of_which}"), self.secret.origin
        raise self.missing()

    def __repr__(self) -> str:
        return f"<TokenPin for {self._where}>"


def pin_source_path(source: str) -> Path:
    """The file of a ``pin-source``: a path or a ``file:`` URI (RFC 7512, 2.4, leaves this open)."""
    wrong = ConfigurationError(
        f"{source!r} cannot be used",
        code="passphrase-file-unreadable",
        where=_SOURCE,
        expected="a path or a file: URI of this machine; a command is never run",
    )
    scheme, colon, _ = source.partition(":")
    # One letter before the colon is a drive of Windows.
    if not colon or "/" in scheme or len(scheme) == 1:
        if not source or source.startswith("|"):
            raise wrong
        return expand(source)
    try:
        parts = urlsplit(source)
    except ValueError:
        raise wrong from None
    path = unquote(parts.path)
    if scheme.lower() != "file" or parts.netloc not in ("", "localhost") or not path:
        raise wrong
    return Path(path)
