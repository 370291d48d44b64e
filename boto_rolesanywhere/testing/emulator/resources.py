"""What is registered with the emulator: trust anchors, profiles, roles, revocation lists.

Values and the table that holds them. Judging a request by them is done elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from threading import RLock
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar
from uuid import NAMESPACE_URL, uuid5

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.ca import CertificateAuthority
from boto_rolesanywhere.testing.loading import read_certificates

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cryptography import x509

    # What a trust anchor can be made of.
    TrustSource: TypeAlias = CertificateAuthority | x509.Certificate | str | bytes

MAX_ANCHOR_CERTIFICATES: Final = 2  # per trust anchor, as documented
_MOST_LISTS: Final = 2  # for one trust anchor (User Guide, "Quotas")
MAX_CRL_BYTES: Final = 300_000  # ImportCrl, as documented

DEFAULT_MAPPINGS: Final = {
    "x509Subject": ("*",),
    "x509Issuer": ("*",),
    "x509SAN": ("DNS", "URI", "Name/*"),
}
"""Which attributes become principal tags unless the profile says otherwise."""


@dataclass(frozen=True, slots=True)
class Arn:
    """The six parts of an ARN, without the first."""

    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str, *, where: str) -> Arn:
        """Take an ARN apart.

        Raises:
            ConfigurationError: it has fewer parts than an ARN.
        """
        parts = text.split(":", 5)
        if len(parts) != 6 or parts[0] != "arn":  # noqa: PLR2004  # arn: and the five fields
            raise ConfigurationError(
                f"{text!r} is not an ARN",
                code="arn-invalid",
                where=where,
                expected="arn:partition:service:region:account:resource",
            )
        return cls(*parts[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustAnchor:
    """A trust anchor.

    Attributes:
        arn: ``arn:aws:rolesanywhere:{region}:{account}:trust-anchor/{id}``.
        certificates: one or two CA certificates; roots or intermediates.
        enabled: a disabled one refuses everybody.
        aliases: further ARNs (``…:alias/trust-anchor/{name}``) that mean this one.
        about: what the control plane shows besides, by the service's names.
    """

    arn: str
    certificates: tuple[x509.Certificate, ...] = field(repr=False)
    enabled: bool = True
    aliases: tuple[str, ...] = ()
    about: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile.

    Attributes:
        arn: ``arn:aws:rolesanywhere:{region}:{account}:profile/{id}``.
        role_arns: the roles that can be assumed through it.
        enabled: a disabled one refuses everybody.
        duration_seconds: of a session that asks for no duration, and the most that one gets.
        accept_role_session_name: whether a request may name its session.
        attribute_mappings: which attributes become principal tags: ``x509Subject``,
            ``x509Issuer`` and ``x509SAN`` each with specifiers such as ``CN``, ``DNS``,
            ``Name/*`` or ``*``.
        aliases: further ARNs (``…:alias/profile/{name}``) that mean this one.
        tip_source: with trusted identity propagation enabled, the field that must be mapped and
            have a value: ``x509Subject/CN`` or ``x509SAN/URI``.
        roles_exist: whether a listed role that is registered nowhere counts as one that trusts the
            service. So it is where the control plane set the roles: IAM is not the emulator's
            affair.
        about: what the control plane shows besides, by the service's names.
    """

    arn: str
    role_arns: tuple[str, ...]
    enabled: bool = True
    duration_seconds: int = 3600
    accept_role_session_name: bool = False
    attribute_mappings: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: dict(DEFAULT_MAPPINGS)
    )
    aliases: tuple[str, ...] = ()
    tip_source: str | None = None
    roles_exist: bool = False
    about: Mapping[str, object] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An IAM role, as far as it matters here.

    Attributes:
        arn: ``arn:aws:iam::{account}:role/{path}{name}``.
        max_session_duration: seconds. IAM allows 3600 to 43200.
        trusts_service: whether its trust policy lets ``rolesanywhere.amazonaws.com`` do
            sts:AssumeRole, sts:TagSession and sts:SetSourceIdentity.
        required_tags: principal tags that its trust policy asks for with StringEquals, for
            example ``{"x509Subject/CN": "app-1"}``.
        required_source_arn: the trust anchor it asks for (``aws:SourceArn``); None for any.
        trust_policy: the whole of its trust policy, decoded, which must let the service in; None
            where the three attributes above say it all.
    """

    arn: str
    max_session_duration: int = 3600
    trusts_service: bool = True
    required_tags: Mapping[str, str] = field(default_factory=dict)
    required_source_arn: str | None = None
    trust_policy: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationList:
    """A CRL that was imported for a trust anchor.

    Attributes:
        trust_anchor_arn: whose certificates it concerns.
        pem: the list, as PEM, with one entry at least.
        name: for people. The service adds another list of the same name.
        enabled: a disabled one is not looked at.
        arn: ``arn:aws:rolesanywhere:{region}:{account}:crl/{id}``. If empty, one is made of the
            trust anchor and the name, so that the same name again replaces the list.
        aliases: further ARNs (``…:alias/crl/{name}``) that mean this one.
        about: what the control plane shows besides, by the service's names.
    """

    trust_anchor_arn: str
    pem: bytes = field(repr=False)
    name: str = "default"
    enabled: bool = True
    arn: str = ""
    aliases: tuple[str, ...] = ()
    about: Mapping[str, object] = field(default_factory=dict, repr=False)

    def with_arn(self) -> RevocationList:
        """This list, with an ARN."""
        if self.arn:
            return self
        prefix = self.trust_anchor_arn.rpartition(":")[0]
        made = uuid5(NAMESPACE_URL, f"{self.trust_anchor_arn} {self.name}")
        return replace(self, arn=f"{prefix}:crl/{made}")

    def load(self) -> x509.CertificateRevocationList:
        """The list, parsed.

        Raises:
            ConfigurationError: it is one that ImportCrl would refuse.
        """
        from cryptography import x509

        where = f"revocation list {self.name!r}"
        if not 1 <= len(self.pem) <= MAX_CRL_BYTES:
            raise ConfigurationError(
                f"{len(self.pem)} bytes",
                code="testing-resource-refused",
                where=where,
                expected=f"1 to {MAX_CRL_BYTES}",
            )
        try:
            crl = x509.load_pem_x509_crl(self.pem)
        except ValueError as error:
            raise ConfigurationError(
                f"cannot be read ({error})",
                code="testing-resource-refused",
                where=where,
                expected="a CRL as PEM",
                remedy="If it is DER: `openssl crl -inform DER -in list.crl -out list.pem`.",
            ) from None
        if not len(crl):
            raise ConfigurationError(
                "has no entries; AWS refuses to import such a list",
                code="testing-resource-refused",
                where=where,
                remedy="Revoke a certificate first, or import no list.",
            )
        return crl


Resource: TypeAlias = "TrustAnchor | Profile | Role | RevocationList"
_Kind = TypeVar("_Kind", TrustAnchor, Profile, Role, RevocationList)


def anchor_certificates(source: TrustSource) -> tuple[x509.Certificate, ...]:
    """The certificates of an authority, a certificate or a PEM text."""
    if isinstance(source, CertificateAuthority):
        return (source.certificate,)
    if isinstance(source, (str, bytes)):
        return read_certificates(source, where="trust anchor")
    return (source,)


class Registry:
    """The table of everything registered. Safe to change while requests are answered.

    Attributes:
        on_change: is called after each change.
        other_roles: gives a role that is not registered here, by its ARN, or None if there is none;
            None: nobody knows of others.
    """

    def __init__(self) -> None:
        self.other_roles: Callable[[str], Role | None] | None = None
        self._lock = RLock()
        self._resources: dict[str, Resource] = {}
        self._parsed: dict[str, x509.CertificateRevocationList] = {}
        self._tags: dict[str, dict[str, str]] = {}
        self.on_change: Callable[[], None] = lambda: None

    def add(self, resource: Resource) -> None:
        """Register; what has the same ARN (or the same anchor and name) is replaced.

        Raises:
            ConfigurationError: AWS would not let this be made.
        """
        parsed = None
        if isinstance(resource, RevocationList):
            resource, parsed = resource.with_arn(), resource.load()
        elif isinstance(resource, TrustAnchor):
            _check_anchor(resource)
        Arn.parse(resource.arn, where=type(resource).__name__)
        with self._lock:
            if isinstance(resource, RevocationList) and parsed is not None:
                self._check_room(resource)
                self._parsed[resource.arn] = parsed
            self._resources[resource.arn] = resource
        self.on_change()

    def _check_room(self, new: RevocationList) -> None:
        others = [held for held in self._lists(new.trust_anchor_arn) if held.arn != new.arn]
        if len(others) >= _MOST_LISTS:
            raise ConfigurationError(
                f"the trust anchor has {_MOST_LISTS} revocation lists already",
                code="testing-resource-refused",
                where=f"revocation list {new.name!r}",
                remedy="Give it the name of the one that it replaces.",
            )

    def remove(self, arn: str) -> None:
        """Forget a trust anchor (with its revocation lists), a profile, a role or a list."""
        with self._lock:
            for gone in (arn, *(held.arn for held in self._lists(arn))):
                self._resources.pop(gone, None)
                self._parsed.pop(gone, None)
                self._tags.pop(gone, None)
        self.on_change()

    def all(self, kind: type[_Kind]) -> list[_Kind]:
        """All resources of a kind, in the order in which they were made."""
        with self._lock:
            return [held for held in self._resources.values() if isinstance(held, kind)]

    def find(self, kind: type[_Kind], arn: str) -> _Kind | None:
        """The resource of that ARN or alias."""
        with self._lock:
            held = self._resources.get(arn)
            if isinstance(held, kind):
                return held
            known = self.all(kind)
            return next((held for held in known if arn in getattr(held, "aliases", ())), None)

    def role(self, arn: str) -> Role | None:
        """The role of that ARN, registered here or elsewhere."""
        role = self.find(Role, arn)
        return self.other_roles(arn) if role is None and self.other_roles else role

    def revocation_lists(self, anchor_arn: str) -> list[x509.CertificateRevocationList]:
        """The enabled lists of a trust anchor."""
        with self._lock:
            return [self._parsed[held.arn] for held in self._lists(anchor_arn) if held.enabled]

    def _lists(self, anchor_arn: str) -> list[RevocationList]:
        lists = self.all(RevocationList)
        return [held for held in lists if held.trust_anchor_arn == anchor_arn]

    def tags(self, arn: str) -> dict[str, str]:
        """A copy of the tags of a resource."""
        with self._lock:
            return dict(self._tags.get(arn, {}))

    def all_tags(self) -> dict[str, dict[str, str]]:
        """A copy of all tags, by ARN."""
        with self._lock:
            return {arn: dict(tags) for arn, tags in self._tags.items()}

    def tag(self, arn: str, tags: Mapping[str, str]) -> None:
        """Set the tags of a resource, all of them."""
        with self._lock:
            self._tags[arn] = dict(tags)
        self.on_change()


def _check_anchor(anchor: TrustAnchor) -> None:
    from cryptography import x509

    where = f"trust anchor {anchor.arn}"
    count = len(anchor.certificates)
    if not 1 <= count <= MAX_ANCHOR_CERTIFICATES:
        raise ConfigurationError(
            f"{count} certificates",
            code="testing-resource-refused",
            where=where,
            expected=f"1 to {MAX_ANCHOR_CERTIFICATES}",
        )
    for certificate in anchor.certificates:
        name = certificate.subject.rfc4514_string()
        try:
            found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
        except (x509.ExtensionNotFound, ValueError):  # ValueError: extensions that cannot be read
            found = None
        if found is None or not found.value.ca:
            raise ConfigurationError(
                f"{name} is not a CA certificate",
                code="testing-resource-refused",
                where=where,
                expected="basicConstraints with CA:TRUE",
                remedy="Use the certificate of the authority that issued the client's.",
            )
