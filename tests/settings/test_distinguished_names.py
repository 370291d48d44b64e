"""Distinguished names as people write them."""

from __future__ import annotations

import pytest
from cryptography import x509

from boto_rolesanywhere.settings.distinguished_names import ATTRIBUTE_NAMES, name_text, read_name


@pytest.mark.parametrize("kind", ATTRIBUTE_NAMES.values())
def test_every_attribute_comes_back_under_its_name(kind: str) -> None:
    text = f"{kind}=DE,CN=app1"

    assert name_text(read_name(text)) == text


@pytest.mark.parametrize(
    ("text", "rfc4514"),
    [
        ("cn=app1,ou=it", "CN=app1,OU=it"),
        ("CN = app1, OU = it", "CN=app1,OU=it"),
        ("EMAILADDRESS=a@b.example,CN=x", "emailAddress=a@b.example,CN=x"),
        ("2.5.4.3=app1, 1.2.3.4=x", "CN=app1,1.2.3.4=x"),
        (r"CN=a\, b=c,O=x+ ou=y", r"CN=a\, b=c,O=x+OU=y"),
        (r"CN=a\\, O=b", r"CN=a\\,O=b"),
        ("", ""),
    ],
)
def test_names_as_people_write_them(text: str, rfc4514: str) -> None:
    assert read_name(text) == x509.Name.from_rfc4514_string(
        rfc4514, {"emailAddress": x509.NameOID.EMAIL_ADDRESS}
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("nonsense", "^$"),
        ("CN=x,", "^$"),
        ("CN=x,shoe=9", "there is no attribute shoe"),
        ("CN=x,emailAddress=ä@b.example", "emailAddress takes ASCII"),
        ("serialNumber=ä", "serialNumber takes ASCII"),
        ("C=DEU", "length"),
    ],
)
def test_what_is_no_name(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_name(text)
