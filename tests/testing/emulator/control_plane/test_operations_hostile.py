"""Whatever is sent to the control plane, it answers; it never fails itself."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from boto_rolesanywhere.testing import CertificateAuthority, Emulator
from boto_rolesanywhere.testing.emulator.control_plane.model import load_model
from boto_rolesanywhere.testing.emulator.wire import Received

ROUTES = load_model().routes
NAMES = sorted(
    {name for shape in load_model()._shapes.values() for name in shape.get("members", {})}
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
    route=st.sampled_from(ROUTES),
    identifier=ODD | st.just("existing"),
    query=ODD,
    body=BODIES,
    headers=st.lists(st.tuples(st.sampled_from(["authorization", "x-amz-date", "host"]), ODD)),
)
def test_any_request_has_an_answer(emulator, route, identifier, query, body, headers) -> None:  # noqa: ANN001
    if identifier == "existing":
        arns = (emulator.trust_anchor_arn, emulator.profile_arn)
        identifier = next((a for a in arns if f":{route.name[-7:].lower()}/" in a), arns[0])
    segments = [identifier if part.startswith("{") else part for part in route.segments]
    asked = Received(route.method, "/" + "/".join(segments), query, tuple(headers), body)
    answer = emulator._service.handle(asked).answer
    assert answer.status in (200, 201, 400, 403, 404)
    json.loads(answer.body)
