"""An authority's folder: making it whole or not at all, and opening it again."""

from __future__ import annotations

import errno
import shutil
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING, Final

from cryptography import x509

from boto_rolesanywhere.atomic_file import make_private_folder, write_atomically
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.public_keys import algorithm_for
from boto_rolesanywhere.certificates.rules import authority_problems, is_ca
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import CertificateError, ConfigurationError, PrivateKeyError
from boto_rolesanywhere.identity.opening import Access, open_certificates, open_key

from .authority import Authority
from .drafts import Draft, name_of, validity
from .issued import certificates_pem, key_pem
from .issuer_key import as_issuer_key
from .keys import generate_key
from .records import RECORDS, Records

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

    from boto_rolesanywhere.clock import Clock
    from boto_rolesanywhere.signing_key import SigningKey

    from .keys import KeyType, PrivateKey

CERTIFICATE: Final = "ca-cert.pem"
CHAIN: Final = "ca-chain.pem"  # only below a root
PRIVATE_KEY: Final = "ca-key.pem"  # unless the key lives elsewhere
TRUST_ANCHOR: Final = "trust-anchor.pem"  # the root's certificate, for AWS
ROOT: Final = "root"  # the root's folder, inside that of its issuing authority

ROOT_LIFETIME: Final = timedelta(days=3650)
ISSUING_LIFETIME: Final = timedelta(days=1825)
_KEY_PLACE: Final = "key-place"
_THE_OBJECT: Final = "the key given as an object"
_OBJECT: Final = "object:"  # in the place of a place: a Python program passes the key
_NO_SECRET: Final = Access()


def create_root(
    folder: Path,
    name: str,
    *,
    key_type: KeyType = "P-256",
    passphrase: bytes | None = None,
    key_place: str | SigningKey | None = None,
    access: Access = _NO_SECRET,
    lifetime: timedelta = ROOT_LIFETIME,
    clock: Clock = utc_now,
) -> Authority:
    """Make a root authority in a folder.

    Args:
        folder: is made; if it exists, it must be empty.
        name: the CN of its subject, or a whole subject as in RFC 4514.
        key_type: of its new key.
        passphrase: encrypts the new key.
        key_place: an existing key instead: a ``pkcs11:`` URI without a PIN, a TPM handle, an
            absolute path. It stays there, and only this text is kept. Or an object that signs,
            which is then passed to `open_authority` too.
        access: opens that key.
        lifetime: of its certificate.
        clock: gives the time.

    Raises:
        ConfigurationError: there is something in the folder, or a value is not usable.
        CertificateError: AWS takes no key of its kind.
        PrivateKeyError, PassphraseError, KeyDeviceError: the existing key does not open.
        OSError: the folder cannot be written.
    """
    subject, now = _subject(name), clock()
    key = generate_key(key_type) if key_place is None else _key_at(key_place, access)
    draft = Draft(
        subject=subject,
        issuer=subject,
        public_key=key.public_key(),
        issuer_public_key=key.public_key(),
        validity=validity(now, now, now + lifetime, lifetime),
        ca=True,
    )
    certificate = draft.sign(key, "SHA-256")
    with _building(folder) as temporary:
        _write(temporary, (certificate,), certificate)
        _keep_key(temporary, key, key_place, passphrase)
    return Authority(folder, certificate, (), lambda: key, clock=clock)


def create_issuing(
    folder: Path,
    root_name: str,
    name: str,
    *,
    key_type: KeyType = "P-256",
    passphrase: bytes | None = None,
    key_place: str | SigningKey | None = None,
    access: Access = _NO_SECRET,
    clock: Clock = utc_now,
) -> Authority:
    """Make an issuing authority, with its root in the folder `ROOT` inside its own.

    An existing key (`key_place`) is the issuing authority's; the root has a new one, and
    `passphrase` encrypts it. Takes and raises the same as `create_root`.
    """
    if _subject(root_name) == _subject(name):
        raise ConfigurationError(
            "root and issuing CA have the same name",
            code="authority-value-unusable",
            where="name",
            expected="two names: a chain is followed from issuer to subject",
        )
    key = generate_key(key_type) if key_place is None else _key_at(key_place, access)
    with _building(folder) as temporary:
        root = create_root(
            temporary / ROOT, root_name, key_type=key_type, passphrase=passphrase, clock=clock
        )
        certificate = root.issue_authority(name, _subject(name), key.public_key(), ISSUING_LIFETIME)
        _write(temporary, (certificate, certificate), root.certificate)
        _keep_key(temporary, key, key_place, passphrase)
    return Authority(folder, certificate, (certificate,), lambda: key, clock=clock)


def adopt(
    folder: Path, certificate_place: str, key_place: str | SigningKey, access: Access = _NO_SECRET
) -> Authority:
    """Make a folder for an authority that exists; its key stays where it is.

    Raises:
        CertificateError: it is not the certificate of an authority.
        RolesAnywhereError: as `create_root`; or certificate and key do not belong together.
    """
    certificate = open_certificates(certificate_place).certificates[0]
    if not is_ca(certificate):
        raise CertificateError(
            "it is not the certificate of a CA",
            code="trust-anchor-unsuitable",
            where=certificate_place,
        )
    for finding in authority_problems(certificate, utc_now()):
        if finding.code not in ("expired", "not-yet-valid"):  # it can still revoke
            raise CertificateError(
                f"{describe_subject(certificate)} cannot be a trust anchor: {finding.text}",
                code="trust-anchor-unsuitable",
                where=certificate_place,
            )
    where = key_place if isinstance(key_place, str) else _THE_OBJECT
    key = _key_of(certificate, key_place, access, where)
    chain = () if certificate.issuer == certificate.subject else (certificate,)
    with _building(folder) as temporary:
        _write(temporary, (certificate, *chain), certificate)
        _keep_key(temporary, key, key_place, None)
    return Authority(folder, certificate, chain, lambda: key, clock=utc_now)


def open_authority(
    folder: Path,
    access: Access = _NO_SECRET,
    *,
    key: SigningKey | None = None,
    clock: Clock = utc_now,
) -> Authority:
    """Open the authority of a folder. Its key is opened when it signs for the first time.

    Args:
        folder: as `create_root` made it.
        access: passphrase or PIN of its key, and the PKCS #11 library.
        key: signs in place of the key that the folder names: an object of yours.
        clock: gives the time.

    Raises:
        ConfigurationError: there is no authority, or its files cannot be read.
    """
    with Records(folder / RECORDS).step() as step:
        key_place = step.setting(_KEY_PLACE)
    (certificate, *_) = _certificates(folder / CERTIFICATE)
    chain = _certificates(folder / CHAIN) if (folder / CHAIN).exists() else ()
    place = key or key_place or str(folder / PRIVATE_KEY)
    return Authority(
        folder, certificate, chain, partial(_open_key, place, certificate, access), clock=clock
    )


def _open_key(place: str | SigningKey, certificate: x509.Certificate, access: Access) -> PrivateKey:
    if not isinstance(place, str):
        return _key_of(certificate, place, access, _THE_OBJECT)
    if place == _OBJECT:
        raise PrivateKeyError(
            "the CA's private key is an object of a Python program",
            code="authority-key-missing",
            remedy="Open the CA there: open_authority(folder, key=…).",
        )
    if Path(place).name == PRIVATE_KEY and not Path(place).exists():
        raise PrivateKeyError(
            "the CA's private key is not there",
            code="authority-key-missing",
            where=place,
            remedy="If the key was moved away, as a root's should be, bring it back for this.",
        )
    return _key_of(certificate, place, access, place)


def _key_at(
    place: str | SigningKey, access: Access, wanted: Sequence[PublicKeyTypes] = ()
) -> PrivateKey:
    key = as_issuer_key(open_key(place, access, wanted))
    algorithm_for(key.public_key(), where=place if isinstance(place, str) else _THE_OBJECT)
    return key


def _key_of(
    certificate: x509.Certificate, place: str | SigningKey, access: Access, where: str
) -> PrivateKey:
    key = _key_at(place, access, (certificate.public_key(),))
    if key.public_key() != certificate.public_key():
        raise PrivateKeyError(
            "it is not the key of the CA's certificate",
            code="key-not-of-certificate",
            where=where,
        )
    return key


@contextmanager
def _building(folder: Path) -> Iterator[Path]:
    """A folder that gets its name when everything is in it.

    A process that is killed before leaves a folder whose name begins with a dot.
    """
    if folder.exists() and any(folder.iterdir()):
        raise _taken(folder)
    make_private_folder(folder.parent)
    temporary = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        temporary.chmod(0o700)  # as mkdtemp makes it, less what the umask takes
        yield temporary
        temporary.rename(folder)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise _taken(folder) from None  # another process made it meanwhile
        raise


def _taken(folder: Path) -> ConfigurationError:
    return ConfigurationError(
        "the folder is there already, and is not empty",
        code="authority-file-taken",
        where=str(folder),
        remedy="Name a new folder; `boto-rolesanywhere ca show` tells whether a CA is in this one.",
    )


def _write(
    folder: Path, certificates: tuple[x509.Certificate, ...], root: x509.Certificate
) -> None:
    """Write the authority's certificate, its chain (the further ones) and its empty records."""
    write_atomically(folder / CERTIFICATE, certificates_pem(certificates[:1]))
    write_atomically(folder / TRUST_ANCHOR, certificates_pem((root,)))
    if certificates[1:]:
        write_atomically(folder / CHAIN, certificates_pem(certificates[1:]))
    Records(folder / RECORDS).create()


def _keep_key(
    folder: Path, key: PrivateKey, key_place: str | SigningKey | None, passphrase: bytes | None
) -> None:
    if key_place is None:
        write_atomically(folder / PRIVATE_KEY, key_pem(key, passphrase))
        return
    with Records(folder / RECORDS).step() as step:
        step.set(_KEY_PLACE, key_place if isinstance(key_place, str) else _OBJECT)


def _subject(name: str) -> x509.Name:
    if not name.strip():
        raise ConfigurationError(
            "the CA has no name",
            code="authority-value-unusable",
            where="name",
            expected='a name such as "Example CA", or CN=Example CA,O=example',
        )
    return name_of("", name) if "=" in name else name_of(name)


def _certificates(path: Path) -> tuple[x509.Certificate, ...]:
    try:
        return tuple(x509.load_pem_x509_certificates(path.read_bytes()))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no PEM"
        raise ConfigurationError(
            f"the CA's certificate cannot be read ({reason})",
            code="certificate-unreadable",
            where=str(path),
        ) from None
