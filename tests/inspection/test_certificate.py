"""What a certificate turns into, for real certificates of every odd kind."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtensionOID, NameOID

from boto_rolesanywhere.certificates.rules import is_ca
from boto_rolesanywhere.errors import CertificateError, ConfigurationError
from boto_rolesanywhere.inspection.certificate import choose_leaf, inspect_certificate
from boto_rolesanywhere.inspection.session_tags import AttributeMappings, source_identity_doubt

if TYPE_CHECKING:
    from collections.abc import Sequence

    from boto_rolesanywhere.inspection.certificate import CertificateInspection

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
KEY = ec.generate_private_key(ec.SECP256R1())
DIGITAL_SIGNATURE = x509.KeyUsage(
    digital_signature=True,
    content_commitment=False,
    key_encipherment=True,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=False,
    crl_sign=False,
    encipher_only=False,
    decipher_only=False,
)
ODD_NAMES = ["3004a3020500", "3004a5020500", "0500", "30038201ff"]  # x400Address, ediPartyName, …
CN, OU, ORG = (
    NameOID.COMMON_NAME,
    NameOID.ORGANIZATIONAL_UNIT_NAME,
    NameOID.ORGANIZATION_NAME,
)


def name(*attributes: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, value) for oid, value in attributes])


def certificate(
    subject: x509.Name | None = None,
    *,
    issuer: x509.Name | None = None,
    names: Sequence[x509.GeneralName] = (),
    usage: x509.KeyUsage | None = DIGITAL_SIGNATURE,
    ca: bool = False,
    serial: int = 0x123,
    key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey = KEY,
    signer: ec.EllipticCurvePrivateKey = KEY,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(name((CN, "web-1")) if subject is None else subject)
        .issuer_name(name((CN, "Issuing CA")) if issuer is None else issuer)
        .public_key(key.public_key())
        .serial_number(serial)
        .not_valid_before(NOW - timedelta(days=10))
        .not_valid_after(NOW + timedelta(days=20, hours=1))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if usage is not None:
        builder = builder.add_extension(usage, critical=True)
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(signer, hashes.SHA256())


def inspect(*args: x509.Name, **kwargs: object) -> CertificateInspection:
    return inspect_certificate(certificate(*args, **kwargs), now=NOW)


def tags(found: CertificateInspection) -> dict[str, str]:
    return {tag.key: tag.value for tag in found.tags if tag.dropped is None}


def dropped(found: CertificateInspection) -> dict[str, str]:
    return {tag.key: tag.dropped for tag in found.tags if tag.dropped is not None}


def test_the_user_guides_own_example_gives_the_user_guides_own_tags() -> None:
    """IAM Roles Anywhere User Guide, "Trust policy"."""
    found = inspect(
        name((CN, "Alice")),
        issuer=name(
            (NameOID.COUNTRY_NAME, "US"),
            (ORG, "Amazon"),
            (OU, "IAM"),
            (NameOID.STATE_OR_PROVINCE_NAME, "Washington"),
            (CN, "RolesAnywhere"),
            (NameOID.LOCALITY_NAME, "Seattle"),
        ),
        names=[
            x509.DNSName("example.com"),
            x509.UniformResourceIdentifier("spiffe://example.com/workload/alice"),
            x509.DirectoryName(name((CN, "Alice"))),
        ],
        serial=0x1F71C5114A119FC0CC5A5A52FB3720AD,
    )
    assert tags(found) == {
        "x509Subject/CN": "Alice",
        "x509Issuer/C": "US",
        "x509Issuer/O": "Amazon",
        "x509Issuer/OU": "IAM",
        "x509Issuer/ST": "Washington",
        "x509Issuer/L": "Seattle",
        "x509Issuer/CN": "RolesAnywhere",
        "x509SAN/DNS": "example.com",
        "x509SAN/URI": "spiffe://example.com/workload/alice",
        "x509SAN/Name/CN": "Alice",
    }
    assert found.session_name == "1f71c5114a119fc0cc5a5a52fb3720ad"
    assert found.source_identity == "CN=Alice"


@pytest.mark.parametrize(
    ("subject", "names", "mappings", "origins"),
    [
        (name((CN, "web-1")), [], None, {"x509Subject/CN": "web-1", "x509SAN/URI": None}),
        (
            name((ORG, "Example")),
            [x509.UniformResourceIdentifier("spiffe://example/a")],
            None,
            {"x509Subject/CN": None, "x509SAN/URI": "spiffe://example/a"},
        ),
        (
            name((CN, "web-1")),
            [],
            AttributeMappings.parse(
                '[{"certificateField": "x509Subject", "mappingRules": [{"specifier": "OU"}]}]'
            ),
            {"x509Subject/CN": None, "x509SAN/URI": None},
        ),
    ],
)
def test_the_subject_of_trusted_identity_propagation_is_told_or_its_lack(
    subject: x509.Name,
    names: list[x509.GeneralName],
    mappings: AttributeMappings | None,
    origins: dict[str, str | None],
) -> None:
    found = inspect_certificate(certificate(subject, names=names), now=NOW, mappings=mappings)

    assert dict(found.origins) == origins
    assert found.to_json()["trustedIdentityPropagation"] == origins


def test_repeated_attributes_are_joined_in_the_certificates_order() -> None:
    """User Guide: "Security/Engineering/Research"."""
    subject = name((OU, "Security"), (CN, "alice"), (OU, "Engineering"), (OU, "Research"))
    assert tags(inspect(subject))["x509Subject/OU"] == "Security/Engineering/Research"


def test_a_multi_valued_rdn_is_taken_apart() -> None:
    subject = x509.Name(
        [
            x509.RelativeDistinguishedName(
                [x509.NameAttribute(CN, "alice"), x509.NameAttribute(NameOID.USER_ID, "a1")]
            ),
        ]
    )
    found = inspect(subject)
    assert tags(found)["x509Subject/CN"] == "alice"
    assert tags(found)["x509Subject/UID"] == "a1"


def test_only_the_first_name_of_each_type_becomes_a_tag() -> None:
    found = inspect(
        names=[
            x509.RFC822Name("ops@example.com"),
            x509.DNSName("a.example"),
            x509.DirectoryName(name((CN, "first"), (OU, "x"))),
            x509.DNSName("*.example"),
            x509.UniformResourceIdentifier("spiffe://a"),
            x509.UniformResourceIdentifier("spiffe://b"),
            x509.DirectoryName(name((CN, "second"))),
            x509.RegisteredID(x509.ObjectIdentifier("1.2.3")),
        ]
    )
    alternative = {key: value for key, value in tags(found).items() if "SAN" in key}
    assert alternative == {
        "x509SAN/DNS": "a.example",
        "x509SAN/Name/CN": "first",
        "x509SAN/Name/OU": "x",
        "x509SAN/URI": "spiffe://a",
    }
    assert [text for text, _ in found.unused_names] == [
        "email:ops@example.com",
        "DNS:*.example",
        "URI:spiffe://b",
        "Name:CN=second",
        "RID:1.2.3",
    ]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("Example, Inc.", "STS refuses ',' in a value"),
        ("John (42)", "STS refuses '(' ')' in a value"),
        ("*.example.com", "STS refuses '*' in a value"),
        ("tab\there", "STS refuses '\\t' in a value"),
    ],
)
def test_what_sts_does_not_take_is_shown_as_dropped(value: str, reason: str) -> None:
    found = inspect(name((ORG, value), (CN, "web-1")))
    if reason.startswith("STS refuses"):
        reason += " (AWS documents that the tag is left out; users have seen the session denied)"
    assert dropped(found) == {"x509Subject/O": reason}
    assert "x509Subject/O" not in tags(found)
    facts = found.facts(now=NOW)
    assert facts.look_up("aws:PrincipalTag/x509Subject/O").values == ()
    assert facts.look_up("aws:PrincipalTag/x509Subject/O").absent_because == reason


@pytest.mark.parametrize("value", ["Ünïcode Ⅷ 東京", "a_b.c:d/e=f+g-h@i", "non\u00a0break"])
def test_what_sts_takes_is_kept(value: str) -> None:
    """Its pattern has all letters, separators and numbers of Unicode, and _.:/=+-@."""
    assert tags(inspect(name((CN, value))))["x509Subject/CN"] == value


def test_lengths_have_the_limits_of_sts() -> None:
    longest = [(OU, "x" * length) for length in (63, 63, 63, 64)]  # and 3 slashes: 256
    assert not dropped(inspect(name(*longest, (CN, "a"))))
    longer = [(OU, "x" * length) for length in (63, 63, 64, 64)]
    found = dropped(inspect(name(*longer, (CN, "a"))))
    assert found == {"x509Subject/OU": "its value has 257 characters, and STS takes up to 256"}
    oid = x509.ObjectIdentifier("1.2." + ".".join(["1234567890"] * 12))
    assert (
        "its key has"
        in dropped(inspect(name((CN, "a"), (oid, "x"))))[f"x509Subject/{oid.dotted_string}"]
    )


def test_names_that_aws_does_not_document_are_marked() -> None:
    unusual = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
    found = inspect(
        name((CN, "a"), (NameOID.DOMAIN_COMPONENT, "corp"), (NameOID.USER_ID, "u"), (unusual, "x"))
    )
    marked = {tag.key: tag.documented for tag in found.tags if "Subject" in tag.key}
    assert marked == {
        "x509Subject/CN": True,
        "x509Subject/DC": False,
        "x509Subject/UID": True,
        "x509Subject/1.3.6.1.4.1.99999.1": False,
    }
    assert found.facts(now=NOW).undocumented_tags == {
        "x509Subject/DC",
        "x509Subject/1.3.6.1.4.1.99999.1",
    }


@pytest.mark.parametrize(
    ("subject", "serial", "expected"),
    [
        # User Guide, "Source identity rules", with its two examples of the padding.
        (name((ORG, "x")), 291, "ID=0123"),
        (name((ORG, "x")), 17767, "ID=4567"),
        (name((CN, "a" * 61)), 1, "CN=" + "a" * 61),
        (name((CN, "a" * 62)), 1, "a" * 62),
        (name((CN, "a" * 64)), 1, "a" * 64),
    ],
)
def test_source_identity(subject: x509.Name, serial: int, expected: str) -> None:
    found = inspect(subject, serial=serial)
    assert found.source_identity == expected
    assert found.source_identity_doubt is None


def test_where_the_rules_leave_the_source_identity_open_it_is_said() -> None:
    two = certificate(name((CN, "a"), (CN, "b")))
    assert "several CNs" in (source_identity_doubt(two) or "")
    assert inspect(name((CN, "a"), (CN, "b"))).source_identity == "CN=a"
    odd = certificate(name((CN, "John (42)")))
    assert "' ' '(' ')'" in (source_identity_doubt(odd) or "")
    assert "'é'" in (source_identity_doubt(certificate(name((CN, "é")))) or "")
    assert source_identity_doubt(certificate(name((CN, "x,y")))) is None


MAPPINGS = json.dumps(
    {
        "profile": {
            "name": "main",
            "attributeMappings": [
                {"certificateField": "x509Issuer", "mappingRules": [{"specifier": "O"}]},
                {
                    "certificateField": "x509SAN",
                    "mappingRules": [{"specifier": "DNS"}, {"specifier": "Name/"}],
                },
                {"certificateField": "x509Subject", "mappingRules": [{"specifier": "*"}]},
            ],
        }
    }
)


def test_a_profiles_attribute_mappings_leave_tags_out() -> None:
    one = certificate(
        name((CN, "a"), (OU, "b")),
        issuer=name((ORG, "Bob"), (CN, "Bob")),
        names=[
            x509.DNSName("a.example"),
            x509.UniformResourceIdentifier("spiffe://a"),
            x509.DirectoryName(name((CN, "c"))),
        ],
    )
    found = inspect_certificate(one, now=NOW, mappings=AttributeMappings.parse(MAPPINGS))
    assert list(tags(found)) == [
        "x509Subject/CN",
        "x509Subject/OU",
        "x509Issuer/O",
        "x509SAN/DNS",
        "x509SAN/Name/CN",
    ]
    assert set(dropped(found)) == {"x509Issuer/CN", "x509SAN/URI"}
    assert "attribute mappings" in dropped(found)["x509Issuer/CN"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON"),
        ("{}", "no list attributeMappings"),
        ('{"profile": 7}', "no list attributeMappings"),
        ("[7]", "an entry lacks"),
        ('[{"certificateField": "x509Subjects", "mappingRules": []}]', "an entry lacks"),
        ('[{"certificateField": "x509SAN", "mappingRules": [{}]}]', "no specifier"),
        (b"\xff", "not JSON"),
    ],
)
def test_attribute_mappings_that_are_none_are_refused(text: str | bytes, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        AttributeMappings.parse(text, where="profile.json")


def test_constraints_show_what_the_certificate_has_and_what_is_wrong_with_it() -> None:
    fine = {one.code: (one.value, one.problems) for one in inspect().constraints}
    assert fine == {
        "version": ("v3", ()),
        "subject": ("present", ()),
        "key": ("EC P-256", ()),
        "expired": ("2026-02-19 to 2026-03-21", ()),
        "ca": ("CA:FALSE", ()),
        "key-usage": ("digitalSignature, keyEncipherment", ()),
        "hash": ("SHA256", ()),
    }
    assert inspect().acceptable
    bad = inspect_certificate(
        certificate(ca=True, usage=None, key=ed25519.Ed25519PrivateKey.generate()),
        now=NOW + timedelta(days=30),
    )
    assert [one.code for one in bad.constraints if one.problems] == [
        "key",
        "expired",
        "ca",
        "key-usage",
    ]
    assert not bad.acceptable
    assert bad.algorithm is None
    assert bad.days_left == -10


def test_validity_serial_and_key() -> None:
    found = inspect(serial=0xABC)
    assert (found.serial_number, found.serial_number_hex) == (2748, "0abc")
    assert found.days_left == 20
    assert found.algorithm == "AWS4-X509-ECDSA-SHA256"


def test_an_empty_subject_is_refused_but_shown() -> None:
    found = inspect(x509.Name([]), names=[x509.DNSName("a.example")])
    assert found.subject == "(empty)"
    assert found.source_identity == "ID=0123"
    assert [one.code for one in found.constraints if one.problems] == ["subject"]


def test_a_broken_extension_hides_nothing_else() -> None:
    odd = x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.17"), b"\x30\x03\x82\x01\xff")
    builder = (
        x509.CertificateBuilder()
        .subject_name(name((CN, "a")))
        .issuer_name(name((CN, "a")))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW)
        .add_extension(odd, critical=False)
    )
    found = inspect_certificate(builder.sign(KEY, hashes.SHA256()), now=NOW)
    assert found.slips == (
        "its extension subjectAltName has a name of a kind or form that cannot be read",
    )
    assert tags(found)["x509Subject/CN"] == "a"


def test_a_broken_name_is_read_as_latin_1_and_named() -> None:
    der = certificate(name((CN, "grue\u00df"))).public_bytes(Encoding.DER)
    broken = x509.load_der_x509_certificate(der.replace("\u00df".encode(), b"\xff\xff"))

    found = inspect_certificate(broken, now=NOW)
    assert found.subject == "CN=grue\xff\xff"
    assert found.slips == ("its subject has text that is not in the encoding of its string type",)


def test_a_value_that_is_not_text_is_shown_in_hex() -> None:
    subject = x509.Name(
        [
            x509.NameAttribute(CN, "a"),
            x509.NameAttribute(
                NameOID.X500_UNIQUE_IDENTIFIER, b"\x00\xff", _type=_ASN1Type.BitString
            ),
        ]
    )
    assert tags(inspect(subject))["x509Subject/2.5.4.45"] == "00ff"


def hierarchy() -> tuple[x509.Certificate, x509.Certificate, x509.Certificate]:
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [name((CN, "Root")), name((CN, "Issuing"))]
    root = certificate(names[0], issuer=names[0], ca=True, key=keys[0], signer=keys[0], serial=1)
    middle = certificate(names[1], issuer=names[0], ca=True, key=keys[1], signer=keys[0], serial=2)
    leaf = certificate(issuer=names[1], signer=keys[1], serial=3)
    return root, middle, leaf


def test_without_a_key_the_leaf_is_the_one_that_issued_none_of_the_others() -> None:
    root, middle, leaf = hierarchy()
    for given in ([root, middle, leaf], [leaf, root, middle], [middle, leaf], [leaf, leaf]):
        assert choose_leaf(given) == leaf
    assert choose_leaf([root, middle]) == middle
    assert choose_leaf([root]) == root
    below = certificate(name((CN, "Below")), issuer=name((CN, "Root")), ca=True, serial=4)
    above = certificate(name((CN, "Root")), issuer=name((CN, "Top")), ca=True, serial=5)
    assert choose_leaf([above, below]) == below
    stranger = certificate(name((CN, "other")), serial=9, ca=True)
    assert choose_leaf([stranger, leaf]) == leaf
    with pytest.raises(CertificateError, match="no certificate"):
        choose_leaf([])


def test_the_chain_is_what_will_be_sent() -> None:
    root, middle, leaf = hierarchy()
    found = inspect_certificate(leaf, (root, leaf, middle), now=NOW)
    assert found.chain == (middle,)
    assert found.to_json()["chain"] == [
        {
            "subject": "CN=Issuing",
            "issuer": "CN=Root",
            "serialNumber": "02",
            "notAfter": middle.not_valid_after_utc.isoformat().replace("+00:00", "Z"),
        }
    ]


def test_the_json_form_keeps_its_keys() -> None:
    root, middle, leaf = hierarchy()
    found = inspect_certificate(leaf, (root, middle), now=NOW).to_json()
    json.dumps(found)
    assert list(found) == [
        "subject",
        "issuer",
        "serialNumber",
        "sha256Fingerprint",
        "notBefore",
        "notAfter",
        "daysLeft",
        "key",
        "algorithm",
        "acceptable",
        "constraints",
        "sessionName",
        "sourceIdentity",
        "sourceIdentityDoubt",
        "principalTags",
        "trustedIdentityPropagation",
        "crlDistributionPoints",
        "encoding",
        "unusedNames",
        "chain",
    ]
    assert found["serialNumber"] == {"hex": "03", "decimal": "3"}
    assert found["notBefore"] == "2026-02-19T12:00:00Z"
    assert {
        "key": "aws:PrincipalTag/x509Subject/CN",
        "value": "web-1",
        "dropped": None,
        "documented": True,
    } in found["principalTags"]
    assert {
        "code": "key-usage",
        "title": "keyUsage",
        "value": "digitalSignature, keyEncipherment",
        "ok": True,
        "problems": [],
    } in found["constraints"]
    assert found["chain"] == [
        {
            "subject": "CN=Issuing",
            "issuer": "CN=Root",
            "serialNumber": "02",
            "notAfter": "2026-03-21T13:00:00Z",
        }
    ]


def test_the_facts_for_a_trust_policy_are_the_certificates() -> None:
    found = inspect(name((CN, "web-1"), (ORG, "Example, Inc.")))
    anchor = "arn:aws:rolesanywhere:eu-west-1:123456789012:trust-anchor/1"
    facts = found.facts(now=NOW, trust_anchor_arn=anchor, context={"aws:SourceIp": ("10.0.0.1",)})
    for key, values in {
        "aws:PrincipalTag/x509Subject/CN": ("web-1",),
        "aws:PrincipalTag/x509Issuer/CN": ("Issuing CA",),
        "sts:SourceIdentity": ("CN=web-1",),
        "sts:RoleSessionName": ("0123",),
        "aws:SourceArn": (anchor,),
        "aws:SourceAccount": ("123456789012",),
        "aws:SourceIp": ("10.0.0.1",),
        "aws:PrincipalTag/x509Subject/O": (),
    }.items():
        assert facts.look_up(key).values == values
        assert facts.look_up(key).unknown is None


@pytest.mark.parametrize("encoded", ODD_NAMES)
def test_names_that_cannot_be_read_are_passed_over(encoded: str) -> None:
    names = x509.UnrecognizedExtension(
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME, bytes.fromhex(encoded)
    )
    odd = (
        x509.CertificateBuilder(name((CN, "odd")), name((CN, "CA")), KEY.public_key(), 1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .sign(KEY, hashes.SHA256())
    )

    found = inspect_certificate(odd, now=NOW)
    assert all(slip.startswith("its extension subjectAltName") for slip in found.slips)
    assert tags(found)["x509Subject/CN"] == "CA"
    assert choose_leaf([odd]) == odd
    assert is_ca(odd)  # which one odd name does not hide
