"""Where a CA's list comes from: a file, a URL, S3, a certificate's CDP, Private CA, our own CA."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from boto_rolesanywhere.authority.folder import open_authority
from boto_rolesanywhere.authority.records import RECORDS
from boto_rolesanywhere.certificates.descriptions import describe_subject
from boto_rolesanywhere.certificates.reading import distribution_points
from boto_rolesanywhere.clock import utc_now
from boto_rolesanywhere.errors import (
    CertificateError,
    ConfigurationError,
    EndpointError,
)
from boto_rolesanywhere.identity.files.reading import read_part
from boto_rolesanywhere.identity.opening import Access, open_certificates
from boto_rolesanywhere.settings.places import home_path

from .downloads import download, read_object, require_url, shown_url
from .lists import RevocationList, read_list
from .private_ca_lists import private_ca_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography import x509

    from boto_rolesanywhere.account.administrator import Administrator
    from boto_rolesanywhere.authority.authority import Authority
    from boto_rolesanywhere.clock import Clock

CDP: Final = "cdp"
_S3: Final = "s3://"
_SKEW: Final = timedelta(minutes=5)
_FRESH: Final = 3  # a list is signed anew when less than a third of its time is left


@dataclass(frozen=True, slots=True)
class Found:
    """A list, and the certificates that came with it.

    Attributes:
        listed: the list.
        authorities: certificates of the CA and of those above it, as far as the source has them.
            Nothing is trusted for standing here.
    """

    listed: RevocationList
    authorities: tuple[x509.Certificate, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Reads sources.

    Attributes:
        administrator: whose credentials S3 and Private CA are asked with.
        anchors: the trust anchor's certificates, for the source ``cdp``.
        access: opens the key of a CA folder.
        clock: gives the time.
    """

    administrator: Administrator
    anchors: Sequence[x509.Certificate] = ()
    access: Access = field(default_factory=Access)
    clock: Clock = utc_now

    def read(self, source: str) -> Found:
        """The present list of a source.

        Args:
            source: a path; an ``http://``, ``https://`` or ``s3://`` URL; ``cdp`` or ``cdp:FILE``;
                the ARN of an AWS Private CA; the folder of a CA of ours.

        Raises:
            RolesAnywhereError: there is no list, or it cannot be read.
        """
        if not source:
            raise ConfigurationError(
                "a source is empty",
                code="crl-source-unusable",
                where="--from",
                expected="a file, a URL, s3://BUCKET/KEY, cdp, the ARN of a CA, or a CA's folder",
            )
        if source == CDP or source.startswith(f"{CDP}:"):
            return self._at_distribution_point(source)
        if source.startswith("arn:"):
            return Found(*private_ca_list(self.administrator, source))
        if source.startswith(_S3):
            return self._in_s3(source)
        if "://" in source:
            return self._at_url(source)
        path = home_path(source)
        if (path / RECORDS).exists() or path.is_dir():
            authority = open_authority(path, self.access, clock=self.clock)
            listed = current_list(authority)
            return Found(listed, (authority.certificate, *authority.chain))
        return Found(read_list(read_part(source, "revocation list").data, source))

    def _at_url(self, url: str) -> Found:
        require_url(url)
        bundle = self.administrator.session.get_config_variable("ca_bundle")
        return Found(read_list(download(url, verify=bundle or True), shown_url(url)))

    def _in_s3(self, source: str) -> Found:
        bucket, _, key = source.removeprefix(_S3).partition("/")
        if not bucket or not key:
            raise ConfigurationError(
                "it names no object in a bucket",
                code="crl-source-unusable",
                where=source,
                expected="s3://BUCKET/KEY",
            )
        return Found(read_list(read_object(self.administrator, bucket, key), source))

    def _at_distribution_point(self, source: str) -> Found:
        file = source.partition(":")[2]
        certificates = open_certificates(file).certificates[:1] if file else self.anchors
        urls = [url for certificate in certificates for url in distribution_points(certificate)]
        if not urls:
            names = " and ".join(map(describe_subject, certificates))
            raise CertificateError(
                f"no distribution point with an http URL is named in the certificate of {names}",
                code="crl-source-unusable",
                where=source,
                remedy="Name the list's URL or file, or with cdp:FILE a certificate that names its"
                " distribution point.",
            )
        for url in urls[:-1]:
            with suppress(
                CertificateError, EndpointError
            ):  # the next source may have the same list
                return self._at_url(url)
        return self._at_url(urls[-1])


def current_list(authority: Authority) -> RevocationList:
    """The list of a CA of ours; signed anew if it is old or lacks a revocation.

    The CA's key is opened only then.

    Raises:
        RolesAnywhereError: as `Authority.sign_list`.
    """
    newest = authority.newest_list()
    if newest is None or _is_outdated(newest, authority):
        newest = authority.sign_list()
    return RevocationList(newest, str(authority.folder), is_pem=False)


def _is_outdated(newest: x509.CertificateRevocationList, authority: Authority) -> bool:
    now, end = authority.clock(), newest.next_update_utc
    if end is None or (end - now) * _FRESH < end - newest.last_update_utc:
        return True
    if newest.last_update_utc > now + _SKEW:  # of a wrong clock: it would not be sent to AWS
        return True
    listed = {entry.serial_number for entry in newest}
    revoked = {
        record.serial_number
        for record in authority.records()
        if record.revoked_at and record.not_after > now
    }
    return not revoked <= listed
