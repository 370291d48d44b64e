"""Where an identity comes from: the values as the user gave them, unopened.

`identity` opens them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from boto_rolesanywhere.errors import PassphraseError, RolesAnywhereError
from boto_rolesanywhere.records import NamedTuple

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

    from boto_rolesanywhere.signing_key import SigningKey

# As strings: the types are cryptography's, which is not imported until a certificate is opened.
PathOrBytes: TypeAlias = "str | os.PathLike[str] | bytes"
CertificateSource: TypeAlias = "PathOrBytes | x509.Certificate"
ChainSource: TypeAlias = "CertificateSource | Sequence[x509.Certificate]"
KeySource: TypeAlias = "PathOrBytes | PrivateKeyTypes | SigningKey"
SecretSource: TypeAlias = "str | bytes | Callable[[], str | bytes]"


class Secret:
    """What unlocks a key: a passphrase, a PIN, a TPM password. Asked for only when needed.

    Its repr never shows it, and it refuses to be pickled.
    """

    __slots__ = ("_source", "file", "origin")

    def __init__(
        self, source: SecretSource, origin: str = "passphrase", *, file: str | None = None
    ) -> None:
        """Hold `source`: the secret itself, or a callable that gives it.

        Args:
            source: str (taken as UTF-8), bytes, or a callable without arguments giving either.
            origin: where it was configured, for error messages; never the secret.
            file: the file that the callable reads; doctor checks its mode.
        """
        self._source = source
        self.origin = origin
        self.file = file

    @property
    def told_apart_by(self) -> str | bytes | Callable[[], str | bytes]:
        """What tells it from another: its file, its callable, or the secret itself."""
        return self.file or self._source

    @property
    def asks(self) -> bool:
        """Whether a person is asked, who should not be asked for what is not needed."""
        return False

    def ask_again(self) -> bool:
        """After a wrong passphrase: whether `reveal` may give another one."""
        return False

    def reveal(self, title: str = "passphrase") -> bytes:  # noqa: ARG002  # for a person who is asked
        """The secret, as bytes. A callable is called each time.

        Args:
            title: what it is and what it opens, for a person who is asked.

        Raises:
            PassphraseError: the callable failed, or what it gave is neither str nor bytes.
        """
        value = self._ask(self._source) if callable(self._source) else self._source
        if isinstance(value, bytes | bytearray):
            return bytes(value)
        if isinstance(value, str):
            try:
                # Undecodable bytes of an environment variable become the original bytes again.
                return value.encode("utf-8", "surrogateescape")
            except UnicodeEncodeError:  # it would show the secret
                raise self._error("it holds characters that UTF-8 cannot encode") from None
        raise self._error(f"it is {type(value).__name__}, neither str nor bytes")

    def _ask(self, source: Callable[[], str | bytes]) -> object:
        try:
            return source()
        except RolesAnywhereError:
            raise
        except Exception as error:
            raise self._error(f"the callable raised {type(error).__name__}") from error

    def _error(self, problem: str) -> PassphraseError:
        return PassphraseError(
            problem,
            code="passphrase-unusable",
            where=self.origin,
            expected="str or bytes, or a callable that gives one of them",
        )

    def __repr__(self) -> str:
        return f"<Secret from {self.origin}>"

    def __reduce__(self) -> str:
        raise TypeError("a Secret cannot be pickled: it would leave the process in the clear")


class IdentitySources(NamedTuple):
    """The user's certificate, key and chain, and the secret and library that open them.

    Its repr shows none of them.

    Attributes:
        certificate: path, PEM or DER or PKCS#12 bytes, ``pkcs11:`` URI, or an object.
        private_key: as `certificate`; also ``handle:0x…`` (TPM) or a `SigningKey`; None if it is
            found where the certificate is.
        chain: path, bytes or objects; None if there are no intermediates, or they stand with the
            certificate.
        secret: passphrase, PIN or TPM password.
        pkcs11_module: path of a PKCS#11 library; None for p11-kit's proxy.
        tpm_tcti: a TCTI configuration such as ``swtpm:port=2321``; None for the kernel's.
    """

    certificate: CertificateSource
    private_key: KeySource | None = None
    chain: ChainSource | None = None
    secret: Secret | None = None
    pkcs11_module: str | None = None
    tpm_tcti: str | None = None

    def __repr__(self) -> str:
        # A key may be given as its bytes, and a URI may hold a PIN.
        return f"<IdentitySources, with {self.secret!r}>"
