"""Which CAs the command trusts where nobody says otherwise: botocore's bundle and the system's.

A company's own CA, or its proxy that inspects TLS, is in the system's store as a rule. The library
trusts what botocore trusts, as every other client of a program does. A call without botocore finds
botocore's bundle here too.
"""

# pathlib takes nearly as long to load as a bare interpreter does to start.
# ruff: noqa: PTH113, PTH118, PTH123

from __future__ import annotations

import os
import ssl
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from boto_rolesanywhere.errors import ConfigurationError

if TYPE_CHECKING:
    from botocore.session import Session as BotocoreSession

BOTOCORES_OWN: Final = "botocore's own"
BOTH: Final = "botocore's own, beside the system's store"
_END: Final = "-----END CERTIFICATE-----\n"
# Amazon Trust Services' CAs, which signed the certificates of AWS's endpoints. To load all of the
# bundle takes ten times as long.
_AMAZONS: Final = ('Label: "Amazon', 'Label: "Starfield')


class BothStores(str):
    """The path of botocore's bundle, for `verify`; beside it the system's store is trusted."""

    __slots__ = ()


def bundle_of(
    session: BotocoreSession, verify: bool | str | os.PathLike[str] | None
) -> tuple[str | None, str]:
    """The CA bundle in botocore's order, None for no check; and which setting names it.

    Nothing is checked only if `verify` is False: an empty variable counts as not set, while
    botocore would take it for a reason to check nothing.

    Args:
        session: whose CA bundle counts.
        verify: as in `boto3.client`.
    """
    from botocore.httpsession import get_cert_path

    if verify is False:
        return None, "verify"
    if isinstance(verify, BothStores):
        return verify, BOTH
    if verify is None:
        if named := session.get_config_variable("ca_bundle"):
            return named, "AWS_CA_BUNDLE" if os.environ.get("AWS_CA_BUNDLE") else "ca_bundle"
        if named := os.environ.get("REQUESTS_CA_BUNDLE"):
            return named, "REQUESTS_CA_BUNDLE"
    elif verify is not True:
        return os.fspath(verify), "verify"
    return get_cert_path(True), BOTOCORES_OWN


def own_bundle(session: BotocoreSession) -> str | None:
    """`verify` for a client of another service: an empty variable counts as not set.

    botocore refuses an empty REQUESTS_CA_BUNDLE.
    """
    return bundle_of(session, None)[0] if os.environ.get("REQUESTS_CA_BUNDLE") == "" else None


def require_bundle(bundle: str | None, origin: str) -> None:
    """Refuse a CA bundle without certificates: botocore would try again as if the network failed.

    Raises:
        ConfigurationError: naming the setting.
    """
    if bundle is not None and origin not in (BOTOCORES_OWN, BOTH) and (fault := _fault_of(bundle)):
        raise ConfigurationError(
            fault[0],
            code=fault[1],
            where=f"the CA bundle {bundle} (from {origin})",
            expected="a file of CA certificates in PEM",
        )


def holds_certificates(bundle: str) -> bool:
    """Whether a file of this path can be read and has certificates in PEM."""
    return _fault_of(bundle) is None


def _fault_of(bundle: str) -> tuple[str, str] | None:
    """What is wrong with the bundle, and the error's code; None if nothing is wrong."""
    try:
        with open(bundle, "rb") as file:
            # Ends also X509 CERTIFICATE and TRUSTED CERTIFICATE, which OpenSSL reads too.
            found = b"CERTIFICATE-----" in file.read()
    except FileNotFoundError:
        return "there is no such file", "file-missing"
    except IsADirectoryError:
        return "it is a directory", "path-not-a-file"
    except OSError as error:
        return f"it cannot be read ({error.strerror})", "file-unreadable"
    return None if found else ("there is no certificate in it", "certificate-not-in-file")


def trust_of_the_command(session: BotocoreSession) -> BothStores | None:
    """What the command gives as `verify`; None if the environment or the profile names a bundle."""
    bundle, origin = bundle_of(session, None)
    return BothStores(bundle) if origin == BOTOCORES_OWN else None


def add_system_store(context: ssl.SSLContext) -> None:
    """Trust the system's CAs too: of SSL_CERT_FILE and SSL_CERT_DIR, else OpenSSL's, or Windows'.

    What is not there, or cannot be read, is passed over, as in every program that uses OpenSSL.
    """
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)


def trust_as_for(verify: bool | str | None, client: Any) -> None:  # noqa: ANN401  # botocore makes its class
    """Let a client of another service trust what CreateSession's `verify` has the command trust."""
    if isinstance(verify, BothStores):
        trust_system_store(client._endpoint.http_session)  # noqa: SLF001  # no public name


def trust_system_store(http_session: Any) -> None:  # noqa: ANN401  # botocore's URLLib3Session
    """Let botocore's HTTP session trust the system's store too, in its next connections.

    botocore has no public way to its TLS contexts. A contract test holds it.
    """
    make = http_session._get_ssl_context  # noqa: SLF001  # see above

    def context() -> ssl.SSLContext:
        made: ssl.SSLContext = make()
        add_system_store(made)
        return made

    http_session._get_ssl_context = context  # noqa: SLF001  # of proxies that are not used yet
    managers = (http_session._manager, *http_session._proxy_managers.values())  # noqa: SLF001  # see above
    for manager in managers:
        manager.clear()
        add_system_store(manager.connection_pool_kw["ssl_context"])


def bundle_file() -> str | None:
    """The file of CA certificates that botocore takes where none is configured: certifi's first."""
    for package in ("certifi", "botocore"):
        spec = find_spec(package)
        for folder in (spec.submodule_search_locations if spec else None) or ():
            if os.path.isfile(path := os.path.join(folder, "cacert.pem")):
                return path
            return None
    return None


def context_of(file: str) -> ssl.SSLContext:
    """Trusts the certificates in `file` alone, and checks the host's name, as botocore does."""
    return _strict(ssl.create_default_context(cafile=file))


def amazons_context(file: str) -> ssl.SSLContext | None:
    """The same with Amazon's CAs of the file alone; None if they are not found there."""
    with open(file, encoding="utf-8") as bundle:
        blocks = bundle.read().split(_END)
    amazons = [block + _END for block in blocks if any(name in block for name in _AMAZONS)]
    if not amazons:
        return None
    data = "".join(block[block.index("-----BEGIN") :] for block in amazons)
    return _strict(ssl.create_default_context(cadata=data))


def _strict(context: ssl.SSLContext) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
