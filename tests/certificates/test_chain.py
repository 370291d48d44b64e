"""The leaf is found by its key, the chain by its signatures, wherever they stand."""

from __future__ import annotations

import itertools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from made_certificates import (
    CA_RULES,
    DAY,
    KEY,
    NOW,
    SIGNER,
    Authority,
    issue,
    line,
    rsa_of,
)

from boto_rolesanywhere.certificates.chain import (
    MAX_CHAIN,
    find_leaf,
    is_issued_by,
    is_self_signed,
    order_chain,
)
from boto_rolesanywhere.certificates.rules import problems
from boto_rolesanywhere.errors import CertificateError


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


def test_a_maze_of_authorities_that_signed_each_other_ends_in_words() -> None:
    first, second = Authority("first"), Authority("second")
    maze = [first.certify(second) for _ in range(70)] + [second.certify(first) for _ in range(70)]
    with pytest.raises(CertificateError, match="may have issued one another") as caught:
        order_chain(first.issue(), maze)
    assert caught.value.expected == "at most 4,000 signatures to check"
