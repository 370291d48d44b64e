"""The TLS handshake with the endpoint: which CA bundle, whose certificate, and why it fails."""

from __future__ import annotations

import http.client
import ssl
from typing import TYPE_CHECKING

from boto_rolesanywhere.certificates.descriptions import describe_issuer, describe_subject
from boto_rolesanywhere.create_session.network_faults import OF_NAME, OF_TIME
from boto_rolesanywhere.create_session.shown_certificate import shake_hands
from boto_rolesanywhere.create_session.trust import BothStores, add_system_store

from .network import open_socket, reason, tunnels
from .verdict import Verdict, skipped

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cryptography import x509

    from .route import Route
    from .verdict import Check, Question


def check_tls(route: Route, question: Question) -> Check[bool]:
    """Shake hands as botocore does, and look at what the endpoint shows."""
    if route.scheme != "https":
        yield skipped("tls", f"{route.url} is not encrypted")
        return True
    if route.proxy_url and not tunnels(route):
        yield skipped("tls", "the proxy speaks TLS itself; the next check goes through it")
        return True
    try:
        context = _context(route.bundle)
    except (OSError, ValueError) as error:
        text = f"the CA bundle {route.bundle} (from {route.bundle_origin}) cannot be read"
        remedy = f"Correct {route.bundle_origin}: it is a file of CA certificates in PEM."
        yield Verdict("tls", "fail", f"{text} ({reason(error)})", remedy)
        return False
    verdict = _shake_hands(question, route, context)
    yield verdict
    return verdict.status != "fail"


def _context(bundle: str | None) -> ssl.SSLContext:
    """A context as botocore's HTTP session makes it.

    The standard library's default context is stricter with certificates than botocore.
    """
    from urllib3.util.ssl_ import create_urllib3_context

    context = create_urllib3_context()
    if bundle is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    else:
        context.load_verify_locations(bundle)
        if isinstance(bundle, BothStores):
            add_system_store(context)
        context.verify_mode = ssl.CERT_REQUIRED
        context.check_hostname = True
    return context


def _shake_hands(question: Question, route: Route, context: ssl.SSLContext) -> Verdict:
    try:
        version, shown = _handshake(route, context, question.timeout)
    except ssl.SSLCertVerificationError as error:
        return _not_trusted(question, route, error)
    except (OSError, http.client.HTTPException) as error:
        return Verdict(
            "tls",
            "fail",
            f"the handshake fails ({reason(error)})",
            "Check that the port speaks TLS, and what is between this machine and the endpoint.",
        )
    details = [*_about(shown), ("protocol", version)]
    if route.bundle is None:
        return Verdict(
            "tls",
            "warn",
            "the endpoint's certificate is not checked: whoever is on the way can read the"
            " credentials",
            "Name the CA that signed it (AWS_CA_BUNDLE) instead of switching the check off.",
            tuple(details),
        )
    details.append(("CA bundle", f"{route.bundle} ({route.bundle_origin})"))
    issuer = describe_issuer(shown) if shown else "an unreadable name"
    until = f", until {shown.not_valid_after_utc:%Y-%m-%d}" if shown else ""
    return Verdict("tls", "ok", f"trusted, issued by {issuer}{until}", details=tuple(details))


def _handshake(
    route: Route, context: ssl.SSLContext, timeout: float
) -> tuple[str, x509.Certificate | None]:
    with open_socket(route, timeout) as plain:
        return shake_hands(plain, context, route.host)


def _not_trusted(question: Question, route: Route, error: ssl.SSLCertVerificationError) -> Verdict:
    """Why the endpoint's certificate is refused; shake hands again only to look at it."""
    try:
        _, shown = _handshake(route, _context(None), question.timeout)
    except (OSError, http.client.HTTPException):
        shown = None
    issuer = f", issued by {describe_issuer(shown)}," if shown else ""
    remedy = (
        "If that issuer is your company's or the endpoint's own CA, name its certificate:"
        " AWS_CA_BUNDLE, or ca_bundle in the profile, or put it into the system's store, which the"
        " command trusts too. If not, somebody intercepts the connection."
    )
    if error.verify_code in OF_NAME:
        remedy = "Use the host name that the certificate is for, or correct the endpoint URL."
    elif error.verify_code in OF_TIME:
        now = question.clock()
        remedy = f"Set this machine's clock if today is not {now:%Y-%m-%d}; else renew it there."
    return Verdict(
        "tls",
        "fail",
        f"the endpoint's certificate{issuer} is not trusted: {error.verify_message}",
        remedy,
        (*_about(shown), ("CA bundle", f"{route.bundle} ({route.bundle_origin})")),
    )


def _about(certificate: x509.Certificate | None) -> Iterator[tuple[str, str]]:
    if certificate is not None:
        yield "certificate of", describe_subject(certificate)
        yield "issued by", describe_issuer(certificate)
        yield "valid until", f"{certificate.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
