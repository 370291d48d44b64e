"""The class `Emulator`: what users hold. Puts the parts together; decides nothing itself."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.testing.ca import CertificateAuthority

from .controls import Controls
from .resources import Arn, Profile, RevocationList, Role, TrustAnchor, anchor_certificates
from .server import Server
from .service import Service
from .state import StateFolder, restore
from .tls import TlsFiles, make_tls_files, write_tls_files

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType

    from boto_rolesanywhere.authority.issued import IssuedCertificate
    from boto_rolesanywhere.clock import Clock

    from .control_plane.desk import PrivateCas
    from .records import RequestRecord
    from .resources import Resource, TrustSource


class Emulator(Controls):
    """A local IAM Roles Anywhere, on loopback, in a thread.

    It answers CreateSession: re-derives and verifies each signature, chain and constraint, and
    answers with the service's statuses, shapes and words (see `answers` for which words are
    guesses). It answers boto3's client ``rolesanywhere`` too, the control plane.
    One trust anchor, profile and role are registered from the start. ::

        ca = CertificateAuthority()
        with Emulator(ca) as emulator:
            session = boto_rolesanywhere.get_session(
                cert=..., key=...,
                anchor=emulator.trust_anchor_arn,
                profile=emulator.profile_arn,
                role=emulator.role_arn,
                endpoint_url=emulator.endpoint_url,
            )
            assert emulator.created == 1

    Attributes:
        ca: the authority made for it, or given to it; None if only certificates were given.
        region: of the endpoint.
        account: of what is registered from the start.
        trust_anchor_arn: of the first trust anchor.
        profile_arn: of the first profile.
        role_arn: of the first role.
    """

    def __init__(
        self,
        ca: TrustSource | None = None,
        *,
        trust_anchors: Sequence[TrustAnchor | TrustSource] = (),
        region: str = "eu-west-1",
        account: str = "123456789012",
        partition: str = "aws",
        trust_anchor_arn: str | None = None,
        profile_arn: str | None = None,
        role_arn: str | None = None,
        profile_duration: int = 3600,
        accept_role_session_name: bool = False,
        role_max_duration: int = 3600,
        max_lifetime: float | None = None,
        requests_per_second: int | None = None,
        clock: Clock = utc_now,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: bool | TlsFiles | IssuedCertificate = False,
        on_request: Callable[[RequestRecord], None] | None = None,
        administrators: Mapping[str, str] | None = None,
        control_plane_rate: int | None = None,
        private_cas: PrivateCas | None = None,
        roles: Callable[[str], Role | None] | None = None,
        state: Path | None = None,
    ) -> None:
        """Set it up; `start`, or the ``with`` statement, starts it.

        Args:
            ca: what the first trust anchor trusts: an authority, a certificate, or PEM. If
                neither this nor `trust_anchors` is passed, the emulator makes an authority, which
                its attribute `ca` holds.
            trust_anchors: more of them, or whole `TrustAnchor` values.
            region: of the endpoint; taken from `trust_anchor_arn` if that is given.
            account: of the first anchor, profile and role; taken from `trust_anchor_arn` too.
            partition: of all ARNs; taken from `trust_anchor_arn` too.
            trust_anchor_arn: of the first trust anchor; made up if None.
            profile_arn: of the first profile; made up if None.
            role_arn: of the first role; made up if None.
            profile_duration: the first profile's durationSeconds.
            accept_role_session_name: the first profile's acceptRoleSessionName.
            role_max_duration: the first role's MaxSessionDuration, in seconds.
            max_lifetime: seconds that no session exceeds, though the service gives none below 900:
                so that a test can see credentials expire.
            requests_per_second: the quota; the service's own is 10. None for no limit.
            clock: says what time it is.
            host: the address to listen on.
            port: 0 for any that is free.
            tls: True makes a certificate for localhost, see `ca_bundle_path`; or the files, or the
                certificate, that it shall show.
            on_request: is called with the record of each request, in the server's thread.
            administrators: secret access keys by access key id. Calls of the control plane must
                be signed with one of them; without any, every signature will do.
            control_plane_rate: calls a second for each group of the control plane's operations;
                the service's own quota is 1. None for no limit.
            private_cas: gives the PEM of an AWS Private CA's certificate by the CA's ARN, or None:
                what trust anchors with the source AWS_ACM_PCA are made of.
            roles: gives the role of an ARN, or None if there is none: asked for roles that are not
                registered here. Without it, those in profiles that the control plane made count as
                roles that trust the service.
            state: a folder that keeps everything: a later emulator with it has the same ARNs, port,
                TLS authority and resources, and ignores the arguments that say what is registered.

        Raises:
            ConfigurationError: a value is not usable.
        """
        if trust_anchor_arn:
            arn = Arn.parse(trust_anchor_arn, where="trust_anchor_arn")
            partition, region, account = arn.partition, arn.region, arn.account
        self._state = StateFolder(state) if state else None
        saved = self._state.load() if self._state else None
        if saved:
            first = Arn.parse(saved["trust_anchor_arn"], where="state")
            partition, region, account = first.partition, first.region, first.account
        self.region, self.account = region, account
        self.max_lifetime, self.requests_per_second = max_lifetime, requests_per_second
        self.control_plane_rate = control_plane_rate
        prefix = f"arn:{partition}:rolesanywhere:{region}:{account}"
        self._service = Service(
            prefix=prefix,
            clock=clock,
            private_cas=private_cas or (lambda _: None),
            dials=self,
            administrators=administrators or {},
            on_request=on_request,
        )
        self._service.registry.other_roles = roles
        if saved:
            self._restore(ca, saved)
        else:
            self.ca = self._register_anchors(ca, trust_anchors, prefix, trust_anchor_arn)
            self.role_arn = role_arn or f"arn:{partition}:iam::{account}:role/RolesAnywhere"
            self.profile_arn = profile_arn or f"{prefix}:profile/{uuid4()}"
            self.add(Role(arn=self.role_arn, max_session_duration=role_max_duration))
            self.add(
                Profile(
                    arn=self.profile_arn,
                    role_arns=(self.role_arn,),
                    duration_seconds=profile_duration,
                    accept_role_session_name=accept_role_session_name,
                )
            )
        self._tls_folder: TemporaryDirectory[str] | None = None
        self._tls = self._tls_files(tls, host, clock)
        port = port or (saved or {}).get("port", 0)
        self._server = Server(self._service, host, port, self._tls)

    def _restore(self, ca: TrustSource | None, saved: Mapping[str, Any]) -> None:
        self.ca = ca if isinstance(ca, CertificateAuthority) else None
        self.trust_anchor_arn = saved["trust_anchor_arn"]
        self.profile_arn, self.role_arn = saved["profile_arn"], saved["role_arn"]
        restore(saved, self._service.registry, self._service.desk.subjects)

    def _save(self) -> None:
        if self._state is not None and self._server.port:
            first = {
                "trust_anchor_arn": self.trust_anchor_arn,
                "profile_arn": self.profile_arn,
                "role_arn": self.role_arn,
                "port": self._server.port,
            }
            self._state.save(first, self._service.registry, self._service.desk.subjects)

    def _register_anchors(
        self,
        ca: TrustSource | None,
        others: Sequence[TrustAnchor | TrustSource],
        prefix: str,
        first_arn: str | None,
    ) -> CertificateAuthority | None:
        sources = [*([] if ca is None else [ca]), *others]
        if not sources:
            sources = [CertificateAuthority(clock=self._service.clock)]
        arns: list[str] = []
        for source in sources:
            anchor = source
            if not isinstance(anchor, TrustAnchor):
                arn = first_arn if first_arn and not arns else f"{prefix}:trust-anchor/{uuid4()}"
                anchor = TrustAnchor(arn=arn, certificates=anchor_certificates(anchor))
            self.add(anchor)
            arns.append(anchor.arn)
        self.trust_anchor_arn = arns[0]
        return sources[0] if isinstance(sources[0], CertificateAuthority) else None

    def _tls_files(
        self, tls: bool | TlsFiles | IssuedCertificate, host: str, clock: Clock
    ) -> TlsFiles | None:
        if isinstance(tls, TlsFiles):
            return tls
        if tls is False:
            return None
        if tls is True and self._state is not None:
            return make_tls_files(host, self._state.tls, clock)
        self._tls_folder = TemporaryDirectory(prefix="rolesanywhere-emulator-")
        folder = Path(self._tls_folder.name)
        if tls is True:
            return make_tls_files(host, folder, clock)
        return write_tls_files(tls, folder)

    def __enter__(self) -> Emulator:  # noqa: PYI034  # typing.Self came with 3.11
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start it; after `stop`, on the same port as before. Nothing if it runs.

        Raises:
            ConfigurationError: the port is taken, or the TLS files cannot be used.
        """
        if not self._server.is_running:
            self._server.start()
            self._save()
            self._service.registry.on_change = self._save
            self._service.desk.subjects.on_change = self._save

    def stop(self) -> None:
        """Break every connection and refuse new ones, as in an outage. `start` ends that.

        What is registered, recorded and planned stays. Hanging requests end at once.
        """
        self._server.stop()

    def close(self) -> None:
        """Stop for good: give the port back and remove the TLS files."""
        self._server.close()
        if self._tls_folder is not None:
            self._tls_folder.cleanup()

    @property
    def endpoint_url(self) -> str:
        """Where it listens, for example ``http://127.0.0.1:41234``.

        Raises:
            ConfigurationError: it was never started, and its port is not known yet.
        """
        if not self._server.port:
            raise ConfigurationError(
                "the emulator has no port before its first start",
                code="server-not-started",
                remedy="Use `with Emulator(…) as emulator:`, or call start().",
            )
        host = f"[{self._server.host}]" if ":" in self._server.host else self._server.host
        return f"{'https' if self._tls else 'http'}://{host}:{self._server.port}"

    @property
    def ca_bundle_path(self) -> Path | None:
        """The file with the authority of its TLS certificate; None without TLS."""
        return self._tls.ca_bundle if self._tls else None

    @property
    def ca_bundle_pem(self) -> bytes | None:
        """What stands in `ca_bundle_path`."""
        return self.ca_bundle_path.read_bytes() if self.ca_bundle_path else None

    @property
    def trust_anchor(self) -> TrustAnchor:
        """The first trust anchor, as it is registered now."""
        return _found(
            self._service.registry.find(TrustAnchor, self.trust_anchor_arn), "trust anchor"
        )

    @property
    def profile(self) -> Profile:
        """The first profile, as it is registered now."""
        return _found(self._service.registry.find(Profile, self.profile_arn), "profile")

    @property
    def role(self) -> Role:
        """The first role, as it is registered now."""
        return _found(self._service.registry.role(self.role_arn), "role")

    def add(self, resource: Resource) -> None:
        """Register a trust anchor, profile, role or revocation list.

        What has the same ARN is replaced, so this is also how one is changed::

            emulator.add(dataclasses.replace(emulator.profile, enabled=False))

        Raises:
            ConfigurationError: AWS would not let this be made.
        """
        if not isinstance(resource, Role):
            owner = {"createdBy": self.account} if isinstance(resource, Profile) else {}
            about = self._service.desk.stamped({**owner, **resource.about})
            resource = replace(resource, about=about)
        self._service.registry.add(resource)

    def remove(self, arn: str) -> None:
        """Forget a trust anchor (with its revocation lists), a profile or a role."""
        self._service.registry.remove(arn)

    def import_crl(self, pem: bytes, *, name: str = "default") -> None:
        """Import a revocation list for the first trust anchor; the same name again replaces it.

        Raises:
            ConfigurationError: AWS would refuse it (no PEM, too large, no entries).
        """
        self.add(RevocationList(trust_anchor_arn=self.trust_anchor_arn, pem=pem, name=name))


_Found = TypeVar("_Found")


def _found(resource: _Found | None, kind: str) -> _Found:
    if resource is None:
        raise ConfigurationError(f"the first {kind} was removed", code="emulator-resource-removed")
    return resource
