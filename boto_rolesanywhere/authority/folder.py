"""An authority's folder: making it whole or not at all, and opening it again."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final, cast

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import ConfigurationError, PassphraseError, PrivateKeyError

from .authority import Authority
from .drafts import Draft, name_of, validity
from .issued import certificates_pem, key_pem, write_private
from .keys import generate_key
from .records import RECORDS, Records

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from boto_rolesanywhere.clock import Clock
    from boto_rolesanywhere.settings.sources import Secret

    from .drafts import Digest
    from .keys import KeyType, PrivateKey

    # From a place that is kept in the records (never a secret) to the key that is there.
    KeyOpener = Callable[[str], PrivateKey]

CERTIFICATE: Final = "ca-cert.pem"
CHAIN: Final = "ca-chain.pem"
PRIVATE_KEY: Final = "ca-key.pem"
ROOT: Final = "root"  # the folder of the root, inside that of its issuing authority

ROOT_LIFETIME: Final = timedelta(days=3650)
ISSUING_LIFETIME: Final = timedelta(days=1825)
_DIGEST: Final[Digest] = "SHA-256"
_KEY_PLACE: Final = "key-place"


def create_root(
    folder: Path,
    name: str,
    *,
    key_type: KeyType = "P-256",
    key: PrivateKey | None = None,
    key_place: str | None = None,
    passphrase: bytes | None = None,
    lifetime: timedelta = ROOT_LIFETIME,
    clock: Clock = utc_now,
) -> Authority:
    """Make a root authority in a folder.

    Args:
        folder: is made, and must not exist or be empty.
        name: the CN of its subject, or a whole subject as in RFC 4514.
        key_type: of its new key.
        key: an existing key instead, which lives at `key_place`.
        key_place: where `open_authority` finds that key: a ``pkcs11:`` URI without a PIN, a TPM
            handle, a path.
        passphrase: encrypts the new key.
        lifetime: of its certificate.
        clock: gives the time.

    Raises:
        ConfigurationError: there is something in the folder, or a value is not usable.
        OSError: the folder cannot be written.
    """
    own_key = generate_key(key_type) if key is None else key
    subject = _subject(name)
    draft = Draft(
        subject=subject,
        issuer=subject,
        public_key=own_key.public_key(),
        issuer_public_key=own_key.public_key(),
        validity=validity(clock(), clock(), clock() + lifetime, lifetime),
        ca=True,
    )
    certificate = draft.sign(own_key, _DIGEST)
    with _building(folder) as temporary:
        _write(temporary, certificate, (), own_key, key_place=key_place, passphrase=passphrase)
    return Authority(folder, certificate, (), own_key, digest=_DIGEST, clock=clock)


def create_issuing(
    folder: Path,
    name: str,
    root: Authority,
    *,
    key_type: KeyType = "P-256",
    passphrase: bytes | None = None,
    lifetime: timedelta = ISSUING_LIFETIME,
) -> Authority:
    """Make an issuing authority below a root, in a folder of its own.

    Takes and raises the same as `create_root`.
    """
    key = generate_key(key_type)
    certificate = root.issue_authority(name, key.public_key(), lifetime)
    with _building(folder) as temporary:
        _write(temporary, certificate, (certificate,), key, passphrase=passphrase)
    return Authority(folder, certificate, (certificate,), key, digest=_DIGEST, clock=root.clock)


def open_authority(
    folder: Path,
    *,
    secret: Secret | None = None,
    open_key: KeyOpener,
    clock: Clock = utc_now,
) -> Authority:
    """Open the authority of a folder.

    Args:
        folder: as `create_root` made it.
        secret: the passphrase of its key; asked only for an encrypted key.
        open_key: opens a key that lives elsewhere.
        clock: gives the time.

    Raises:
        ConfigurationError: there is no authority, or its records cannot be read.
        PrivateKeyError: its key is not there or cannot be used.
        PassphraseError: the passphrase is missing or wrong.
    """
    with Records(folder / RECORDS).step() as step:
        key_place = step.setting(_KEY_PLACE)
    certificate = _certificates(folder / CERTIFICATE)[0]
    chain = _certificates(folder / CHAIN) if (folder / CHAIN).exists() else ()
    key = open_key(key_place) if key_place else _read_key(folder / PRIVATE_KEY, secret)
    if key.public_key() != certificate.public_key():
        raise PrivateKeyError(
            "it is not the key of the authority's certificate",
            code="authority-key-foreign",
            where=key_place or str(folder / PRIVATE_KEY),
        )
    return Authority(folder, certificate, chain, key, digest=_DIGEST, clock=clock)


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when everything is in it.

    A process that is killed before leaves a folder whose name begins with a dot.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(
            "the folder is there already, and is not empty",
            code="authority-folder-taken",
            where=str(folder),
            remedy="Name a new folder; `ca show` tells whether an authority is in this one.",
        )
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))  # mode 0700
    try:
        yield temporary
        temporary.rename(folder)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


def _write(
    folder: Path,
    certificate: x509.Certificate,
    chain: tuple[x509.Certificate, ...],
    key: PrivateKey,
    *,
    key_place: str | None = None,
    passphrase: bytes | None = None,
) -> None:
    """Write the authority's files and its empty records."""
    (folder / CERTIFICATE).write_bytes(certificates_pem((certificate,)))
    if chain:
        (folder / CHAIN).write_bytes(certificates_pem(chain))
    records = Records(folder / RECORDS)
    records.create()
    if key_place is None:
        write_private(folder / PRIVATE_KEY, key_pem(key, passphrase))
    else:
        with records.step() as step:
            step.set(_KEY_PLACE, key_place)


def _subject(name: str) -> x509.Name:
    return name_of("", name) if "=" in name else name_of(name)


def _certificates(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the authority's certificate cannot be read ({error})",
            code="authority-certificate-unreadable",
            where=str(path),
        ) from None


def _read_key(path: Path, secret: Secret | None) -> PrivateKey:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PrivateKeyError(
            f"the authority's private key cannot be read ({error.strerror})",
            code="authority-key-unreadable",
            where=str(path),
            remedy="If the key was moved away, as a root's should be, bring it back for this.",
        ) from None
    encrypted = b"ENCRYPTED" in content
    if encrypted and secret is None:
        raise PassphraseError(
            "the authority's private key is encrypted, and no passphrase was given",
            code="passphrase-missing",
            where=str(path),
        )
    try:
        passphrase = secret.reveal() if encrypted and secret is not None else None
        return cast("PrivateKey", load_pem_private_key(content, passphrase))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise PassphraseError(
            "the authority's private key does not open with this passphrase",
            code="passphrase-wrong",
            where=str(path),
        ) from None
