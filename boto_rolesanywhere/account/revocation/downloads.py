"""Fetching a published list over HTTP or from S3: limited in size, time and redirects.

A list is signed, so plain ``http`` does no harm: whoever changes it on the way is found out.
Proxies and CA bundles are those of botocore.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin, urlsplit

from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies
from urllib3.exceptions import HTTPError

from boto_rolesanywhere._version import __version__
from boto_rolesanywhere.clock import in_words
from boto_rolesanywhere.errors import CertificateError, ConfigurationError, EndpointError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from botocore.awsrequest import AWSResponse

    from boto_rolesanywhere.account.administrator import Administrator

MAX_DOWNLOAD: Final = 4 * 1024 * 1024  # bytes, as of a file; ImportCrl takes less
_CONNECT, _READ = 10.0, 30.0  # seconds, for each step
_WHOLE: Final = 90.0  # seconds, for all of a list
_REDIRECTS: Final = 5
_MOVED: Final = frozenset({301, 302, 303, 307, 308})
_OK: Final = 200
_PIECE: Final = 8192  # bytes; decompressed they may be a thousand times as many


def download(url: str, *, verify: str | bool = True) -> bytes:
    """The content behind an ``http`` or ``https`` URL.

    Args:
        url: as users and CAs name it.
        verify: the CA bundle for TLS; True for botocore's own.

    Raises:
        ConfigurationError: it is no such URL.
        EndpointError: it was not reached, took too long, or answered with something else.
        CertificateError: the content is larger than any list.
    """
    end = time.monotonic() + _WHOLE
    at = url
    for _ in range(_REDIRECTS + 1):
        require_url(at)
        response = _get(at, verify)
        try:
            if response.status_code not in _MOVED:
                return _content(response, at, end)
        finally:
            response.raw.close()
        if not (place := response.headers.get("location")):
            problem = f"the server answered HTTP {response.status_code} without a Location"
            raise _not_fetched(at, problem)
        at = urljoin(at, place)
    raise _not_fetched(url, f"the server redirected more than {_REDIRECTS} times")


def read_object(administrator: Administrator, bucket: str, key: str) -> bytes:
    """The content of an object, limited in size and time.

    Raises:
        RolesAnywhereError: it cannot be read, or is larger than any list.
    """
    answer = administrator.call("s3", "GetObject", Bucket=bucket, Key=key)
    pieces = answer["Body"].iter_chunks(_PIECE)
    return _read_all(pieces, f"s3://{bucket}/{key}", time.monotonic() + _WHOLE)


def require_url(url: str) -> None:
    """Refuse what cannot be downloaded.

    Raises:
        ConfigurationError: it is no HTTP URL, or holds a password.
    """
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        has_password = parts.username is not None
    except ValueError:
        usable, has_password = False, False
    if not usable or has_password:
        raise ConfigurationError(
            "a list cannot be fetched from there",
            code="crl-source-unusable",
            where=shown_url(url),
            expected="an http or https URL without a user name",
        )


def shown_url(url: str) -> str:
    """The URL for a message: without what may be secret in it."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "a text that is no URL"
    return f"{parts.scheme}://{host}{port}{parts.path}"


def _read_all(pieces: Iterable[bytes], where: str, end: float) -> bytes:
    """The pieces in one, as long as they are not too many and come before `end`.

    Raises:
        CertificateError: they are larger than any list.
        EndpointError: they came too slowly.
    """
    whole = bytearray()
    for piece in pieces:
        whole += piece
        if len(whole) > MAX_DOWNLOAD:
            raise CertificateError(
                "it is larger than 4 MiB",
                code="crl-too-large",
                where=where,
                expected="a revocation list in PEM or DER",
            )
        if time.monotonic() > end:
            raise _not_fetched(where, f"it did not come within {in_words(_WHOLE)}")
    return bytes(whole)


def _get(url: str, verify: str | bool) -> AWSResponse:
    headers = {"User-Agent": f"boto_rolesanywhere/{__version__}"}
    request = AWSRequest("GET", url, headers, stream_output=True).prepare()
    session = URLLib3Session(
        verify=verify,  # type: ignore[arg-type]  # a path too, as botocore's own callers give it
        proxies=get_environ_proxies(url),
        timeout=(_CONNECT, _READ),  # type: ignore[arg-type]  # as above
    )
    try:
        return session.send(request)
    except BotoCoreError as error:
        raise _not_fetched(url, _words(error)) from error


def _content(response: AWSResponse, url: str, end: float) -> bytes:
    if response.status_code != _OK:
        raise _not_fetched(url, f"the server answered HTTP {response.status_code}")
    try:
        # Some servers compress although nobody asked them to.
        return _read_all(response.raw.stream(_PIECE, decode_content=True), shown_url(url), end)
    except (HTTPError, OSError) as error:
        raise _not_fetched(url, f"the answer broke off ({type(error).__name__})") from error


def _words(error: BotoCoreError) -> str:
    """Why, without the URL, in which a token may stand."""
    cause = getattr(error, "kwargs", {}).get("error")
    return f"the server was not reached ({type(cause or error).__name__})"


def _not_fetched(url: str, problem: str) -> EndpointError:
    return EndpointError(
        problem,
        code="crl-not-fetched",
        where=shown_url(url),
        remedy="Look at the server that publishes the list, and at the way there: name, proxy,"
        " firewall.",
    )
