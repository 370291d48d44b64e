"""What a certificate turns into, for real certificates of every odd kind."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtensionOID, NameOID
from inspecting import CN, KEY, NOW, ORG, certificate, inspect, name, tags

from boto_rolesanywhere.certificates.rules import is_ca
from boto_rolesanywhere.errors import CertificateError
from boto_rolesanywhere.inspection.certificate import choose_leaf, inspect_certificate

ODD_NAMES = ["3004a3020500", "3004a5020500", "0500", "30038201ff"]  # x400Address, ediPartyName, …


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
