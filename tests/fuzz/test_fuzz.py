"""A short pass over all parsers; `scripts/fuzz` does long ones."""

from __future__ import annotations

import random

import fuzzing
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.filterwarnings("error")
each_target = pytest.mark.parametrize("target", fuzzing.TARGETS)
PATIENCE = 5  # seconds for one case


@each_target
def test_the_corpus(target: str) -> None:
    assert fuzzing.seeds(target)
    for seed in fuzzing.seeds(target):
        assert fuzzing.attempt(target, seed) < PATIENCE


@each_target
def test_changes_of_the_corpus(target: str) -> None:
    source = random.Random(target)
    for _ in range(300):
        data = fuzzing.mutated(target, source)
        assert fuzzing.attempt(target, data) < PATIENCE, data


@each_target
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_any_bytes_between_pieces_of_the_corpus(target: str, data: st.DataObject) -> None:
    seed = data.draw(st.sampled_from(fuzzing.seeds(target)))
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(seed))] * 2)))
    middle = data.draw(st.binary(max_size=60) | st.text(max_size=30).map(str.encode))
    case = seed[:start] + middle + seed[end:]
    assert fuzzing.attempt(target, case) < PATIENCE


@each_target
def test_time_in_proportion_to_size(target: str) -> None:
    source = random.Random(target)
    for seed in fuzzing.seeds(target):
        start = source.randrange(len(seed))
        piece = seed[start : start + source.randrange(1, 40)]
        for case in (seed * (200_000 // len(seed)), seed[:start] + piece * (200_000 // len(piece))):
            assert fuzzing.attempt(target, case) < PATIENCE, (seed, piece)
