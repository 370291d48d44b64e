"""Whatever is sent to the control plane, it answers; it never fails itself."""

from __future__ import annotations

import json
import re

import botocore.session
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.emulator.wire import Received

MODEL = botocore.session.Session().get_service_model("rolesanywhere")
NAMES = sorted(
    {
        name
        for shape in map(MODEL.shape_for, MODEL.shape_names)
        for name in getattr(shape, "members", {})
    }
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner),
    max_leaves=10,
)
BODIES = st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode())
ODD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="/?#"))


@pytest.fixture(scope="module")
def emulator() -> Emulator:
    """Not started: asked without HTTP, so that nothing hides an exception."""
    return Emulator(CertificateAuthority())


@settings(max_examples=400, deadline=None)
@given(
    operation=st.sampled_from(MODEL.operation_names),
    identifier=ODD | st.just("existing"),
    query=ODD,
    body=BODIES,
    headers=st.lists(st.tuples(st.sampled_from(["authorization", "x-amz-date", "host"]), ODD)),
)
def test_any_request_has_an_answer(emulator, operation, identifier, query, body, headers) -> None:  # noqa: ANN001
    if identifier == "existing":
        arns = (emulator.trust_anchor_arn, emulator.profile_arn)
        identifier = next((a for a in arns if f":{operation[-7:].lower()}/" in a), arns[0])
    http = MODEL.operation_model(operation).http
    path = re.sub(r"\{\w+\}", lambda _: identifier, http["requestUri"])
    asked = Received(http["method"], path, query, tuple(headers), body)
    answer = emulator._service.handle(asked).answer
    assert answer.status in (200, 201, 400, 403, 404)
    json.loads(answer.body)
