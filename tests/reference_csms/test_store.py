"""What the Central System knows."""

import asyncio
from copy import deepcopy
from datetime import UTC, datetime, timedelta

import pytest

from ocppj.authority import Authority
from ocppj.clock import VirtualLoop
from ocppj.errors import LocalMisuse
from ocppj.frames import Payload
from reference_csms.store import SaltedHash, Store

NOW = datetime(2031, 5, 13, 8, 41, 17, 389_000, UTC)
START: Payload = {"connectorId": 1, "idTag": "Tag", "meterStart": 0, "timestamp": "2031-05-13T08:41:17Z"}

pytestmark = pytest.mark.usefixtures("loop")  # the calendar stands at NOW


def test_an_id_tag_that_nobody_knows_is_invalid() -> None:
    assert Store().id_tag_info("Tag") == {"status": "Invalid"}


@pytest.mark.parametrize("status", ["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"])
def test_an_id_tag_has_the_status_it_was_given(status: str) -> None:
    store = Store()
    store.know_id_tag("Tag", status)
    assert store.id_tag_info("Tag") == {"status": status}


@pytest.mark.parametrize("written", ["tag-é", "TAG-É", "Tag-É"])
def test_case_does_not_matter(written: str) -> None:
    store = Store()
    store.know_id_tag("Tag-é", parent="Family")
    assert store.id_tag_info(written) == {"status": "Accepted", "parentIdTag": "Family"}
    store.know_id_tag(written, "Blocked")
    assert len(store.id_tags) == 1
    assert store.id_tag_info("Tag-é") == {"status": "Blocked"}
    store.forget_id_tag(written)
    assert store.id_tag_info("Tag-é") == {"status": "Invalid"}


@pytest.mark.parametrize(
    ("expires_in", "status", "told"),
    [
        (timedelta(days=1), "Accepted", "Accepted"),
        (timedelta(milliseconds=1), "Accepted", "Accepted"),
        (timedelta(0), "Accepted", "Expired"),
        (timedelta(days=-1), "Accepted", "Expired"),
        (timedelta(days=-1), "Blocked", "Blocked"),
    ],
)
def test_an_id_tag_counts_until_its_expiry_date(expires_in: timedelta, status: str, told: str) -> None:
    store = Store()
    store.know_id_tag("Tag", status, expiry_date=NOW + expires_in)
    info = store.id_tag_info("Tag")
    assert info["status"] == told
    assert info["expiryDate"].startswith("2031-05-1")


@pytest.mark.parametrize(("id_tag", "parent"), [("", None), ("x" * 21, None), ("Tag", "x" * 21)])
def test_what_is_no_id_token(id_tag: str, parent: str | None) -> None:
    with pytest.raises(LocalMisuse, match="no IdToken"):
        Store().know_id_tag(id_tag, parent=parent)


def test_transaction_ids_are_positive_32_bit_and_differ_from_run_to_run(loop: VirtualLoop) -> None:
    def first_id() -> int:
        store = Store(accept_unknown_charge_points=True)
        return store.of("CP-1").start(START).transaction_id

    earlier = first_id()
    loop.run_until_complete(asyncio.sleep(5))
    later = first_id()
    assert 0 < earlier < later < 2**31
    assert later - earlier == 5


def test_transaction_ids_count_from_where_one_likes() -> None:
    store = Store(next_transaction_id=7, accept_unknown_charge_points=True)
    ids = [store.of("CP-1").start(START | {"meterStart": meter}).transaction_id for meter in range(3)]
    assert ids == [7, 8, 9]
    assert list(store.transactions) == ids


@pytest.mark.parametrize(
    "change",
    [
        {"connectorId": 2},
        {"idTag": "Tug"},
        {"meterStart": 1},
        {"timestamp": "2031-05-13T08:41:18Z"},
    ],
)
def test_only_the_same_request_of_the_same_charge_point_is_a_retry(change: Payload) -> None:
    store = Store(next_transaction_id=1, accept_unknown_charge_points=True)
    first = store.of("CP-1").start(START)
    assert store.of("CP-1").start(START) is first
    assert store.of("CP-1").start(START | {"idTag": "tAG"}) is first
    assert store.of("CP-1").start(START | change) is not first
    assert store.of("CP-2").start(START) is not first
    assert len(store.transactions) == 3


def test_a_charge_point_sees_its_own_transactions_only() -> None:
    store = Store(accept_unknown_charge_points=True)
    transaction = store.of("CP-1").start(START)
    assert store.of("CP-1").transaction(transaction.transaction_id) is transaction
    assert store.of("CP-2").transaction(transaction.transaction_id) is None
    assert store.of("CP-1").transaction(-1) is None
    assert store.of("CP-1").transaction(None) is None


def test_a_new_transaction_shows_that_the_one_before_on_that_connector_is_over() -> None:
    store = Store(accept_unknown_charge_points=True)
    first = store.of("CP-1").start(START)
    assert store.running("tag") == [first]
    second = store.of("CP-1").start(START | {"meterStart": 5})
    assert store.running("Tag") == [second]
    second.stopped_at = "2031-05-13T09:00:00Z"
    assert store.running("Tag") == []


def test_an_unknown_charge_point_is_known_only_if_that_is_wanted() -> None:
    store = Store()
    assert not store.knows_charge_point("CP-1")
    with pytest.raises(KeyError):
        store.of("CP-1")
    store.accept_unknown_charge_points = True
    assert store.knows_charge_point("CP-1")
    assert not store.charge_points
    assert store.of("CP-1").charge_point is store.charge_points["CP-1"]


def test_a_charge_point_that_is_known_keeps_what_is_known_of_it() -> None:
    store = Store()
    store.know_charge_point("CP-1").accepted = True
    again = store.know_charge_point("CP-1", "Rejected")
    assert again.accepted
    assert again.registration_status == "Rejected"


@pytest.mark.parametrize(
    ("vendor_id", "message_id", "status"),
    [
        ("org.known", None, "Accepted"),
        ("ORG.Known", "message", "Accepted"),
        ("org.known", "else", "UnknownMessageId"),
        ("org.unknown", "Message", "UnknownVendorId"),
        ("org.unknown", None, "UnknownVendorId"),
    ],
)
def test_data_transfer(vendor_id: str, message_id: str | None, status: str) -> None:
    store = Store()
    store.know_vendor("org.known", ["Message"])
    assert store.data_transfer_status(vendor_id, message_id) == status


def test_of_a_password_a_salted_hash_is_kept() -> None:
    password = bytes(range(20))
    one, other = SaltedHash.of(password), SaltedHash.of(password)
    assert one.matches(password)
    assert not any(one.matches(wrong) for wrong in (b"", password[:-1], password + b"\0", password.hex().encode()))
    assert one.digest != other.digest
    assert one.salt != other.salt
    assert repr(one) == "SaltedHash()"


def test_a_copy_of_what_is_known_is_the_same() -> None:
    store = Store(authority=Authority.root("Root", "Operator"))
    store.know_charge_point("CP-1").password = SaltedHash.of(b"password")
    before = deepcopy(store)
    assert store == before
    store.log_security_event("Any", "CP-1", "words")
    assert store != before
