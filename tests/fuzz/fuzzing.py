"""Any bytes give a value or a RolesAnywhereError, in bounded time and memory.

A target is a parser with what else must hold of the values that it gives. Its seeds are the files
of `corpus/<its name>/`; cases are made of them by `mutated`, by Hypothesis or by atheris.
"""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections.abc import Callable
from configparser import Error, RawConfigParser
from contextlib import suppress
from datetime import datetime, timezone
from functools import cache
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Final

from cryptography import x509

from boto_rolesanywhere.account.revocation.lists import read_list
from boto_rolesanywhere.account.revocation.rules import issuer_of, require_importable
from boto_rolesanywhere.account.revocation.synchronising import describe, is_older
from boto_rolesanywhere.account.trust_policies import trust_policy
from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.chain import is_issued_by
from boto_rolesanywhere.certificates.reading import quietly
from boto_rolesanywhere.certificates.rules import problems
from boto_rolesanywhere.cli.store.helper_names import as_helper_shows
from boto_rolesanywhere.cli.store.selector import parse_selector
from boto_rolesanywhere.create_session.answer import session_of
from boto_rolesanywhere.create_session.transport import Answer
from boto_rolesanywhere.create_session.way import Way
from boto_rolesanywhere.credentials.cache_entry import Entry
from boto_rolesanywhere.credentials.cached_session import to_received
from boto_rolesanywhere.credentials.failure_mark import FailureMark
from boto_rolesanywhere.credentials.marked_error import to_error
from boto_rolesanywhere.credentials.moment import Moment
from boto_rolesanywhere.doctor.crl import check_crl
from boto_rolesanywhere.errors import RolesAnywhereError
from boto_rolesanywhere.identity.opening import open_identity
from boto_rolesanywhere.identity.pkcs11.uri import parse_pkcs11_uri
from boto_rolesanywhere.inspection.certificate import inspect_certificate
from boto_rolesanywhere.inspection.session_tags import AttributeMappings
from boto_rolesanywhere.inspection.trust_policy import SessionFacts, TrustPolicy, correct, evaluate
from boto_rolesanywhere.settings.arns import SERVICES, parse_arn
from boto_rolesanywhere.settings.profile_reader import read_plainly
from boto_rolesanywhere.settings.profile_writer import with_section
from boto_rolesanywhere.settings.sources import IdentitySources, Secret

CORPUS: Final = Path(__file__).with_name("corpus")
NOW: Final = datetime(2030, 1, 1, tzinfo=timezone.utc)  # the certificates of the corpus are good
PASSPHRASE: Final = "open sesame"
LONGEST_MESSAGE: Final = 4096
ANCHOR: Final = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/1"
FACTS: Final = SessionFacts(
    tags={"x509Subject/CN": "app"},
    source_identity="CN=app",
    session_name="01",
    now=NOW,
    trust_anchor_arn=ANCHOR,
)
TIGHT: Final = trust_policy(ANCHOR, ({"x509Subject/CN": "app"},))["Statement"][0]


@cache
def pair() -> tuple[bytes, bytes]:
    """A certificate and its key, as PEM."""
    folder = CORPUS / "key"
    return (folder / "certificate.pem").read_bytes(), (folder / "pkcs8.pem").read_bytes()


def opened(certificate: bytes, key: bytes | None, chain: bytes | None = None) -> None:
    """Every identity that opens can sign, and its chain leads upward."""
    secret = Secret(PASSPHRASE, "the test")
    sources = IdentitySources(certificate=certificate, private_key=key, chain=chain, secret=secret)
    identity = open_identity(sources, now=NOW)
    assert identity.sign(b"data")
    below = identity.certificate
    for above in identity.chain:
        assert is_issued_by(below, above)
        below = above


def take_certificate(data: bytes) -> None:
    """Every certificate that the library reads can be checked, shown and inspected."""
    from cryptography import x509

    try:
        certificate = quietly(lambda: x509.load_der_x509_certificate(data))
    except (ValueError, x509.InvalidVersion):
        return
    assert all(finding.code and finding.text for finding in problems(certificate, NOW))
    json.dumps(inspect_certificate(certificate, [certificate], now=NOW).to_json())
    with suppress(ValueError):  # the library's, where the name itself cannot be read
        name = quietly(lambda: certificate.subject)
        assert as_helper_shows(name) or not list(name)


def take_der(data: bytes) -> None:
    """Elements are the whole of what was read."""
    try:
        elements = der.split(data)
    except der.DerError:
        return
    assert b"".join(element.raw for element in elements) == data


def take_crl(data: bytes) -> None:
    """The doctor has a verdict on any list; what AWS must not get is refused in words."""
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        certificates = x509.load_pem_x509_certificates(pair()[0])
        (verdict,) = check_crl(file.name, certificates, certificates, NOW)
    assert verdict.name == "crl"
    with suppress(RolesAnywhereError):
        listed = read_list(data, "ca.crl")
        assert describe(listed)
        assert not is_older(listed, listed)
        issuer_of(listed, certificates)
        require_importable(listed, NOW)


def take_uri(data: bytes) -> None:
    """Every URI that is read can be written and read again, without its PIN."""
    uri = parse_pkcs11_uri(_text(data))
    again = parse_pkcs11_uri(str(uri))
    assert str(again) == str(uri)
    assert again.pin_value is None


def take_policy(data: bytes) -> None:
    """A policy can be evaluated, and the result printed; corrected, it is right for good."""
    before = evaluate(TrustPolicy.parse(data), FACTS)
    json.dumps(before.to_json())
    corrected = correct(data, FACTS, TIGHT, where="policy")
    assert corrected.evaluation.allowed or not before.allowed
    again = correct(json.dumps(corrected.document), FACTS, TIGHT, where="policy")
    assert (again.document, again.changes) == (corrected.document, ())


def take_profiles(data: bytes) -> None:
    """The plain reader and configparser read the same values."""
    text = StringIO(_text(data), newline=None).read()
    plainly = read_plainly(text)
    if plainly is None:
        return
    assert _sections(text) == plainly


def take_file_to_change(data: bytes) -> None:
    """All sections but one read as before, and the second change is none."""
    values = {"aws_access_key_id": "ASIA"}
    after = with_section(data, "work", values, shell_words=False)
    try:
        before = _sections(data.decode())
    except (Error, UnicodeDecodeError):
        return
    before["work"] = before.get("work", {}) | values
    assert _sections(after.decode()) == before
    assert with_section(after, "work", values, shell_words=False) == after


def _sections(text: str) -> dict[str, dict[str, str]]:
    parser = RawConfigParser(default_section="")
    parser.read_file(StringIO(text, newline=None))  # each form of line break is one, as in a file
    return {name: dict(parser.items(name)) for name in parser.sections()}


def take_entry(data: bytes) -> None:
    """An entry is what was written; a session can be made of it, or there is none."""
    entry = Entry.from_bytes(data)
    if entry is not None:
        assert entry.to_bytes() == data
        to_received(entry, Moment(NOW.timestamp()), 0.0)


def take_mark(data: bytes) -> None:
    """Of whatever lies under a right checksum an error of ours can be made, or it is no mark."""
    first = f"boto_rolesanywhere failure 1 {sha256(data).hexdigest()}\n".encode()
    mark = FailureMark.from_bytes(first + data)
    if mark is not None:
        error = to_error(mark, 1001.0)
        assert error.code == mark.code
        assert str(error).endswith(mark.note(1001.0))


def take_answer(data: bytes) -> None:
    """A session lives, and no longer than AWS lets one live."""
    answer = Answer(201, {}, data)
    if answer.is_success:
        assert session_of(answer, NOW, lambda: Way("eu-west-1")).lifetime > 0


def take_arn(data: bytes) -> None:
    """An ARN is written as it was read."""
    text = _text(data)
    for kind in SERVICES:
        with suppress(RolesAnywhereError):
            assert str(parse_arn(kind, text)) == text.strip()


def take_selector(data: bytes) -> None:
    """A selector is of text alone; it opens no file of somebody's choice."""
    text = _text(data)
    if "file:" not in text.lower():
        parse_selector(text)


def take_mappings(data: bytes) -> None:
    """Rules are pairs of text."""
    for field, specifier in AttributeMappings.parse(data).rules:
        assert field.startswith("x509")
        assert isinstance(specifier, str)


def take_tpm_key(data: bytes) -> None:
    """A key that a TPM is to load has both its parts."""
    from boto_rolesanywhere.identity.tpm.stored import read_file_key

    assert read_file_key(data, where="key.pem").public


TARGETS: Final[dict[str, Callable[[bytes], object]]] = {
    "answer": take_answer,
    "arn": take_arn,
    "cache-entry": take_entry,
    "certificate": take_certificate,
    "chain": lambda data: opened(*pair(), data),
    "crl": take_crl,
    "der": take_der,
    "failure-mark": take_mark,
    "key": lambda data: opened(pair()[0], data),
    "mappings": take_mappings,
    "pkcs11-uri": take_uri,
    "profile-reader": take_profiles,
    "profile-writer": take_file_to_change,
    "selector": take_selector,
    "tpm-key": take_tpm_key,
    "trust-policy": take_policy,
    "whole": lambda data: opened(data, None),
}


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def attempt(target: str, data: bytes) -> float:
    """Try one case, and give the seconds that it took.

    Any other end than a value or an error of ours, which has a short message, is raised.
    """
    started, message = time.perf_counter(), ""
    try:
        TARGETS[target](data)
    except RolesAnywhereError as error:
        message = str(error)
    assert len(message) <= LONGEST_MESSAGE, f"a message of {len(message)} characters"
    return time.perf_counter() - started


@cache
def seeds(target: str) -> tuple[bytes, ...]:
    """The files of its corpus, and those of parsers that are given the same."""
    kin = {"whole": ("key",), "chain": ("key", "whole"), "certificate": ()}.get(target, ())
    folders = [CORPUS / name for name in (target, *kin)]
    return tuple(path.read_bytes() for folder in folders for path in sorted(folder.iterdir()))


EDGES: Final = [b"\0", b"\x7f", b"\x80", b"\x81", b"\x82", b"\x84", b"\xff", b"\x30\x80", b"\n"]
EDGES += [b"\r\n", b" ", b"=", b":", b"/", b'"', b"\\u0000", b"\xed\xa0\x80", b"9" * 40, b"[" * 40]


def mutated(target: str, source: random.Random) -> bytes:
    """A seed with one to eight changes."""
    data = bytearray(source.choice(seeds(target)))
    for _ in range(source.choice((1, 1, 1, 2, 3, 8))):
        start = source.randrange(len(data) + 1)
        end = min(len(data), start + source.choice((0, 1, 1, 2, 4, 16, 64)))
        other = source.choice(seeds(target))
        cut = source.randrange(len(other) + 1)
        data[start:end] = source.choice(
            (
                b"",
                source.randbytes(end - start),
                source.choice(EDGES),
                bytes(data[start:end]) * 2,
                other[cut : cut + 32],
            )
        )
    return bytes(data)
