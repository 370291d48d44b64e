from __future__ import annotations

import pytest
from cryptography import x509

from boto_rolesanywhere.certificates.reading import distribution_points
from boto_rolesanywhere.testing import CertificateAuthority

URL, OTHER = "http://ca.example/one.crl", "HTTPS://ca.example/two.crl"


def point(*uris: str) -> x509.DistributionPoint:
    names = [x509.UniformResourceIdentifier(uri) for uri in uris]
    return x509.DistributionPoint(names, None, None, None)


@pytest.mark.parametrize(
    ("points", "urls"),
    [
        ([], ()),
        ([point(URL)], (URL,)),
        ([point(URL, OTHER)], (URL, OTHER)),
        ([point(URL), point(OTHER)], (URL, OTHER)),
        ([point("ldap://ca.example/cn=ca"), point(OTHER)], (OTHER,)),
    ],
)
def test_the_urls_that_can_be_fetched_are_given_in_their_order(
    points: list[x509.DistributionPoint], urls: tuple[str, ...]
) -> None:
    extensions = [(x509.CRLDistributionPoints(points), False)] if points else []
    issued = CertificateAuthority().issue("web-1", extensions=extensions)

    assert distribution_points(issued.certificate) == urls
