"""A CA's list at a trust anchor: what is done for each state of both, and nothing more."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography import x509
from revocation_account import NOW, WEEK, Account, der, made_list
from sessions import keys_from

from boto_rolesanywhere.account.revocation.lists import read_list
from boto_rolesanywhere.account.revocation.synchronising import (
    Order,
    Outcome,
    Synchroniser,
    is_older,
)
from boto_rolesanywhere.account.tags import SETUP, SYNCHRONISED
from boto_rolesanywhere.errors import SessionDeniedError
from boto_rolesanywhere.identity.opening import Access
from boto_rolesanywhere.testing import CertificateAuthority


def synchronised(account: Account, *sources: str | Path, **options: bool) -> list[Outcome]:
    order = Order(trust_anchor=account.anchor, sources=tuple(map(str, sources)), **options)
    return list(Synchroniser(account.administrator, order, Access()).run())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ca.crl"


def test_a_revoked_certificate_is_refused_after_the_sync(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    issued = ca.issue("app1")
    emulator = account.emulator

    assert keys_from(emulator, issued)
    file.write_bytes(der(made_list(ca, [issued.certificate.serial_number])))
    (outcome,) = synchronised(account, file)

    assert (outcome.state, account.written()) == ("imported", ["ImportCrl"])
    (held,) = account.lists()
    assert held["enabled"]
    with pytest.raises(SessionDeniedError, match="Certificate revoked"):
        keys_from(emulator, issued)


def test_each_state_takes_its_calls_and_no_more(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    def put(number: int, *, expected: str, calls: list[str]) -> None:
        file.write_bytes(made_list(ca, range(1, number + 1), number=number))
        (outcome,) = synchronised(account, file)
        assert (outcome.state, account.written()) == (expected, calls), outcome

    put(2, expected="imported", calls=["ImportCrl"])
    (outcome,) = synchronised(account, file)
    assert (outcome.state, account.written()) == ("unchanged", [])
    put(3, expected="updated", calls=["UpdateCrl"])
    put(1, expected="older", calls=[])
    (held,) = account.lists()
    account.administrator.call("rolesanywhere", "DisableCrl", crlId=held["crlId"])
    account.written()
    put(4, expected="updated", calls=["UpdateCrl", "EnableCrl"])
    account.administrator.call("rolesanywhere", "DisableCrl", crlId=held["crlId"])
    account.written()
    (outcome,) = synchronised(account, file)
    assert (outcome.state, account.written()) == ("enabled", ["EnableCrl"])
    (held,) = account.lists()
    assert held["enabled"]
    assert len(x509.load_pem_x509_crl(held["crlData"])) == 4


def test_without_numbers_the_time_decides(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    old, new = (
        made_list(ca, number=None, start=NOW - WEEK / days, end=NOW + WEEK) for days in (2, 4)
    )
    file.write_bytes(new)
    synchronised(account, file)
    file.write_bytes(old)

    assert synchronised(account, file)[0].state == "older"


@pytest.mark.parametrize(
    ("number", "days", "older"),
    [(4, 0, True), (5, -1, True), (4, 1, False), (6, -1, False), (5, 0, False), (5, 1, False)],
)
def test_a_list_is_newer_by_its_number_or_its_time(
    ca: CertificateAuthority, number: int, days: int, older: bool
) -> None:
    held = read_list(made_list(ca, number=5, start=NOW - WEEK / 2), "held")
    start = NOW - WEEK / 2 + WEEK / 7 * days

    assert is_older(read_list(made_list(ca, number=number, start=start), "new"), held) is older


def test_an_empty_list_is_not_sent(account: Account, ca: CertificateAuthority, file: Path) -> None:
    file.write_bytes(made_list(ca, []))
    (outcome,) = synchronised(account, file)
    assert (outcome.state, outcome.remedy, account.written()) == ("empty", None, [])

    file.write_bytes(made_list(ca, [1], number=2))
    synchronised(account, file)
    account.written()
    file.write_bytes(made_list(ca, [], number=3))
    (outcome,) = synchronised(account, file)

    assert (outcome.state, account.written()) == ("empty", [])
    assert "goes on refusing" in outcome.text
    (held,) = account.lists()
    assert held["enabled"]
    assert outcome.remedy is not None
    assert held["crlId"] in outcome.remedy


def test_a_list_of_somebody_else_is_left_alone_until_it_is_adopted(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    theirs = made_list(ca, [1])
    crl_id = account.import_by_hand(theirs)
    file.write_bytes(theirs)
    assert synchronised(account, file)[0].state == "unchanged"
    file.write_bytes(made_list(ca, [1, 2], number=2))

    (outcome,) = synchronised(account, file)
    assert (outcome.state, outcome.code) == ("in-the-way", "crl-in-the-way")
    assert "'by-hand'" in outcome.text
    assert crl_id in outcome.text
    assert account.written() == []

    (outcome,) = synchronised(account, file, adopt=True)
    assert (outcome.state, account.written()) == ("updated", ["TagResource", "UpdateCrl"])
    (outcome,) = synchronised(account, file, adopt=True)
    assert (outcome.state, account.written()) == ("unchanged", [])
    file.write_bytes(made_list(ca, [1, 2, 3], number=3))
    assert synchronised(account, file)[0].state == "updated"
    assert len(account.lists()) == 1


def test_the_same_list_is_adopted_as_it_is(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    file.write_bytes(made_list(ca))
    account.import_by_hand(file.read_bytes())

    (outcome,) = synchronised(account, file, adopt=True)

    assert (outcome.state, account.written()) == ("unchanged", ["TagResource"])


def test_two_lists_in_the_way_are_named(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    other = CertificateAuthority("Other CA")
    ids = [account.import_by_hand(made_list(other), name) for name in ("one", "two")]
    file.write_bytes(made_list(ca))

    (outcome,) = synchronised(account, file)

    assert (outcome.state, account.written()) == ("in-the-way", [])
    assert all(part in outcome.text for part in (*ids, "'one'", "'two'", "CN=Other CA"))


def test_an_anchor_of_two_cas_has_two_lists(
    ca: CertificateAuthority, account: Account, tmp_path: Path
) -> None:
    second = CertificateAuthority("Second CA")
    bundle = (ca.certificate_pem + second.certificate_pem).decode()
    account.administrator.call(
        "rolesanywhere",
        "UpdateTrustAnchor",
        trustAnchorId=account.anchor.rpartition("/")[2],
        source={
            "sourceType": "CERTIFICATE_BUNDLE",
            "sourceData": {"x509CertificateData": bundle},
        },
    )
    for name, authority in (("one", ca), ("two", second)):
        (tmp_path / name).write_bytes(made_list(authority))
    account.written()

    states = [each.state for each in synchronised(account, tmp_path / "one", tmp_path / "two")]

    assert (states, account.written()) == (["imported"] * 2, ["ImportCrl"] * 2)
    states = [each.state for each in synchronised(account, tmp_path / "one", tmp_path / "two")]
    assert (states, account.written()) == (["unchanged"] * 2, [])


def test_the_newest_of_two_sources_counts_and_a_fault_stops_no_other(
    account: Account, ca: CertificateAuthority, tmp_path: Path
) -> None:
    for number in (1, 2):
        (tmp_path / str(number)).write_bytes(made_list(ca, range(1, number + 1), number=number))

    outcomes = synchronised(account, tmp_path / "1", tmp_path / "missing", tmp_path / "2")

    states = {Path(each.source).name: each.state for each in outcomes}
    assert states == {"1": "spare", "2": "imported", "missing": "failed"}
    (held,) = account.lists()
    assert len(x509.load_pem_x509_crl(held["crlData"])) == 2


def test_the_list_is_known_again_by_its_tag(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    file.write_bytes(made_list(ca))
    (outcome,) = synchronised(account, file)

    answer = account.administrator.call(
        "rolesanywhere", "ListTagsForResource", resourceArn=outcome.crl_arn
    )
    assert [tag["key"] for tag in answer["tags"]] == [SYNCHRONISED]


def test_lists_that_two_runs_imported_at_once_are_both_kept(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    first = account.import_by_hand(made_list(ca))
    second = account.import_by_hand(made_list(ca))
    for crl_id in (first, second):
        arn = account.anchor.replace(":trust-anchor/", ":crl/").rpartition("/")[0] + f"/{crl_id}"
        tags = [{"key": SYNCHRONISED, "value": "crl sync"}]
        account.administrator.call("rolesanywhere", "TagResource", resourceArn=arn, tags=tags)
    file.write_bytes(made_list(ca, (7, 8), number=2))

    (outcome,) = synchronised(account, file)

    assert outcome.state == "updated"
    assert f"delete-crl --crl-id {second}" in str(outcome.remedy)
    assert [len(x509.load_pem_x509_crl(held["crlData"])) for held in account.lists()] == [2, 2]


def test_the_list_of_an_anchor_of_setup_goes_with_it(
    account: Account, ca: CertificateAuthority, file: Path
) -> None:
    tags = [{"key": SETUP, "value": "anchor/app1"}]
    account.administrator.call(
        "rolesanywhere", "TagResource", resourceArn=account.anchor, tags=tags
    )
    file.write_bytes(made_list(ca))
    (outcome,) = synchronised(account, file)

    answer = account.administrator.call(
        "rolesanywhere", "ListTagsForResource", resourceArn=outcome.crl_arn
    )
    assert {"key": SETUP, "value": "anchor/app1"} in answer["tags"]
