"""How AWS will see a certificate: everything that is known without asking AWS.

`cli` shows the value in a terminal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes

from boto_rolesanywhere.certificates.chain import Issuers, order_chain
from boto_rolesanywhere.certificates.descriptions import describe_issuer, describe_subject
from boto_rolesanywhere.certificates.odd import readable
from boto_rolesanywhere.certificates.public_keys import algorithm_for, describe_key
from boto_rolesanywhere.certificates.reading import (
    decimal,
    distribution_points,
    extension_of,
    quietly,
    readable_public_key,
    serial_number,
)
from boto_rolesanywhere.certificates.rules import is_ca, problems
from boto_rolesanywhere.errors import CertificateError

from . import session_tags as tags_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from boto_rolesanywhere.certificates.rules import Finding

    from .session_tags import AttributeMappings, SessionTag
    from .trust_policy import SessionFacts

# API Reference, TipConfiguration, subjectSource.
_TIP_SOURCES: Final = ("x509Subject/CN", "x509SAN/URI")
# RFC 5280, section 4.2.1.3, in the order of the bits; cryptography's own names differ.
_KEY_USAGES: Final = {
    "digital_signature": "digitalSignature",
    "content_commitment": "nonRepudiation",
    "key_encipherment": "keyEncipherment",
    "data_encipherment": "dataEncipherment",
    "key_agreement": "keyAgreement",
    "key_cert_sign": "keyCertSign",
    "crl_sign": "cRLSign",
}


@dataclass(frozen=True, slots=True)
class Constraint:
    """One thing that AWS asks of an end-entity certificate, and what this one has.

    Attributes:
        code: as in `boto_rolesanywhere.certificates.rules.Finding`.
        title: what it is about.
        value: what the certificate has.
        problems: why AWS would refuse it; empty if it would not.
    """

    code: str
    title: str
    value: str
    problems: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateInspection:
    """What AWS will see of a certificate.

    Attributes:
        serial_number: decimal is what the request's Credential has; hex is what people compare.
        days_left: whole days until it expires; negative when it has.
        key: kind and size, for example ``EC P-256``.
        algorithm: the signing algorithm; None if AWS takes no such key.
        constraints: everything AWS asks of it, met or not.
        session_name: the role session name: the serial number in hex unless one is asked for.
        source_identity_doubt: why AWS may set another one; None if its rules settle it.
        tags: session tags, dropped ones included.
        unused_names: subject alternative names that become no tag, with the reason.
        origins: what trusted identity propagation would take for ``aws:OriginIdentity/Subject``,
            by each subjectSource that a profile may have; without a value AWS denies the session.
        revocation_lists: the URLs of its CRL distribution points, which AWS asks if the trust
            anchor has ``crlDpRevocationEnabled``.
        slips: what in its encoding is odd or could not be read, each as a clause.
        chain: the intermediates that will be sent, from the leaf's issuer upward.
    """

    subject: str
    issuer: str
    serial_number: int
    serial_number_hex: str
    fingerprint: str
    not_before: datetime
    not_after: datetime
    days_left: int
    key: str
    algorithm: str | None
    constraints: tuple[Constraint, ...]
    session_name: str
    source_identity: str
    source_identity_doubt: str | None
    tags: tuple[SessionTag, ...]
    unused_names: tuple[tuple[str, str], ...]
    origins: tuple[tuple[str, str | None], ...]
    revocation_lists: tuple[str, ...]
    slips: tuple[str, ...]
    chain: tuple[x509.Certificate, ...]

    @property
    def acceptable(self) -> bool:
        """Whether AWS would take it as an end-entity certificate now."""
        return not any(constraint.problems for constraint in self.constraints)

    def facts(
        self,
        *,
        now: datetime,
        trust_anchor_arn: str | None = None,
        context: dict[str, tuple[str, ...]] | None = None,
    ) -> SessionFacts:
        """What a trust policy is evaluated against; see `SessionFacts` for the arguments.

        Raises:
            ConfigurationError: `trust_anchor_arn` is not the ARN of a trust anchor.
        """
        from .trust_policy import SessionFacts

        kept = [tag for tag in self.tags if tag.dropped is None]
        return SessionFacts(
            tags={tag.key: tag.value for tag in kept},
            dropped_tags={tag.key: tag.dropped for tag in self.tags if tag.dropped is not None},
            undocumented_tags=frozenset(tag.key for tag in kept if not tag.documented),
            source_identity=self.source_identity,
            source_identity_doubt=self.source_identity_doubt,
            session_name=self.session_name,
            trust_anchor_arn=trust_anchor_arn,
            now=now,
            context=context or {},
        )

    def to_json(self) -> dict[str, object]:
        """The inspection as JSON values, with keys that stay."""
        return {
            "subject": self.subject,
            "issuer": self.issuer,
            "serialNumber": {"hex": self.serial_number_hex, "decimal": decimal(self.serial_number)},
            "sha256Fingerprint": self.fingerprint,
            "notBefore": _iso(self.not_before),
            "notAfter": _iso(self.not_after),
            "daysLeft": self.days_left,
            "key": self.key,
            "algorithm": self.algorithm,
            "acceptable": self.acceptable,
            "constraints": [
                {
                    "code": constraint.code,
                    "title": constraint.title,
                    "value": constraint.value,
                    "ok": not constraint.problems,
                    "problems": [{"text": p.text, "remedy": p.remedy} for p in constraint.problems],
                }
                for constraint in self.constraints
            ],
            "sessionName": self.session_name,
            "sourceIdentity": self.source_identity,
            "sourceIdentityDoubt": self.source_identity_doubt,
            "principalTags": [
                {
                    "key": f"aws:PrincipalTag/{tag.key}",
                    "value": tag.value,
                    "dropped": tag.dropped,
                    "documented": tag.documented,
                }
                for tag in self.tags
            ],
            "trustedIdentityPropagation": dict(self.origins),
            "crlDistributionPoints": list(self.revocation_lists),
            "encoding": list(self.slips),
            "unusedNames": [{"name": name, "reason": why} for name, why in self.unused_names],
            "chain": [
                {
                    "subject": _name(issuer, "subject"),
                    "issuer": _name(issuer, "issuer"),
                    "serialNumber": tags_of.serial_hex(issuer),
                    "notAfter": _iso(issuer.not_valid_after_utc),
                }
                for issuer in self.chain
            ],
        }


def choose_leaf(certificates: Iterable[x509.Certificate]) -> x509.Certificate:
    """The end-entity certificate if there is no key to find it by.

    It is a certificate that issued none of the others: the first that is neither self-signed nor a
    CA's, else the first of all.

    Raises:
        CertificateError: there is no certificate at all.
    """
    distinct = list(dict.fromkeys(certificates))
    if not distinct:
        raise CertificateError(
            "there is no certificate in it", code="certificate-not-in-file", expected="at least one"
        )
    among = Issuers(distinct)
    issuers = {issuer for issued in distinct for issuer in among.of(issued) if issuer != issued}
    free = [certificate for certificate in distinct if certificate not in issuers] or distinct
    # Of equal ones the first.
    return min(free, key=lambda certificate: (certificate in among.self_signed, is_ca(certificate)))


def inspect_certificate(
    certificate: x509.Certificate,
    candidates: Iterable[x509.Certificate] = (),
    *,
    now: datetime,
    mappings: AttributeMappings | None = None,
    session_name: str | None = None,
) -> CertificateInspection:
    """Say what AWS will see of an end-entity certificate.

    Args:
        certificate: the end-entity certificate.
        candidates: certificates among which its intermediates are; strangers do no harm.
        now: aware; for the validity.
        mappings: the profile's attribute mappings; None for AWS's default.
        session_name: the role session name that is asked for, if one is.

    Raises:
        CertificateError: a name cannot be read at all, or the chain is too long.
    """
    found = problems(certificate, now)
    chain = order_chain(certificate, candidates, now=now)
    certificate, slips = readable(certificate)
    tags = tags_of.session_tags(certificate, mappings)
    return CertificateInspection(
        subject=_name(certificate, "subject"),
        issuer=_name(certificate, "issuer"),
        serial_number=serial_number(certificate),
        serial_number_hex=tags_of.serial_hex(certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        days_left=(certificate.not_valid_after_utc - now).days,
        key=_key(certificate),
        algorithm=_algorithm(certificate),
        constraints=_constraints(certificate, found),
        session_name=session_name or tags_of.serial_hex(certificate),
        source_identity=tags_of.source_identity(certificate),
        source_identity_doubt=tags_of.source_identity_doubt(certificate),
        tags=tags,
        unused_names=tags_of.alternative_names(certificate)[1],
        origins=tuple((source, _kept(tags, source)) for source in _TIP_SOURCES),
        revocation_lists=distribution_points(certificate),
        slips=slips,
        chain=tuple(readable(issuer)[0] for issuer in chain),
    )


def _kept(tags: Iterable[SessionTag], key: str) -> str | None:
    return next((tag.value for tag in tags if tag.key == key and tag.dropped is None), None)


def _constraints(
    certificate: x509.Certificate, found: tuple[Finding, ...]
) -> tuple[Constraint, ...]:
    span = (certificate.not_valid_before_utc, certificate.not_valid_after_utc)
    subject = "present" if tags_of.names_of(certificate, "subject") else "empty"
    rows: list[tuple[tuple[str, ...], str, str]] = [
        (("version",), "version", certificate.version.name),
        (("subject",), "subject", subject),
        (("key",), "public key", _key(certificate)),
        (("expired", "not-yet-valid"), "validity", " to ".join(f"{at:%Y-%m-%d}" for at in span)),
        (("ca",), "basicConstraints", _basic_constraints(certificate)),
        (("key-usage",), "keyUsage", _key_usage(certificate)),
        (("hash",), "signed with", _signature(certificate)),
    ]
    if any(finding.code == "malformed" for finding in found):
        rows.append((("malformed",), "encoding", "malformed"))
    return tuple(
        Constraint(
            codes[0], title, value, tuple(finding for finding in found if finding.code in codes)
        )
        for codes, title, value in rows
    )


def _basic_constraints(certificate: x509.Certificate) -> str:
    value = extension_of(certificate, x509.BasicConstraints)
    if not isinstance(value, x509.BasicConstraints):
        return "absent"
    return "CA:TRUE" if value.ca else "CA:FALSE"


def _key_usage(certificate: x509.Certificate) -> str:
    value = extension_of(certificate, x509.KeyUsage)
    if value is None:
        return "absent"
    usages = [title for name, title in _KEY_USAGES.items() if getattr(value, name)]
    return ", ".join(usages) or "none of the usual"


def _signature(certificate: x509.Certificate) -> str:
    try:
        used = certificate.signature_hash_algorithm
    except (UnsupportedAlgorithm, ValueError):
        used = None
    if used is None:
        return f"algorithm {certificate.signature_algorithm_oid.dotted_string}"
    return used.name.upper()


def _key(certificate: x509.Certificate) -> str:
    key = readable_public_key(certificate)
    return "unreadable" if key is None else describe_key(key)


def _algorithm(certificate: x509.Certificate) -> str | None:
    try:
        return algorithm_for(quietly(certificate.public_key))
    except (CertificateError, ValueError, UnsupportedAlgorithm):
        return None


def _name(certificate: x509.Certificate, field: str) -> str:
    """The name as every message has it, so that it can be pasted (``--cert-selector``)."""
    if not tags_of.names_of(certificate, field):
        return "(empty)"
    describe = describe_subject if field == "subject" else describe_issuer
    return describe(certificate)


def _iso(time: datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
