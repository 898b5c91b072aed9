"""What must never be written down: found in every form in which it may turn up, and nothing else is masked."""

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import quote

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from ocppj import secrets
from ocppj.authority import Authority
from ocppj.certificates import pem
from ocppj.frames import decode, encode
from ocppj.secrets import LEAST_LENGTH, MASK, hidden, hidden_deeply, hidden_in_frame, keep, masked
from ocppj.transcript import Transcript

KEY = "0a1B2c3D4e5F60718293a4b5C6d7E8f901234567"


@contextmanager
def nothing_kept() -> Iterator[None]:
    """What is kept meanwhile is forgotten afterwards."""
    before, secrets._known = secrets._known, {}
    try:
        yield
    finally:
        secrets._known = before


@pytest.fixture(autouse=True)
def forgetful() -> Iterator[None]:
    with nothing_kept():
        yield


def forms(secret: bytes, identity: str) -> list[str]:
    """How a password may be written, in words of this test."""
    told = [
        secret.hex(),
        secret.hex().upper(),
        base64.b64encode(secret).decode(),
        base64.b64encode(identity.encode() + b":" + secret).decode(),
        base64.urlsafe_b64encode(secret).decode(),
        base64.urlsafe_b64encode(identity.encode() + b":" + secret).decode().rstrip("="),
        quote(secret, safe=""),
        str(secret)[2:-1],
    ]
    with suppress(UnicodeDecodeError):
        text = secret.decode()
        told += [text, repr(text)[1:-1], json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]]
    return [form for form in told if len(form) >= LEAST_LENGTH]


# --- what is kept


@settings(max_examples=400, deadline=None)
@given(st.binary(min_size=LEAST_LENGTH, max_size=24), st.text(max_size=20), st.text(max_size=40), st.text(max_size=40))
@example(b"\x00\xff" * 8, "CP1", "", "")
@example(b'pass"word\\with/slashes', "CP1", "", "")
@example("Säule-Säule-Säule".encode(), "Säule", "ä", "\u00c4")
def test_no_text_holds_a_secret_in_any_of_its_forms(secret: bytes, identity: str, before: str, after: str) -> None:
    assume(b"*" not in secret)
    with nothing_kept():
        try:
            keep(secret, identity)
        except UnicodeEncodeError:
            assume(False)  # half a surrogate pair is in no identity
        for form in forms(secret, identity):
            for mask in (hidden, masked):
                told = mask(f"{before}{form}{after}{form}")
                assert form not in told
                assert form.casefold() not in told.casefold()
            deep = hidden_deeply([form, {"a": {"b": (form, 1, None)}}])
            assert not any(form in text for text in (deep[0], deep[1]["a"]["b"][0]))


@given(st.text())
def test_where_nothing_is_kept_nothing_is_masked(text: str) -> None:
    assume("://" not in text and "basic " not in text.lower())
    with nothing_kept():
        assert masked(text) == hidden(text) == text


def test_what_is_short_is_found_in_too_much() -> None:
    keep(b"abc", "")
    assert hidden("abc, and YWJj") == "abc, and YWJj"


def test_the_longer_of_two_secrets_is_masked_whole() -> None:
    keep(b"password")
    keep(b"password-and-more")
    assert hidden("password-and-more password") == f"{MASK} {MASK}"


@pytest.mark.parametrize("scheme", ["Basic", "basic", "BASIC"])
def test_what_stands_behind_basic(scheme: str) -> None:
    assert hidden(f"Authorization: {scheme} Q1AxOnNlY3JldC1zZWNyZXQ=") == f"Authorization: {scheme} {MASK}"


@pytest.mark.parametrize("url", ["ftp://user:secret@host/a", "ftp://user:sec@ret@host/a", "wss://secret@host/a"])
def test_what_a_url_tells(url: str) -> None:
    assert "sec" not in masked(f"see {url} there")
    assert "ret" not in masked(url)
    assert masked(url).endswith("@host/a")
    assert masked("ftp://host/a@b?c=d@e") == "ftp://host/a@b?c=d@e"


@pytest.mark.parametrize("kind", ["EC", "RSA"])
def test_a_private_key(kind: str) -> None:
    key = Authority.root("Root", "Operator").issue("client", common_name="SN-1", organization="Operator").key_pem
    certificate = pem(Authority.root("Root", "Operator").certificate)
    for text in (key, json.dumps(key), json.dumps(json.dumps(key)), key[: len(key) // 2], key.replace(" P", " EC P")):
        told = hidden(f"{certificate} {text}")
        assert certificate in told
        assert not any(line in told for line in key.splitlines()[1:-1])
    assert hidden(f"{key}{certificate}").endswith(f"{MASK}\n{certificate}")


# --- AuthorizationKey in a frame


def change(value: object, key: str = "AuthorizationKey") -> str:
    return encode_raw([2, "1", "ChangeConfiguration", {"key": key, "value": value}])


def encode_raw(frame: object) -> str:
    return json.dumps(frame)


def told_keys(raw: str) -> str:
    """What a transcript has of a frame, all of it."""
    transcript = Transcript()
    transcript.frame("Central System", "CP1", raw)
    return json.dumps(transcript.records, ensure_ascii=False) + json.dumps(transcript.records)


@pytest.mark.parametrize(
    "name", ["AuthorizationKey", "AUTHORIZATIONKEY", "authorizationkey", "\\u0041uthorizationKe\\u0079"]
)
@pytest.mark.parametrize("value", [KEY, KEY.upper(), "not hexadecimal at all", "x", "value", "key", "\u00e4" * 20])
def test_a_key_that_is_changed_is_not_told(name: str, value: str) -> None:
    raw = change(value).replace("AuthorizationKey", name)
    text, told = hidden_in_frame(raw)
    assert text == change(MASK).replace("AuthorizationKey", name)
    assert told == {"characters": len(value), "isHexadecimal": value in (KEY, KEY.upper())}


def test_a_key_that_is_reported_is_not_told() -> None:
    entries = [
        {"key": "HeartbeatInterval", "readonly": False, "value": "86400"},
        {"key": "AuthorizationKey", "readonly": False, "value": KEY},
    ]
    text, told = hidden_in_frame(encode_raw([3, "1", {"configurationKey": entries}]))
    assert told == {"characters": 40, "isHexadecimal": True}
    entries[1]["value"] = MASK
    assert text == encode_raw([3, "1", {"configurationKey": entries}])


@pytest.mark.parametrize("value", [KEY, "not hexadecimal at all"])
def test_what_was_told_once_is_masked_from_then_on(value: str) -> None:
    hidden_in_frame(change(value))
    for text in (f"{value} is wrong", f"{value.upper()} is wrong", f"{value.encode().hex() if value != KEY else KEY}"):
        assert MASK in hidden(text)
    escaped = "".join(f"\\u{ord(character):04X}" for character in value)
    assert value not in told_keys(f'[4,"1","GenericError","{escaped} is wrong",{{}}]')


@pytest.mark.parametrize(
    "raw",
    [
        change(KEY),
        change(KEY)[:-1],
        change(KEY)[:-3],
        change(KEY)[:-6],
        change(KEY).replace('"', "'"),
        change(KEY).replace('"key": ', '"key" '),
        change(KEY).replace("]", ",]"),
        change("a{b}c[d]e") + "]",
        change("a\"b\\c'd"),
        change("a\"b\\c'd") + ",",
        change(KEY).replace(KEY, "".join(f"\\u{ord(each):04x}" for each in KEY)),
        change(KEY).replace(KEY, "".join(f"\\u{ord(each):04x}" for each in KEY)) + "]",
        change(KEY).replace('"value"', '"v\\u0061lue"'),
        change(KEY).replace('"value"', '"v\\u0061lue"') + "]",
        change(KEY).replace('"value": ', '"value"\n\t :\r\n '),
        '{"value":"' + KEY + '","key":"AuthorizationKey"',
        encode_raw([2, "1", "ChangeConfiguration", {"a": [{"b": {"key": "AuthorizationKey", "value": KEY}}]}]),
        encode_raw({"key": "AuthorizationKey", "value": KEY}),
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{KEY}","value":"{KEY}"}}]',
        f"[2,1,AuthorizationKey={KEY}]",
        "[" * 100_000 + change(KEY),
        change("\ud800" + KEY),
        change(KEY + "\x00"),
    ],
    ids=lambda raw: raw[:80],
)
def test_however_it_is_written(raw: str) -> None:
    told = told_keys(raw)
    assert KEY not in told
    assert KEY[8:-8] not in told
    assert "c[d]e" not in told
    assert "c'd" not in told
    assert "".join(f"\\u{ord(each):04x}" for each in KEY[:4]) not in told


@settings(deadline=None)
@given(st.text(min_size=1, max_size=40), st.integers(0, 200), st.booleans())
@example('"', 0, False)
@example("\\", 0, True)
@example("x\x00y", 0, True)
def test_a_key_in_a_frame_that_is_cut_anywhere(value: str, cut: int, escapes: bool) -> None:
    assume(len(value) >= LEAST_LENGTH and value.casefold() not in change("").casefold() and not set(value) <= set("* "))
    raw = json.dumps(json.loads(change(value)), ensure_ascii=escapes)
    with nothing_kept():
        text, told = hidden_in_frame(raw)
        assert told == {"characters": len(value), "isHexadecimal": told is not None and told["isHexadecimal"]}
        assert json.loads(text)[3] == {"key": "AuthorizationKey", "value": MASK}
    with nothing_kept():
        begun = raw[: len(raw) - cut]
        shown, _ = hidden_in_frame(begun)
        start = raw.index('"value"') + len('"value": "')
        part = begun[start:].removesuffix("}]").removesuffix("}").removesuffix('"')
        assert len(part) < LEAST_LENGTH or part not in shown


def test_ordinary_frames_stay_as_they_are() -> None:
    for raw in (
        '[2, "1",  "Heartbeat", {} ]',
        '[3,"1",{"configurationKey":[{"key":"AuthorizationKey","readonly":false}]}]',
        '[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":""}]',
        '[2,"1","DataTransfer",{"vendorId":"a\\nb","data":"AuthorizationKey \\u00e4 is the name of a key"}]',
        '[2,"1","Data',
        "no JSON \\ at all, and \\u0000",
        '"',
        "",
    ):
        text, told = hidden_in_frame(raw)
        assert text == raw
        assert told in (None, {"characters": 0, "isHexadecimal": False})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_without_the_key_stays_as_it_is(value: object) -> None:
    raw = json.dumps([2, "1", "DataTransfer", value])
    assume("authorizationkey" not in raw.casefold())
    with nothing_kept():
        assert hidden_in_frame(raw) == (raw, None)


@given(st.text())
@example('{"key":"AuthorizationKey","value":"\\ud800"}')
@example('"\\')
@example("'value':'AuthorizationKey")
def test_no_text_surprises_who_masks_it(text: str) -> None:
    with nothing_kept():
        for frame in (text, f"{text} authorizationkey", f'{{"key":"AuthorizationKey","value":"{text}'):
            hidden_in_frame(frame)


def test_a_frame_that_was_masked_can_still_be_judged() -> None:
    frame, findings = decode(hidden_in_frame(change(KEY))[0])
    assert frame is not None
    assert not findings
    assert decode(encode(frame))[0] == frame


SIZE = 300_000
BEFORE = '{"key":"AuthorizationKey"'


@pytest.mark.parametrize(
    "text",
    [
        "x" * SIZE,
        "x://" * SIZE,
        "://" + "x@" * SIZE,
        "-----BEGIN " * SIZE,
        "-----BEGIN " + "A" * SIZE,
        "-----BEGIN PRIVATE KEY-----" * (SIZE // 10),
        "Basic " * SIZE,
        BEFORE + '"' * SIZE,
        BEFORE + '"\\"' * SIZE,
        BEFORE + '"\\' * SIZE,
        BEFORE + "\\" * SIZE,
        BEFORE + '"value"' + " " * SIZE,
        BEFORE + '"value":' * SIZE,
        BEFORE + '"value" : "' * SIZE,
        BEFORE + "'value':'" * SIZE,
        BEFORE + "{" * SIZE,
        BEFORE + "a" * SIZE,
        "\\u00" * SIZE,
    ],
    ids=lambda text: text[:40],
)
def test_no_text_takes_long(text: str) -> None:
    keep(bytes(range(20)), "CP1")
    begun = time.process_time()
    masked(text)
    hidden_in_frame(text)
    assert time.process_time() - begun < 10  # what goes back at every character takes hours


def test_keys_are_kept_in_no_repr() -> None:
    assert "PRIVATE" not in repr(Authority.root("Root", "Operator").issue("client", common_name="a", organization="b"))


@pytest.mark.parametrize("text", ["HTTP Basic Authentication", "Basic authentication-scheme", "basic knowledge_of_it"])
def test_what_is_called_basic_and_is_no_credentials(text: str) -> None:
    assert masked(text) == text
