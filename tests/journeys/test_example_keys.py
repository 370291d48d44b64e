"""The examples of users' own keys: they pass the compliance suite, and open sessions."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import boto3
import pytest
from botocore.config import Config
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from moto.kms.responses import KmsResponse
from moto.server import ThreadedMotoServer
from repository import EXAMPLES, ROOT
from sessions import certificate_for, opens_a_session

from boto_rolesanywhere.certificates.public_keys import verify_signature
from boto_rolesanywhere.errors import KeyDeviceError, PrivateKeyError, SessionDeniedError
from boto_rolesanywhere.signing_key import SigningKey
from boto_rolesanywhere.testing import (
    CertificateAuthority,
    Emulator,
    IssuedCertificate,
    SigningKeyCompliance,
)


def example(name: str) -> ModuleType:
    spec = spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kms_key, agent_key = example("kms_key"), example("agent_key")


# --- AWS KMS ---

Connect = Callable[[], Any]
sign_in_moto = KmsResponse.sign


def sign_digest(self: KmsResponse) -> str:
    """Sign as KMS does: a digest is not hashed again (in moto 5.2 it is, getmoto/moto#10202)."""
    if self._get_param("MessageType") != "DIGEST":
        return sign_in_moto(self)
    key = self.kms_backend.describe_key(self._get_param("KeyId"))
    private, digest = key.private_key.private_key, self._get_param("Message")
    if isinstance(private, rsa.RSAPrivateKey):
        signature = private.sign(digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
    else:
        signature = private.sign(digest, ec.ECDSA(utils.Prehashed(SHA256())))
    return json.dumps({"KeyId": key.arn, "Signature": b64encode(signature).decode()})


def client_factory(server: ThreadedMotoServer) -> Connect:
    host, port = server.get_host_and_port()
    session = boto3.session.Session()  # one for all: each would read the service models anew

    def connect() -> Any:  # noqa: ANN401  # boto3's clients have no type of their own
        return session.client(
            "kms",
            endpoint_url=f"http://{host}:{port}",
            region_name="eu-west-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
            config=Config(retries={"total_max_attempts": 1}),
        )

    return connect


@pytest.fixture(scope="module")
def kms() -> Iterator[Connect]:
    """Makes clients of a KMS."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(KmsResponse, "sign", sign_digest)
        server.start()
        yield client_factory(server)
        server.stop()


@pytest.fixture(scope="module", params=["RSA_2048", "ECC_NIST_P256"])
def kms_key_id(request: pytest.FixtureRequest, kms: Connect) -> str:
    return create_key(kms, request.param)


def create_key(kms: Connect, spec: str) -> str:
    client = kms()
    key_id = client.create_key(KeyUsage="SIGN_VERIFY", KeySpec=spec)["KeyMetadata"]["KeyId"]
    client.close()
    assert isinstance(key_id, str)
    return key_id


class TestKmsKey(SigningKeyCompliance):
    @pytest.fixture
    def signing_key(self, kms: Connect, kms_key_id: str) -> Iterator[SigningKey]:
        key = kms_key.KmsKey(kms_key_id, kms)
        yield key
        key.close()

    def test_opens_a_session(self, signing_key: SigningKey) -> None:
        with Emulator(CertificateAuthority()) as emulator:
            assert emulator.ca
            certificate = certificate_for(emulator.ca, signing_key.public_key())
            assert opens_a_session(emulator, cert=certificate, key=signing_key)

    def test_signs_as_a_ca(
        self, signing_key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        page = (ROOT / "docs" / "ca.md").read_text(encoding="utf-8")
        (block,) = re.findall(r"^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        monkeypatch.chdir(tmp_path)

        exec(block, {"my_key": signing_key})  # the page's own

        revoked = x509.load_pem_x509_crl(Path("ca-crl.pem").read_bytes())
        assert revoked.is_signature_valid(signing_key.public_key())  # type: ignore[arg-type]  # RSA or EC
        files = Path("workload/app1-cert.pem"), Path("workload/app1-key.pem")
        with Emulator(Path("kms-ca/trust-anchor.pem").read_bytes()) as emulator:
            assert opens_a_session(emulator, cert=files[0], key=files[1])
            emulator.import_crl(Path("ca-crl.pem").read_bytes())
            with pytest.raises(SessionDeniedError, match="Certificate revoked"):
                # Another session than that of above, which the same inputs would share.
                opens_a_session(emulator, cert=files[0], key=files[1], duration=900)


@pytest.mark.parametrize("spec", ["ECC_NIST_P384", "ECC_NIST_P521"])
def test_a_kms_key_that_hashes_otherwise_is_refused(kms: Connect, spec: str) -> None:
    key_id = create_key(kms, spec)
    with pytest.raises(PrivateKeyError, match=r"signs with ECDSA_SHA_(384|512) only") as caught:
        kms_key.KmsKey(key_id, kms)
    assert str(caught.value).startswith(key_id)
    assert "ECC_NIST_P256" in str(caught.value.remedy)


def test_a_kms_key_that_is_not_there(kms: Connect) -> None:
    with pytest.raises(KeyDeviceError, match=r"did not give the public key.*NotFoundException"):
        kms_key.KmsKey("alias/nobody", kms)


def test_a_kms_that_does_not_answer_any_more() -> None:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    connect = client_factory(server)
    key = kms_key.KmsKey(create_key(connect, "ECC_NIST_P256"), connect)
    server.stop()
    with pytest.raises(KeyDeviceError, match="KMS did not sign: Could not connect"):
        key.sign(b"data")
    key.close()


# --- the agent ---


@pytest.fixture(scope="module", params=["RSA-2048", "P-256", "P-384"])
def issued(request: pytest.FixtureRequest, ca: CertificateAuthority) -> IssuedCertificate:
    return ca.issue(key_type=request.param)


class RunningAgent:
    def __init__(self, key: Path, path: Path) -> None:
        self.path = path
        self.process = subprocess.Popen(
            [sys.executable, EXAMPLES / "agent_key.py", "serve", "--key", key, "--socket", path],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout
        self.said = self.process.stdout.readline()

    def stop(self) -> tuple[int, str]:
        """Its exit status, and what it wrote to standard error."""
        self.process.send_signal(signal.SIGTERM)
        _, errors = self.process.communicate()
        return self.process.returncode, errors


@pytest.fixture(scope="module")
def agent(
    issued: IssuedCertificate, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningAgent]:
    folder = tmp_path_factory.mktemp("agent")
    agent = RunningAgent(issued.write(folder).private_key, folder / "agent.sock")
    assert agent.said == f"agent: listening at {agent.path}\n"
    yield agent
    assert agent.stop() == (0, "")
    assert not agent.path.exists()


class TestAgentKey(SigningKeyCompliance):
    @pytest.fixture
    def signing_key(self, agent: RunningAgent) -> SigningKey:
        key: SigningKey = agent_key.AgentKey(agent.path)
        return key

    @pytest.fixture
    def expected_public_key(self, issued: IssuedCertificate) -> PublicKeyTypes:
        return issued.certificate.public_key()

    @pytest.fixture
    def key_secrets(self, issued: IssuedCertificate) -> list[bytes]:
        form = Encoding.DER, PrivateFormat.PKCS8, NoEncryption()
        return [issued.private_key.private_bytes(*form)]

    def test_opens_a_session(
        self, signing_key: SigningKey, ca: CertificateAuthority, issued: IssuedCertificate
    ) -> None:
        with Emulator(ca) as emulator:
            assert opens_a_session(emulator, cert=issued.certificate_pem, key=signing_key)


@pytest.fixture
def own_agent(ca: CertificateAuthority, tmp_path: Path) -> Iterator[RunningAgent]:
    agent = RunningAgent(ca.issue().write(tmp_path).private_key, tmp_path / "agent.sock")
    yield agent
    agent.stop()


def test_only_its_owner_may_use_the_socket(own_agent: RunningAgent) -> None:
    assert stat.S_IMODE(own_agent.path.stat().st_mode) == 0o600


def test_without_an_agent_the_error_says_how_to_start_it(own_agent: RunningAgent) -> None:
    key = agent_key.AgentKey(own_agent.path)
    own_agent.stop()
    with pytest.raises(KeyDeviceError, match=r"does not answer.*python agent_key.py serve"):
        key.sign(b"data")


def test_a_second_agent_leaves_the_first_alone(own_agent: RunningAgent, tmp_path: Path) -> None:
    second = RunningAgent(tmp_path / "client-key.pem", own_agent.path)
    assert second.said == ""
    status, errors = second.process.wait(), second.process.communicate()[1]
    assert (status, "Address already in use" in errors) == (1, True)
    key = agent_key.AgentKey(own_agent.path)
    assert verify_signature(key.public_key(), key.sign(b"data"), b"data")


def test_an_agent_that_was_killed_can_be_started_again(
    own_agent: RunningAgent, tmp_path: Path
) -> None:
    own_agent.process.kill()
    own_agent.process.wait(60)
    again = RunningAgent(tmp_path / "client-key.pem", own_agent.path)
    assert "listening" in again.said
    key = agent_key.AgentKey(again.path)
    assert verify_signature(key.public_key(), key.sign(b"data"), b"data")
    assert again.stop() == (0, "")


@pytest.mark.parametrize(
    "request_",
    [b"", b"\0\0\0\5Sab", b"\xff\xff\xff\xffS", b"\0\0\0\0"],
    ids=["nothing", "torn", "too-long", "empty"],
)
def test_nonsense_does_not_stop_the_agent(own_agent: RunningAgent, request_: bytes) -> None:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(os.fspath(own_agent.path))
        connection.sendall(request_)
        connection.shutdown(socket.SHUT_WR)
        with suppress(ConnectionResetError):
            while connection.recv(1024):
                pass
    key = agent_key.AgentKey(own_agent.path)
    assert verify_signature(key.public_key(), key.sign(b"data"), b"data")


def test_an_unknown_request_is_refused_in_words(own_agent: RunningAgent) -> None:
    key = agent_key.AgentKey(own_agent.path)
    with pytest.raises(KeyDeviceError, match="the agent refused: this request is not known"):
        key._ask(b"X")


def test_a_key_that_the_agent_cannot_use(ca: CertificateAuthority, tmp_path: Path) -> None:
    encrypted = ca.issue().write(tmp_path, passphrase="secret").private_key
    agent = RunningAgent(encrypted, tmp_path / "agent.sock")
    assert agent.process.wait() == 1
    assert "was not given but private key is encrypted" in agent.process.communicate()[1]
    assert not agent.path.exists()
