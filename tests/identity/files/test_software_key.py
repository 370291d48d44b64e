"""A key in memory: it is closed, it stays in the process, and it says why it does not sign."""

from __future__ import annotations

import copy
import pickle

import pytest

from boto_rolesanywhere.errors import PrivateKeyError
from boto_rolesanywhere.identity.files.software_key import SoftwareKey
from boto_rolesanywhere.settings.sources import Secret
from boto_rolesanywhere.testing import IssuedCertificate


def test_a_closed_key_signs_no_more_and_tells_its_public_key(issued: IssuedCertificate) -> None:
    key = SoftwareKey(issued.private_key)
    key.close()
    key.close()
    with pytest.raises(PrivateKeyError, match="the private key was closed"):
        key.sign(b"data")
    assert key.public_key() == issued.certificate.public_key()


def test_a_key_and_a_secret_do_not_leave_the_process(issued: IssuedCertificate) -> None:
    key = SoftwareKey(issued.private_key)
    for leave in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="a SoftwareKey cannot be pickled"):
            leave(key)
        with pytest.raises(TypeError, match="a Secret cannot be pickled"):
            leave(Secret("x"))
    assert repr(key) == "<SoftwareKey ECPublicKey>"
    assert repr(Secret("hunter2", "AWS_X")) == "<Secret from AWS_X>"


def test_an_identity_that_refuses_to_sign_says_so(issued: IssuedCertificate) -> None:
    key = SoftwareKey(issued.private_key)
    with pytest.raises(PrivateKeyError, match="signing failed"):
        key.sign("text")  # type: ignore[arg-type]  # the point
