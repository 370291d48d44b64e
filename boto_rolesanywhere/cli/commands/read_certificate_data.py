"""``read-certificate-data``: a certificate's data, or a list of those that a selector matches.

The JSON and the list have the form that AWS's helper gives them. ``inspect`` shows what AWS will
see of a certificate.
"""

from __future__ import annotations

import json
import os
import stat
import sys
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.cli.flag_table import LATEST, SELECTOR, STORE
from boto_rolesanywhere.cli.flags import add_flags, given_flags, prepare
from boto_rolesanywhere.cli.inputs import bare_inputs, sources_from, store_access
from boto_rolesanywhere.cli.outcome import OK
from boto_rolesanywhere.redaction import printable
from boto_rolesanywhere.settings.places import TOKEN, kind_of

if TYPE_CHECKING:
    import argparse

    from cryptography import x509

    from boto_rolesanywhere.cli.store.certificate_store import Listed
    from boto_rolesanywhere.settings.sources import IdentitySources

_DESCRIPTION: Final = """\
Show a certificate file as JSON: kind of key, certificate (base64 of the DER), serial
number in decimal, and the algorithms that the key can sign with. Of several
certificates in the file, the end-entity certificate.

For a pkcs11: URI or a selector, list the certificates that match, with their SHA-1
fingerprint, subject, issuer and serial number in hexadecimal; on a token also the URI
that names this certificate alone. A URI without token= lists those of all tokens."""
_EPILOG: Final = """\
exit status: 0 (also when nothing matches); 1 with one line on stderr; 2 for wrong usage

examples:
  boto-rolesanywhere read-certificate-data --certificate workload.pem
  boto-rolesanywhere read-certificate-data --certificate pkcs11:token=prod
  boto-rolesanywhere read-certificate-data --cert-store /etc/pki/workloads
  boto-rolesanywhere read-certificate-data --cert-store /etc/pki/workloads \\
    --cert-selector 'Key=x509Issuer,Value=CN=Issuing CA,O=Example'"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.description, parser.epilog = _DESCRIPTION, _EPILOG
    add_flags(parser, calls=False)


def run(arguments: argparse.Namespace) -> int:
    """Print the JSON or the list."""
    prepare(arguments)
    flags = given_flags(arguments)
    if SELECTOR in flags or STORE in flags:
        return _print_list(_in_store(flags))
    sources = sources_from(arguments)
    if kind_of(sources.certificate) == TOKEN:
        return _print_list(_on_token(sources))
    # Like the helper, without a line break.
    sys.stdout.write(json.dumps(certificate_data(_read(sources)), separators=(",", ":")))
    return OK


def certificate_data(certificate: x509.Certificate) -> dict[str, object]:
    """What the helper prints of a certificate."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa
    from cryptography.hazmat.primitives.serialization import Encoding

    from boto_rolesanywhere.certificates.public_keys import describe_key
    from boto_rolesanywhere.certificates.reading import (
        decimal,
        readable_public_key,
        serial_number,
    )

    key = readable_public_key(certificate)
    digests = ("SHA256", "SHA384", "SHA512")
    if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        kind = "RSA" if isinstance(key, rsa.RSAPublicKey) else "EC"
        algorithms = [f"{kind}{digest}" for digest in digests]
    else:
        # The helper leaves the kind empty; here it is useful to people.
        kind = describe_key(key) if key is not None else ""
        algorithms = [kind] if kind else []
    return {
        "keyType": kind,
        "certificateData": b64encode(certificate.public_bytes(Encoding.DER)).decode("ascii"),
        "serialNumber": decimal(serial_number(certificate)),
        "supportedAlgorithms": algorithms,
    }


def _read(sources: IdentitySources) -> x509.Certificate:
    from boto_rolesanywhere.identity.opening import Access, open_certificates
    from boto_rolesanywhere.inspection.certificate import choose_leaf

    place = sources.certificate
    if isinstance(place, str) and _is_pipe(place):
        place = Path(place).read_bytes()  # read once: a later read would find the pipe empty
    return choose_leaf(open_certificates(place, access=Access(sources.secret)).certificates)


def _is_pipe(place: str) -> bool:
    try:
        return stat.S_ISFIFO(os.stat(place).st_mode)  # noqa: PTH116  # a text that may be no path
    except (OSError, ValueError):
        return False


def _in_store(flags: dict[str, str]) -> tuple[Listed, ...]:
    from boto_rolesanywhere.cli.store.certificate_store import find_certificates
    from boto_rolesanywhere.cli.store.selector import Selector, parse_selector

    selector = parse_selector(flags[SELECTOR]) if SELECTOR in flags else Selector()
    found = find_certificates(
        selector, flags.get(STORE), store_access(flags, bare_inputs(flags, os.environ))
    )
    if LATEST in flags:
        return tuple(sorted(found, key=lambda listed: listed.certificate.not_valid_after_utc)[-1:])
    return found


def _on_token(sources: IdentitySources) -> tuple[Listed, ...]:
    from boto_rolesanywhere.cli.store.certificate_store import find_certificates
    from boto_rolesanywhere.cli.store.selector import Selector
    from boto_rolesanywhere.identity.opening import Access

    access = Access(sources.secret, sources.pkcs11_module)
    return find_certificates(Selector(), str(sources.certificate), access)


def _print_list(found: tuple[Listed, ...]) -> int:
    from cryptography.hazmat.primitives.hashes import SHA1

    from boto_rolesanywhere.certificates.reading import serial_number
    from boto_rolesanywhere.cli.store.helper_names import as_helper_shows

    lines = ["Matching identities" if found else "No matching identities"]
    for number, listed in enumerate(found, 1):
        certificate = listed.certificate
        # SHA-1 only tells certificates apart here, as in the helper's list.
        fingerprint = certificate.fingerprint(SHA1()).hex()  # noqa: S303  # see above
        kind = "URI" if kind_of(listed.place) == TOKEN else "File"
        lines += [
            f"{number}) Hex Fingerprint: {fingerprint}",
            f"Subject: {printable(as_helper_shows(certificate.subject))}",
            f"Issuer: {printable(as_helper_shows(certificate.issuer))}",
            f"Serial Number: {serial_number(certificate):X}",
            f"{kind}: {printable(listed.place)}",
            "",
        ]
    sys.stdout.write("\n".join(lines) + "\n")
    return OK
