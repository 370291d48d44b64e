"""The tags of a session, its source identity, and what attribute mappings leave of them."""

from __future__ import annotations

import json

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from inspecting import CN, NOW, ORG, OU, certificate, dropped, inspect, name, tags

from boto_rolesanywhere.errors import ConfigurationError
from boto_rolesanywhere.inspection.certificate import inspect_certificate
from boto_rolesanywhere.inspection.session_tags import AttributeMappings, source_identity_doubt


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
