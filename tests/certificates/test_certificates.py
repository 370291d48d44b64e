"""What AWS asks of keys, certificates and chains, judged on certificates made here."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, padding, rsa, x25519
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificateIssuerPrivateKeyTypes,
    CertificatePublicKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.hashes import SHA1, SHA256, SHA384, HashAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID, NameOID

from boto_rolesanywhere.certificates import der
from boto_rolesanywhere.certificates.chain import (
    MAX_CHAIN,
    find_leaf,
    is_issued_by,
    is_self_signed,
    order_chain,
)
from boto_rolesanywhere.certificates.public_keys import (
    algorithm_for,
    describe_key,
    verify_signature,
)
from boto_rolesanywhere.certificates.reading import describe_subject, quietly
from boto_rolesanywhere.certificates.rules import check_certificate, problems
from boto_rolesanywhere.errors import CertificateError

NOW = datetime(2030, 6, 1, 12, tzinfo=timezone.utc)
DAY = timedelta(days=1)
CA_RULES = x509.BasicConstraints(ca=True, path_length=None)
LEAF_RULES = x509.BasicConstraints(ca=False, path_length=None)
KEY = ec.generate_private_key(ec.SECP256R1())
SIGNER = ec.generate_private_key(ec.SECP256R1())


def usage(*, digital_signature: bool, key_encipherment: bool = False) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=False,
        key_encipherment=key_encipherment,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not digital_signature and not key_encipherment,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


GOOD: tuple[x509.ExtensionType, ...] = (LEAF_RULES, usage(digital_signature=True))


def raw(oid: x509.ObjectIdentifier, value: bytes) -> x509.UnrecognizedExtension:
    """An extension with any bytes as its value."""
    return x509.UnrecognizedExtension(oid, value)


def name(common_name: str) -> x509.Name:
    parts = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)] if common_name else []
    return x509.Name(parts)


def issue(
    subject: str = "leaf",
    key: CertificatePublicKeyTypes | None = None,
    issuer: str = "ca",
    signer: CertificateIssuerPrivateKeyTypes = SIGNER,
    *,
    extensions: Sequence[x509.ExtensionType] = GOOD,
    digest: HashAlgorithm | None = None,
    start: datetime = NOW - DAY,
    end: datetime = NOW + DAY,
    serial: int | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(KEY.public_key() if key is None else key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )
    for extension in extensions:
        builder = builder.add_extension(extension, critical=False)
    return builder.sign(signer, digest or SHA256())


class Authority:
    """A CA with a key of its own."""

    def __init__(self, name: str, above: Authority | None = None) -> None:
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = (above or self).certify(self)

    def certify(self, other: Authority, end: datetime = NOW + DAY) -> x509.Certificate:
        return issue(
            other.name,
            other.key.public_key(),
            self.name,
            self.key,
            extensions=(CA_RULES,),
            end=end,
        )

    def issue(self, subject: str = "leaf") -> x509.Certificate:
        return issue(subject, KEY.public_key(), self.name, self.key)


def line(length: int) -> list[Authority]:
    """A root and, below it, `length` - 1 authorities, each certified by the one before."""
    authorities = [Authority("step 0")]
    for number in range(1, length):
        authorities.append(Authority(f"step {number}", authorities[-1]))
    return authorities


def rsa_of(bits: int) -> rsa.RSAPublicKey:
    return rsa.RSAPublicNumbers(65537, (1 << (bits - 1)) | 1).public_key()


def curve(kind: type[ec.EllipticCurve]) -> ec.EllipticCurvePublicKey:
    return ec.generate_private_key(kind()).public_key()


@pytest.mark.parametrize(
    ("key", "algorithm", "described"),
    [
        (rsa_of(2048), "AWS4-X509-RSA-SHA256", "RSA 2048"),
        (rsa_of(3000), "AWS4-X509-RSA-SHA256", "RSA 3000"),
        (rsa_of(4096), "AWS4-X509-RSA-SHA256", "RSA 4096"),
        (curve(ec.SECP256R1), "AWS4-X509-ECDSA-SHA256", "EC P-256"),
        (curve(ec.SECP384R1), "AWS4-X509-ECDSA-SHA256", "EC P-384"),
        (curve(ec.SECP521R1), "AWS4-X509-ECDSA-SHA256", "EC P-521"),
    ],
)
def test_the_algorithm_follows_from_the_key(
    key: PublicKeyTypes, algorithm: str, described: str
) -> None:
    assert algorithm_for(key) == algorithm
    assert describe_key(key) == described


@pytest.mark.parametrize(
    ("key", "described"),
    [
        (rsa_of(2047), "RSA 2047"),
        (rsa_of(4097), "RSA 4097"),
        (curve(ec.SECP256K1), "EC secp256k1"),
        (curve(ec.SECP224R1), "EC secp224r1"),
        (curve(ec.BrainpoolP256R1), "EC brainpoolP256r1"),
        (ed25519.Ed25519PrivateKey.generate().public_key(), "Ed25519"),
        (x25519.X25519PrivateKey.generate().public_key(), "X25519"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_other_keys_are_refused_with_what_to_use(key: PublicKeyTypes, described: str) -> None:
    with pytest.raises(CertificateError) as caught:
        algorithm_for(key, where="app.pem")
    assert str(caught.value) == (
        f"app.pem: IAM Roles Anywhere cannot use a key of this kind: {described}; expected RSA of "
        "2048 to 4096 bits, EC on P-256, P-384 or P-521, or ML-DSA. Make a new key, for example "
        "with `openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out key.pem`, and "
        "have a certificate issued for it."
    )


def test_signatures_verify_in_the_forms_that_aws_wants() -> None:
    rsa_key = rsa.generate_private_key(65537, 2048)
    good_rsa = rsa_key.sign(b"data", padding.PKCS1v15(), SHA256())
    assert verify_signature(rsa_key.public_key(), good_rsa, b"data")
    assert not verify_signature(rsa_key.public_key(), good_rsa, b"other data")
    pss = padding.PSS(padding.MGF1(SHA256()), 32)
    assert not verify_signature(rsa_key.public_key(), rsa_key.sign(b"data", pss, SHA256()), b"data")
    good_ec = KEY.sign(b"data", ec.ECDSA(SHA256()))
    assert verify_signature(KEY.public_key(), good_ec, b"data")
    assert not verify_signature(KEY.public_key(), KEY.sign(b"data", ec.ECDSA(SHA384())), b"data")
    assert not verify_signature(SIGNER.public_key(), good_ec, b"data")
    dsa_key = dsa.generate_private_key(1024)
    assert not verify_signature(dsa_key.public_key(), dsa_key.sign(b"data", SHA256()), b"data")


def test_the_leaf_is_the_certificate_of_the_key_wherever_it_stands() -> None:
    authority = Authority("ca")
    leaf = authority.issue()
    others = [authority.certificate, Authority("other").issue("x"), issue(key=rsa_of(2048))]
    others[1] = issue(key=SIGNER.public_key())
    for order in itertools.permutations([leaf, *others]):
        assert find_leaf(order, KEY.public_key()) == leaf
    assert find_leaf(others, KEY.public_key()) is None
    assert find_leaf([], KEY.public_key()) is None


def test_of_two_leaves_the_one_that_can_be_used_now_is_taken() -> None:
    old = issue(start=NOW - 3 * DAY, end=NOW - 2 * DAY)
    current = issue()
    coming = issue(start=NOW + DAY, end=NOW + 2 * DAY)
    for order in itertools.permutations([old, current, coming]):
        assert find_leaf(order, KEY.public_key(), now=NOW) == current
    assert find_leaf([old, current], KEY.public_key()) == old
    assert find_leaf([coming, old], KEY.public_key(), now=NOW) == coming


def test_a_certificate_with_an_unreadable_key_is_passed_over() -> None:
    good = issue()
    point = KEY.public_key().public_numbers().x.to_bytes(32, "big")
    broken = x509.load_der_x509_certificate(
        good.public_bytes(Encoding.DER).replace(point, b"\xff" * 32)
    )
    assert find_leaf([broken, good], KEY.public_key()) == good
    assert [one.code for one in problems(broken, NOW)] == ["key"]
    assert "its public key cannot be read" in problems(broken, NOW)[0].text


@pytest.mark.parametrize("length", range(1, 5))
def test_the_chain_is_ordered_whatever_the_order_of_the_file(length: int) -> None:
    authorities = line(length)
    certificates = [one.certificate for one in authorities]
    leaf = authorities[-1].issue()
    expected = tuple(reversed(certificates[1:]))
    for order in itertools.permutations(certificates):
        assert order_chain(leaf, order) == expected


def test_leaf_roots_strangers_and_copies_are_left_out() -> None:
    root, upper, lower = line(3)
    leaf = lower.issue()
    stranger = Authority("stranger", Authority("strange root"))
    candidates = [
        stranger.certificate,
        root.certificate,
        upper.certificate,
        leaf,
        upper.issue("sibling"),
        lower.certificate,
        upper.certificate,
        lower.certificate,
    ]
    assert order_chain(leaf, candidates) == (lower.certificate, upper.certificate)
    assert order_chain(root.issue(), candidates) == ()
    assert order_chain(root.certificate, candidates) == ()


def test_a_ca_of_the_same_name_with_another_key_is_a_stranger() -> None:
    root = Authority("root")
    real, impostor = Authority("issuing", root), Authority("issuing", root)
    leaf = real.issue()
    assert order_chain(leaf, [impostor.certificate, real.certificate]) == (real.certificate,)
    assert not is_issued_by(leaf, impostor.certificate)
    assert is_issued_by(leaf, real.certificate)


def test_of_a_renewed_intermediate_the_valid_one_is_sent() -> None:
    root = Authority("root")
    issuing = Authority("issuing", root)
    expired = issue(
        *("issuing", issuing.key.public_key(), "root", root.key),
        extensions=(CA_RULES,),
        start=NOW - 9 * DAY,
        end=NOW - 8 * DAY,
    )
    leaf = issuing.issue()
    for order in ([expired, issuing.certificate], [issuing.certificate, expired]):
        assert order_chain(leaf, order, now=NOW) == (issuing.certificate,)
    assert order_chain(leaf, [expired], now=NOW) == (expired,)


def test_of_cross_signed_intermediates_the_one_that_leads_to_the_root_is_sent() -> None:
    root, gone = Authority("root"), Authority("gone")
    upper, issuing = Authority("upper", root), Authority("issuing", gone)
    crossed = upper.certify(issuing)
    leaf = issuing.issue()
    given = [issuing.certificate, crossed, upper.certificate, root.certificate]
    for order in itertools.permutations(given):
        assert order_chain(leaf, order) == (crossed, upper.certificate)


def test_of_a_path_that_is_too_long_and_one_that_is_not_the_second_is_sent() -> None:
    authorities = line(MAX_CHAIN + 1)
    issuing = Authority("issuing", Authority("root"))
    long_way = authorities[-1].certify(issuing)
    others = [one.certificate for one in authorities[1:]]
    leaf = issuing.issue()
    assert order_chain(leaf, [long_way, *others, issuing.certificate]) == (issuing.certificate,)


def test_many_ways_upward_take_no_time() -> None:
    authorities = [Authority("root")]
    candidates: list[x509.Certificate] = []
    for number in range(8):  # each of the three certifies each of the next three: 6,561 paths
        authorities.append(Authority(f"step {number}", authorities[-1]))
        candidates += [authorities[-2].certify(authorities[-1]) for _ in range(3)]
    with pytest.raises(CertificateError, match="has 8 intermediates"):
        order_chain(authorities[-1].issue(), candidates)


def test_a_chain_without_end_is_an_error_of_ours() -> None:
    authorities = line(60)
    with pytest.raises(CertificateError, match="the chain has 32 intermediates"):
        order_chain(authorities[-1].issue(), [one.certificate for one in authorities])


def test_cross_signed_authorities_make_no_loop() -> None:
    one, two = Authority("one"), Authority("two")
    crossed = [one.certify(two), two.certify(one)]
    assert order_chain(one.issue(), crossed) == (crossed[1], crossed[0])
    assert order_chain(one.issue(), crossed * 2) == (crossed[1], crossed[0])
    assert order_chain(crossed[1], crossed) == (crossed[0],)


def test_a_root_that_changed_its_key_is_no_self_signed_one() -> None:
    old, new = Authority("root"), Authority("root")
    rollover = old.certify(new)  # subject and issuer are equal, the keys are not
    assert is_self_signed(old.certificate)
    assert not is_self_signed(rollover)
    assert order_chain(new.issue(), [old.certificate, rollover]) == (rollover,)


def test_a_chain_has_at_most_five_certificates() -> None:
    authorities = line(MAX_CHAIN + 2)
    certificates = [one.certificate for one in authorities]
    assert len(order_chain(authorities[-2].issue(), certificates)) == 5
    with pytest.raises(CertificateError) as caught:
        order_chain(authorities[-1].issue(), certificates, where="chain.pem")
    assert str(caught.value).startswith(
        "chain.pem: the chain has 6 intermediates; expected at most 5, the limit of IAM Roles"
    )


def codes(certificate: x509.Certificate, now: datetime = NOW) -> list[str]:
    return [one.code for one in problems(certificate, now)]


CONSTRAINTS = ExtensionOID.BASIC_CONSTRAINTS
SAN_OF_RUBBISH = raw(ExtensionOID.SUBJECT_ALTERNATIVE_NAME, b"\x30\x03\x82\x01\xff")


@pytest.mark.parametrize(
    ("certificate", "expected"),
    [
        (issue(), []),
        (issue(extensions=(usage(digital_signature=True),)), []),
        (issue(key=rsa_of(2048)), []),
        (issue(digest=SHA384()), []),
        (issue(extensions=(*GOOD, SAN_OF_RUBBISH)), []),
        (issue(extensions=(CA_RULES, usage(digital_signature=True))), ["ca"]),
        (issue(extensions=(raw(CONSTRAINTS, b"\x30\x03\x01\x01\x00"), GOOD[1])), []),
        (issue(extensions=(raw(CONSTRAINTS, b"\x30\x03\x01\x01\x01"), GOOD[1])), ["ca"]),
        (issue(extensions=(LEAF_RULES,)), ["key-usage"]),
        (issue(extensions=(usage(digital_signature=False),)), ["key-usage"]),
        (issue(extensions=(usage(digital_signature=False, key_encipherment=True),)), ["key-usage"]),
        (issue(subject=""), ["subject"]),
        (issue(key=rsa_of(1024)), ["key"]),
        (issue(key=ed25519.Ed25519PrivateKey.generate().public_key()), ["key"]),
        (issue(extensions=(CA_RULES, SAN_OF_RUBBISH)), ["ca", "key-usage"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b""),)), ["malformed"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x03\x00"),)), ["key-usage"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x03\x02\x07\x80\x00"),)), ["malformed"]),
        (issue(extensions=(raw(ExtensionOID.KEY_USAGE, b"\x04\x02\x07\x80"),)), ["malformed"]),
        (issue(extensions=(raw(CONSTRAINTS, b"\x30\x05"),)), ["malformed"]),
        (issue(extensions=(raw(CONSTRAINTS, b"\x05\x00"),)), ["malformed"]),
    ],
)
def test_each_problem_is_found(certificate: x509.Certificate, expected: list[str]) -> None:
    assert codes(certificate) == expected
    for finding in problems(certificate, NOW):
        assert finding.text.startswith(("it ", "its "))
        assert finding.remedy.endswith(".")


def test_a_hash_below_sha256_is_found() -> None:
    # `cryptography` no longer signs with SHA-1, but reads it: only the name is changed here.
    encoded = issue().public_bytes(Encoding.DER)
    sha256, sha1 = bytes.fromhex("06082a8648ce3d040302"), bytes.fromhex("06072a8648ce3d0401")
    tbs, algorithm, signature = der.read_only(encoded).children()
    weak = der.encode(der.SEQUENCE, sha1)
    tbs_content = tbs.content.replace(algorithm.raw, weak)
    assert sha256 not in tbs_content
    certificate = x509.load_der_x509_certificate(
        der.encode(der.SEQUENCE, der.encode(der.SEQUENCE, tbs_content) + weak + signature.raw)
    )
    assert isinstance(certificate.signature_hash_algorithm, SHA1)
    (finding,) = problems(certificate, NOW)
    assert (finding.code, finding.text) == ("hash", "its CA signed it with SHA-1")


def test_a_signature_algorithm_that_nobody_knows_is_not_called_weak() -> None:
    encoded = issue().public_bytes(Encoding.DER)
    ecdsa_sha256 = bytes.fromhex("06082a8648ce3d040302")
    unknown = x509.load_der_x509_certificate(
        encoded.replace(ecdsa_sha256, bytes.fromhex("06082a8648ce3d04037f"))
    )
    assert codes(unknown) == []


def test_the_times_count_as_valid_themselves() -> None:
    certificate = issue(start=NOW, end=NOW + DAY)
    second = timedelta(seconds=1)
    assert codes(certificate, NOW) == []
    assert codes(certificate, NOW - second) == ["not-yet-valid"]
    assert codes(certificate, NOW + DAY) == []
    assert codes(certificate, NOW + DAY + second) == ["expired"]


def test_an_error_names_the_file_both_times_and_the_clock() -> None:
    certificate = issue()
    east = timezone(timedelta(hours=2))
    with pytest.raises(CertificateError) as caught:
        check_certificate(certificate, now=(NOW + 2 * DAY).astimezone(east), where="app.pem")
    assert str(caught.value) == (
        "app.pem: AWS would refuse this certificate: it has expired (valid from 2030-05-31 "
        "12:00:00 UTC to 2030-06-02 12:00:00 UTC); this machine's clock says 2030-06-03 12:00:00 "
        "UTC. Renew the certificate; if the clock is wrong, set it."
    )
    check_certificate(certificate, now=NOW)


def test_all_problems_are_told_at_once_each_remedy_once() -> None:
    bad = issue(subject="", extensions=(CA_RULES,), end=NOW - timedelta(hours=1))
    with pytest.raises(CertificateError) as caught:
        check_certificate(bad, now=NOW)
    assert caught.value.what.startswith("AWS would refuse this certificate: it has expired (")
    assert caught.value.what.endswith(
        "; its subject is empty; it is a CA's (basicConstraints says CA:TRUE); it has no keyUsage, "
        "and AWS asks for it"
    )
    assert caught.value.remedy == (
        "Renew the certificate; if the clock is wrong, set it. Have it issued with a subject, such "
        "as a CN. Use an end-entity certificate that this CA issued, with CA:FALSE. Have it issued "
        "with keyUsage = critical, digitalSignature."
    )


def test_odd_subjects_can_be_named() -> None:
    assert describe_subject(issue("app")) == "CN=app"
    assert describe_subject(issue("")) == "an empty subject"
    encoded = issue("Germany").public_bytes(Encoding.DER)
    common_name, country = bytes.fromhex("0603550403"), bytes.fromhex("0603550406")
    odd = x509.load_der_x509_certificate(encoded.replace(common_name, country))
    with pytest.raises(UserWarning, match=r"(?i)two characters|length must be"):
        odd.subject.rfc4514_string()
    assert describe_subject(odd) == "C=Germany"
    broken = x509.load_der_x509_certificate(encoded.replace(b"Germany", b"Germ\xff\xfe\xfd"))
    assert describe_subject(broken) == "an unreadable subject"


def test_quietly_keeps_warnings_where_they_do_no_harm() -> None:
    def call() -> str:
        warnings.warn("odd", UserWarning, stacklevel=1)
        return "result"

    assert quietly(call) == "result"
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        assert quietly(call) == "result"
    assert [str(one.message) for one in shown] == ["odd"]
    with pytest.raises(ZeroDivisionError):
        quietly(lambda: 1 // 0)
