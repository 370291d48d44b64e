"""Rules of RFC 5280 for keys, extensions and names of the certificates in a path.

Own code, beside the section that each rule is from; which refusal follows is decided in `trust`.
AWS publishes neither that it keeps each of these rules nor its words when one is broken: both are
guesses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from unicodedata import category, normalize
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from cryptography import x509

    _Matcher = Callable[[Any, Any], bool]

_SMALLEST_RSA: Final = 2048
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})
# The extensions that are looked at, or that cannot make a path invalid which is valid without them.
_KNOWN_CRITICAL: Final = frozenset(
    {
        "2.5.29.15",  # keyUsage
        "2.5.29.17",  # subjectAltName
        "2.5.29.19",  # basicConstraints
        "2.5.29.30",  # nameConstraints
        "2.5.29.31",  # cRLDistributionPoints
        "2.5.29.32",  # certificatePolicies
        "2.5.29.33",  # policyMappings
        "2.5.29.36",  # policyConstraints
        "2.5.29.37",  # extKeyUsage
        "2.5.29.54",  # inhibitAnyPolicy
        "1.3.6.1.5.5.7.1.7",  # address blocks (RFC 3779), as the next
        "1.3.6.1.5.5.7.1.8",
        "1.3.6.1.5.5.7.1.14",  # proxyCertInfo
        "2.16.840.1.113730.1.1",  # Netscape's kind of certificate
    }
)


def key_problem(certificate: x509.Certificate) -> str | None:
    """Why a key is of no use, whoever holds it; None if it is."""
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    key = certificate.public_key()
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        return f"has an RSA key of {key.key_size} bits, fewer than {_SMALLEST_RSA}"
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in _CURVES:
        return f"has a key on the curve {key.curve.name}"
    return None


def extension_problem(certificate: x509.Certificate) -> str | None:
    """Why an extension makes the certificate invalid; None if none does.

    RFC 5280, 4.2: "MUST reject the certificate if it encounters a critical extension it does not
    recognize".
    """
    for extension in certificate.extensions:
        oid = extension.oid.dotted_string
        if extension.critical and oid not in _KNOWN_CRITICAL:
            return f"has a critical extension that is not known ({oid})"
    return None


def names_problem(path: Sequence[x509.Certificate]) -> str | None:
    """RFC 5280, 4.2.1.10 and 6.1.4 (g): what a CA says of names holds for all certificates below.

    Args:
        path: from the leaf upward. The trust anchor's own constraints count too.

    Returns:
        Which name is outside which authority's constraints; None if all are inside.
    """
    from cryptography import x509

    for number, issuer in enumerate(path):
        try:
            constraints = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
        except x509.ExtensionNotFound:
            continue
        for place, certificate in enumerate(path[:number]):
            # 6.1.3 (b): not those of a self-issued certificate, unless it is the last one
            if place and comparable(certificate.subject) == comparable(certificate.issuer):
                continue
            for name in _names(certificate):
                if not _is_allowed(name, constraints):
                    return (
                        f"{issuer.subject.rfc4514_string()} does not allow the name {name.value!r}"
                    )
    return None


def _names(certificate: x509.Certificate) -> Iterator[x509.GeneralName]:
    """Subject and alternative names; the subject's email addresses if there are no others."""
    from cryptography import x509

    if certificate.subject.rdns:
        yield x509.DirectoryName(certificate.subject)
    try:
        alternative = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        for attribute in certificate.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS):
            yield x509.RFC822Name(str(attribute.value))
    else:
        yield from alternative


def _is_allowed(name: x509.GeneralName, constraints: x509.NameConstraints) -> bool:
    excluded, permitted = (
        [base.value for base in subtrees or () if type(base) is type(name)]
        for subtrees in (constraints.excluded_subtrees, constraints.permitted_subtrees)
    )
    fits = _matchers().get(type(name))
    if fits is None:
        # 4.2.1.10, of a form that a critical extension restricts: "the application MUST either
        # process the constraint or reject the certificate".
        return not excluded and not permitted
    if any(fits(name.value, base) for base in excluded):
        return False
    return not permitted or any(fits(name.value, base) for base in permitted)


def _matchers() -> dict[type[x509.GeneralName], _Matcher]:
    from cryptography import x509

    return {
        x509.DirectoryName: _directory_name_fits,
        x509.DNSName: _host_fits,
        x509.RFC822Name: _mailbox_fits,
        x509.UniformResourceIdentifier: _uri_fits,
        x509.IPAddress: lambda address, network: address in network,
    }


def _directory_name_fits(name: x509.Name, base: x509.Name) -> bool:
    """The constraint's parts are the first of the name's (7.1: without case and extra blanks)."""
    wanted, parts = comparable(base), comparable(name)
    return parts[: len(wanted)] == wanted


def comparable(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    """A name as 7.1 compares it: string types, case and blanks do not count."""
    return [
        frozenset(
            (attribute.oid.dotted_string, _prepared(str(attribute.value))) for attribute in rdn
        )
        for rdn in name.rdns
    ]


def _prepared(text: str) -> str:
    """As RFC 4518 prepares a string: compatible forms, no case, no format characters, one blank."""
    seen = [letter for letter in normalize("NFKC", text) if category(letter) != "Cf"]
    return " ".join("".join(seen).casefold().split())


def _host_fits(name: str, base: str) -> bool:
    """Of DNS names: the constraint itself, and what has labels to the left of it."""
    host, domain = name.lower(), base.lower().lstrip(".")
    return not domain or host == domain or host.endswith(f".{domain}")


def _mailbox_fits(mailbox: str, wanted: str) -> bool:
    """Of email addresses: one mailbox, all of a host, or (with a leading dot) of hosts below it."""
    local, _, host = mailbox.rpartition("@")
    if "@" in wanted:
        wanted_local, _, wanted_host = wanted.rpartition("@")
        return local == wanted_local and host.lower() == wanted_host.lower()
    return _is_of_host(host, wanted)


def _uri_fits(name: str, base: str) -> bool:
    """Of URIs: the host, which must be there and must be a name."""
    try:
        host = urlsplit(name).hostname
    except ValueError:
        return False
    return bool(host) and _is_of_host(str(host), base)


def _is_of_host(host: str, wanted: str) -> bool:
    host, wanted = host.lower(), wanted.lower()
    return host.endswith(wanted) if wanted.startswith(".") else host == wanted
