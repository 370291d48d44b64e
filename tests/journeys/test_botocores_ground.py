"""The parts of botocore, urllib3 and httptools that nobody promises, and we lean on.

A release that moves one fails here, with what we need of it and where. The first test fails when
the package begins to lean on another part: give it a guard.
"""

from __future__ import annotations

import ast
import inspect
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.configloader
import botocore.session
import pytest
import urllib3
from botocore import UNSIGNED, credentials, handlers, loaders, utils, xform_name
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config as ClientConfig
from botocore.credentials import RefreshableCredentials
from botocore.exceptions import EndpointConnectionError
from botocore.httpsession import ProxyConfiguration, URLLib3Session, get_cert_path

import boto_rolesanywhere
from boto_rolesanywhere.create_session.trust import trust_system_store
from boto_rolesanywhere.settings.botocore_variables import without_empty_variables

ROOT = Path(__file__).parents[2]
PACKAGE = Path(boto_rolesanywhere.__file__).parent
# What these export is documented for everybody.
DOCUMENTED = {
    *("boto3", "botocore.UNSIGNED", "botocore.config", "botocore.exceptions", "botocore.session"),
    *("botocore.client.Config", "botocore.client"),
}
ROOTS = ("botocore", "boto3", "urllib3", "httptools")

Guard = Callable[[], None]
GUARDS: dict[str, Guard] = {}


def guards(*names: str) -> Callable[[Guard], Guard]:
    """The function guards these; its first lines say what we need, and where."""

    def noting(guard: Guard) -> Guard:
        GUARDS.update(dict.fromkeys(names, guard))
        return guard

    return noting


def client(**options: Any) -> Any:  # noqa: ANN401  # botocore makes its class
    return botocore.session.Session().create_client(
        "sts", region_name="eu-west-1", config=ClientConfig(signature_version=UNSIGNED, **options)
    )


@guards("botocore.awsrequest.AWSRequest", "urllib3.exceptions", "urllib3.exceptions.HTTPError")
def requests() -> None:
    """botocore_transport, doctor and the downloads of CRLs send an AWSRequest, prepared: its
    headers as given, a Content-Length, the body as bytes, and `stream_output` kept. What urllib3
    raises while a body is read is an HTTPError, time-outs a ReadTimeoutError."""
    made = AWSRequest("POST", "http://x/", headers={"A": "b"}, data=b"body", stream_output=True)
    prepared = made.prepare()
    assert (prepared.method, prepared.url, prepared.body) == ("POST", "http://x/", b"body")
    assert (prepared.headers["A"], prepared.headers["Content-Length"]) == ("b", "4")
    assert prepared.stream_output is True
    assert issubclass(urllib3.exceptions.ReadTimeoutError, urllib3.exceptions.HTTPError)


@guards(
    "botocore.configprovider.BOTOCORE_DEFAUT_SESSION_VARIABLES",
    "botocore.configprovider.ConfigChainFactory",
)
def variables() -> None:
    """A session takes its options from a component `config_store`, in which one provider can be
    put in place of another; the table has each option's key, variables, default and conversion.
    settings.botocore_variables gives a provider an environment without empty variables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_PROFILE", "")
        patch.setenv("AWS_MAX_ATTEMPTS", "")
        session = without_empty_variables(botocore.session.Session())
        assert session.get_config_variable("profile") is None
        assert session.get_config_variable("max_attempts") is None
        session.set_config_variable("profile", "chosen")
        assert session.get_config_variable("profile") == "chosen"


@guards("._get_ssl_context", "._manager", "._proxy_managers")
def tls_contexts() -> None:
    """A URLLib3Session makes its TLS contexts by `_get_ssl_context`, one for `_manager` when it is
    made, others for proxies when they are used, in `_proxy_managers`. create_session.trust adds
    the system's CAs to each."""
    file = get_cert_path(True)
    session = URLLib3Session()
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        patch.setenv("SSL_CERT_DIR", folder)
        trust_system_store(session)
        contexts = [session._manager.connection_pool_kw["ssl_context"]]
        manager = session._get_proxy_manager("http://proxy:8080")
        contexts.append(manager.connection_pool_kw["ssl_context"])
        assert session._proxy_managers == {"http://proxy:8080": manager}
        trusted = {context.cert_store_stats()["x509_ca"] for context in contexts}
    assert trusted == {Path(file).read_text("utf-8").count("-----BEGIN CERTIFICATE")}


@guards("botocore.httpsession.URLLib3Session", "._endpoint")
def http_sessions() -> None:
    """A client's `_endpoint.http_session` is a URLLib3Session, whose `send` makes one request: no
    retry and no redirect of urllib3's, the body left unread. botocore_transport reads `raw` itself
    and closes the session, which can send again."""
    session = client()._endpoint.http_session
    assert isinstance(session, URLLib3Session)
    source = inspect.getsource(URLLib3Session.send)
    assert "if not request.stream_output" in source
    assert "preload_content=False" in source
    assert "retries=Retry(False)" in source
    response = AWSResponse("http://x/", 200, {"Date": "now"}, SimpleNamespace(stream=list))
    assert (response.status_code, dict(response.headers.items())) == (200, {"Date": "now"})
    assert response.raw.stream() == []

    pool = session._manager.connection_from_url("http://127.0.0.1:9/")
    session.close()
    assert len(session._manager.pools) == 0
    assert session._manager.connection_from_url("http://127.0.0.1:9/") is not pool
    assert "self._proxy_managers" in inspect.getsource(URLLib3Session.close)
    assert URLLib3Session(verify=False, proxies={}, timeout=(1, 2))._timeout.read_timeout == 2


@guards("botocore.parsers.ResponseParserError")
def foreign_answers() -> None:
    """What no parser of botocore's can read is a ResponseParserError or a JSONDecodeError.
    account.service_errors says then that something else answered."""
    from botocore.parsers import QueryParser, ResponseParserError

    page = {"status_code": 200, "headers": {}, "body": b"<html>Please log in"}
    shape = client().meta.service_model.operation_model("GetCallerIdentity").output_shape
    with pytest.raises(ResponseParserError):
        QueryParser().parse(page, shape)


@guards("botocore.httpsession.ProxyConfiguration", "botocore.utils.get_environ_proxies")
def proxies() -> None:
    """doctor and `way` find the proxy that a client takes, with its headers."""
    found = ProxyConfiguration({"https": "http://me:secret@proxy:3128"})
    assert found.proxy_url_for("https://x/") == "http://me:secret@proxy:3128"
    assert found.proxy_url_for("http://x/") is None
    assert "Proxy-Authorization" in found.proxy_headers_for("http://me:secret@proxy:3128")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", "http://proxy:3128")
        patch.setenv("NO_PROXY", "inside.example")
        assert utils.get_environ_proxies("https://x.example/")["https"] == "http://proxy:3128"
        assert utils.get_environ_proxies("https://inside.example/") == {}


@guards("botocore.httpsession.get_cert_path")
def bundles() -> None:
    """doctor and `way` name the CA bundle that counts where none is set."""
    assert Path(get_cert_path(True)).is_file()
    assert get_cert_path("/x.pem") == "/x.pem"


@guards("botocore.handlers.add_recursion_detection_header")
def recursion_detection() -> None:
    """botocore_session registers this one handler of botocore's, for the event before-call."""
    params: dict[str, Any] = {"headers": {}}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
        patch.setenv("_X_AMZN_TRACE_ID", "Root=1")
        handlers.add_recursion_detection_header(params=params, model=None)
    assert params["headers"] == {"X-Amzn-Trace-Id": "Root=1"}


@guards("botocore.loaders.Loader", "botocore.loaders.create_loader")
def data() -> None:
    """botocore_session replaces what a loader loads for one service. It overrides three methods,
    and makes the endpoints out of these fields of the partitions."""
    for name in ("list_available_services", "load_service_model", "load_data_with_path"):
        assert callable(getattr(loaders.Loader, name))
    loader = loaders.create_loader("/somewhere")
    assert "/somewhere" in loader.search_paths
    assert loader.BUILTIN_DATA_PATH in loader.search_paths
    assert not loader.file_loader.exists("/somewhere/endpoints")
    for partition in loader.load_data("partitions")["partitions"]:
        assert {"id", "regionRegex", "regions", "outputs"} <= partition.keys()
        assert {
            "dnsSuffix",
            "dualStackDnsSuffix",
            "supportsFIPS",
            "supportsDualStack",
        } <= partition["outputs"].keys()


@guards("register_component", "instance_variables")
def sessions() -> None:
    """botocore_session makes a session without botocore's handlers, with another loader and the
    variables and options that were set on the user's."""
    session = botocore.session.Session(include_builtin_handlers=False)
    session.set_config_variable("region", "eu-west-1")
    session.set_default_client_config(ClientConfig(read_timeout=1))
    session.register_component("data_loader", loader := loaders.create_loader(None))
    assert session.instance_variables()["region"] == "eu-west-1"
    assert session.get_default_client_config().read_timeout == 1
    assert session.get_component("data_loader") is loader


@guards("before-call")
def drafts() -> None:
    """botocore_transport takes the request out of the event before-call, after the handlers that
    were registered before it, and answers there, so that nothing is sent."""
    seen: list[str] = []
    made = client()

    def answer(params: dict[str, object], **_: object) -> object:
        seen.append("last")
        return SimpleNamespace(status_code=200), {"request": params}

    made.meta.events.register_last("before-call", answer)
    made.meta.events.register("before-call", lambda **_: seen.append("early"))
    request = made.get_caller_identity()["request"]

    assert seen == ["early", "last"]
    assert request["method"] == "POST"
    assert request["url"].startswith("https://sts.")
    assert request["headers"]["User-Agent"]
    assert b"GetCallerIdentity" in AWSRequest("POST", "http://x/", data=request["body"]).body


@guards("meta.config")
def options() -> None:
    """botocore_transport reads attempts and time-outs there, whichever way they were set."""
    for retries in ({"total_max_attempts": 3}, {"max_attempts": 2}):
        assert client(retries=retries).meta.config.retries["total_max_attempts"] == 3
    config = client(read_timeout=1, connect_timeout=2).meta.config
    assert (config.read_timeout, config.connect_timeout) == (1, 2)
    assert not (client().meta.config.retries or {}).get("total_max_attempts")


@guards("before-sign", "request.context")
def signing() -> None:
    """signing_time: a signer keeps its time in the request's context, which is a dictionary, after
    the event before-sign and before it signs; and it asks for the credentials before that."""
    for signer in ("SigV4Auth", "SigV4QueryAuth", "S3SigV4Auth"):
        source = inspect.getsource(getattr(botocore.auth, signer).add_auth)
        assert "request.context['timestamp'] =" in source
    source = inspect.getsource(botocore.signers.RequestSigner.sign)
    order = [source.index(step) for step in ("before-sign", "get_auth_instance", "add_auth(")]
    assert order == sorted(order)
    assert type(AWSRequest().context) is dict


@guards("before-send")
def pauses() -> None:
    """account/pace waits in the event before-send of each operation, which has the request."""
    seen: list[object] = []
    made = client()

    def answer(request: object, event_name: str, **_: object) -> AWSResponse:
        seen.append((type(request).__name__, event_name))
        return AWSResponse(
            "http://x/",
            200,
            {},
            SimpleNamespace(stream=lambda: [b"<R><GetCallerIdentityResult/></R>"]),
        )

    made.meta.events.register("before-send", answer)
    made.get_caller_identity()
    assert seen == [("AWSPreparedRequest", "before-send.sts.GetCallerIdentity")]


@guards("botocore.credentials.RefreshableCredentials", "botocore.credentials.ReadOnlyCredentials")
def credentials_that_renew_themselves() -> None:
    """credentials.SessionCredentials overrides `_refresh` alone, and fills these attributes."""
    for name in ("access_key", "secret_key", "token", "account_id"):
        source = inspect.getsource(getattr(RefreshableCredentials, name).fget)
        assert "self._refresh()" in source
        assert f"return self._{name}" in source
    source = inspect.getsource(RefreshableCredentials.get_frozen_credentials)
    assert "self._refresh()" in source
    assert "return self._frozen_credentials" in source
    assert credentials.ReadOnlyCredentials._fields == (
        "access_key",
        "secret_key",
        "token",
        "account_id",
    )


@guards(
    "botocore.credentials.CredentialProvider",
    "._profile_provider_builder",
    "botocore.credentials.CredentialResolver",
)
def chains() -> None:
    """install() puts a provider behind botocore's "assume-role" and replaces its builder of the
    providers for a source_profile; account/administrator makes chains of its own."""
    resolver = botocore.session.Session().get_component("credential_provider")
    assume_role = resolver.get_provider("assume-role")
    assert isinstance(assume_role._profile_provider_builder, credentials.ProfileProviderBuilder)
    signature = inspect.signature(credentials.ProfileProviderBuilder.providers)
    assert list(signature.parameters) == ["self", "profile_name", "disable_env_vars"]
    provider = credentials.CredentialProvider(None)
    provider.METHOD = "ours"
    resolver.insert_after("assume-role", provider)
    methods = [each.METHOD for each in resolver.providers]
    assert methods.index("ours") == methods.index("assume-role") + 1
    assert credentials.CredentialResolver(providers=[]).load_credentials() is None


@guards(
    "botocore.credentials.AssumeRoleCredentialFetcher",
    "botocore.credentials.DeferredRefreshableCredentials",
)
def roles() -> None:
    """account/administrator enters another account by botocore's own fetcher."""
    fetcher = inspect.signature(credentials.AssumeRoleCredentialFetcher.__init__).parameters
    assert {"client_creator", "source_credentials", "role_arn", "extra_args"} <= fetcher.keys()
    assert callable(credentials.AssumeRoleCredentialFetcher.fetch_credentials)
    deferred = inspect.signature(credentials.DeferredRefreshableCredentials.__init__).parameters
    assert {"refresh_using", "method"} <= deferred.keys()


@guards("._credentials", "._session")
def sessions_credentials() -> None:
    """get_session puts the credentials where a session keeps those that it found, and finds
    botocore's session within boto3's."""
    session = botocore.session.Session()
    session._credentials = marker = object()
    assert session.get_credentials() is marker
    outer = boto3.Session(botocore_session=session)
    assert outer.get_credentials() is marker
    assert outer._session is session


@guards("botocore.configloader.load_config")
def config_files() -> None:
    """`exec` and `configure` read a config file as botocore does."""
    with tempfile.NamedTemporaryFile("w", suffix=".ini") as file:
        file.write("[profile a]\nregion = x\n[services s]\nsts =\n  endpoint_url = http://x\n")
        file.flush()
        read = botocore.configloader.load_config(file.name)
    assert read["profiles"] == {"a": {"region": "x"}}
    assert read["services"] == {"s": {"sts": {"endpoint_url": "http://x"}}}


@guards("botocore.compat.compat_shell_split")
def words_of_a_line() -> None:
    """settings.process_words splits a ``credential_process`` with it as botocore does."""
    from botocore import credentials
    from botocore.compat import compat_shell_split

    assert list(compat_shell_split("a 'b c' --d=e")) == ["a", "b c", "--d=e"]
    assert "compat_shell_split(credential_process)" in inspect.getsource(
        credentials.ProcessProvider
    )


@guards("error.kwargs")
def causes() -> None:
    """botocore_faults finds what urllib3 raised in the arguments that botocore keeps."""
    inner = OSError("inner")
    assert EndpointConnectionError(endpoint_url="x", error=inner).kwargs["error"] is inner


@guards("botocore.xform_name")
def command_names() -> None:
    """account/emit writes the AWS CLI's commands by botocore's rule for names."""
    assert xform_name("CreateTrustAnchor", "-") == "create-trust-anchor"


@guards("urllib3.util.ssl_.create_urllib3_context")
def tls() -> None:
    """doctor opens TLS with the options that urllib3 has for it."""
    context = urllib3.util.ssl_.create_urllib3_context()
    assert context.minimum_version >= 0x0303
    assert callable(context.load_verify_locations)


@guards("urllib3.exceptions.InsecureRequestWarning")
def warnings_of_urllib3() -> None:
    """The commands say once that TLS is not checked, in place of urllib3's warning."""
    assert issubclass(urllib3.exceptions.InsecureRequestWarning, Warning)


@guards("httptools")
def parsing() -> None:
    """server/endpoint: the parser calls these methods, in this order, with parts of bytes; an
    exception in one becomes an HttpParserError, and an upgrade raises HttpParserUpgrade."""
    httptools = pytest.importorskip("httptools")
    calls: list[str] = []

    class Connection:
        def on_message_begin(self) -> None:
            calls.append("begin")

        def on_url(self, part: bytes) -> None:
            calls.append(f"url {part.decode()}")

        def on_header(self, name: bytes, value: bytes) -> None:
            calls.append(f"{name.decode()}: {value.decode()}")
            if name == b"Bad":
                raise ValueError

        def on_headers_complete(self) -> None:
            calls.append(f"headers {parser.get_method().decode()} {parser.should_keep_alive()}")

        def on_body(self, part: bytes) -> None:
            calls.append(f"body {part.decode()}")

        def on_message_complete(self) -> None:
            calls.append("complete")

    parser = httptools.HttpRequestParser(Connection())
    parser.feed_data(b"PUT /a?b HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi")
    assert calls == [
        *("begin", "url /a?b", "Host: x", "Content-Length: 2"),
        *("headers PUT True", "body hi", "complete"),
    ]
    assert httptools.parse_url(b"/a%20b?c").path == b"/a%20b"
    with pytest.raises(httptools.HttpParserError):
        parser.feed_data(b"GET / HTTP/1.1\r\nBad: x\r\n\r\n")
    parser = httptools.HttpRequestParser(Connection())
    with pytest.raises(httptools.HttpParserUpgrade):
        parser.feed_data(b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")


@guards("botocore.model.ServiceModel")
def model_of_the_emulator() -> None:
    """testing.emulator.control_plane.model reads of each operation `name`, `http` and the members
    of `input_shape`; of these `type_name`, `serialization`, `metadata`, `required_members`, `enum`,
    `member` and `is_tagged_union`."""
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    model = ServiceModel(Loader().load_service_model("rolesanywhere", "service-2"))
    assert "CreateTrustAnchor" in model.operation_names
    made = model.operation_model("CreateTrustAnchor")
    assert (made.name, made.http["method"]) == ("CreateTrustAnchor", "POST")
    assert (made.http["requestUri"], made.http["responseCode"]) == ("/trustanchors", 201)
    assert made.input_shape.required_members == ["name", "source"]
    source, tags = (made.input_shape.members[name] for name in ("source", "tags"))
    assert source.members["sourceType"].enum[0]
    assert source.members["sourceData"].is_tagged_union
    assert (tags.type_name, tags.member.type_name) == ("list", "structure")
    assert tags.metadata["max"] == 200
    listed = model.operation_model("ListTrustAnchors").input_shape.members["pageSize"]
    assert listed.serialization == {"location": "querystring", "name": "pageSize"}


@pytest.mark.parametrize("guard", dict.fromkeys(GUARDS.values()), ids=lambda guard: guard.__name__)
def test_what_we_lean_on_is_still_there(guard: Guard) -> None:
    try:
        guard()
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as error:
        names = ", ".join(name for name, known in GUARDS.items() if known is guard)
        need = " ".join(str(guard.__doc__).split())
        pytest.fail(f"{names} of another project has changed ({error!r}). What we need: {need}")


def test_each_part_that_we_lean_on_has_a_guard() -> None:
    leaned_on = {name for path in PACKAGE.rglob("*.py") for name in undocumented(path)}

    assert leaned_on - GUARDS.keys() == set()
    ours = {name for name in GUARDS if name.startswith(("botocore.", "urllib3.", "._"))}
    assert ours - leaned_on == set()  # nobody leans on these any more: their guards go


def undocumented(path: Path) -> Iterator[str]:
    """What nobody promises: names in other projects' modules, and private attributes of theirs."""
    text = path.read_text(encoding="utf-8")
    if not any(f"import {root}" in text or f"from {root}" in text for root in ROOTS):
        return
    for node in ast.walk(without_types(ast.parse(text))):
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = {*names, *([] if node.module in ROOTS else [str(node.module)])}
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            modules = set(names)
        else:
            continue
        if not modules & DOCUMENTED:
            yield from (name for name in names if name.partition(".")[0] in ROOTS)
    for line in text.splitlines():
        if "# noqa: SLF001" in line and "own class" not in line:
            yield from re.findall(r"(?<!self)(\._[a-z][a-z_]*)", line.partition("#")[0])


def without_types(tree: ast.Module) -> ast.Module:
    class Types(ast.NodeTransformer):
        def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:  # ast's
            return node.orelse if "TYPE_CHECKING" in ast.unparse(node.test) else node

    changed: ast.Module = Types().visit(tree)
    return changed


def test_the_oldest_release_that_is_allowed_is_tried() -> None:
    # scripts/test makes an environment of each lock file, and runs this file there too.
    oldest = re.search(r"botocore>=([0-9.]+)", (ROOT / "setup.cfg").read_text())[1]
    locks = ROOT / "tests" / "botocores"
    versions = [path.stem for path in locks.glob("*.lock")]

    assert {f"{oldest}.0", "1.43.117"} <= set(versions)
    for version in versions:
        assert f"\nbotocore=={version} " in (locks / f"{version}.lock").read_text()
