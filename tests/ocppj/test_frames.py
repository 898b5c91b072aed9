"""Every way in which a text is, or is not, one of the three frames of OCPP-J 1.6."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocppj.errors import ErrorCode, RemoteViolation
from ocppj.frames import CALL, CALLERROR, CALLRESULT, Call, CallError, CallResult, Frame, decode, encode

texts = st.text(st.characters(exclude_categories=["Cs"]))
values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
payloads = st.dictionaries(texts, values, max_size=5)
ids = st.text(st.characters(exclude_categories=["Cs"]), max_size=36)
frames: st.SearchStrategy[Frame] = (
    st.builds(Call, ids, texts, payloads)
    | st.builds(CallResult, ids, payloads)
    | st.builds(CallError, ids, st.sampled_from([str(code) for code in ErrorCode]), texts, payloads)
)


@settings(deadline=None)
@given(frames)
def test_what_is_encoded_is_decoded_to_the_same(frame: Frame) -> None:
    text = encode(frame)
    assert text.isascii()
    assert decode(text) == (frame, [])


def _never_raises_but_a_violation(text: str) -> None:
    try:
        frame, findings = decode(text)
    except RemoteViolation:
        return
    assert frame or findings
    if frame is not None:  # it holds nothing that could not be sent
        assert decode(encode(frame))[0] == frame


@settings(deadline=None, max_examples=400)
@given(st.text())
def test_no_text_raises_anything_but_a_violation(text: str) -> None:
    _never_raises_but_a_violation(text)


@settings(deadline=None, max_examples=600)
@given(values | st.lists(values, max_size=7) | st.tuples(st.sampled_from([2, 3, 4]), values, values, values, values))
def test_no_json_raises_anything_but_a_violation(message: object) -> None:
    _never_raises_but_a_violation(json.dumps(message))


@settings(deadline=None, max_examples=400)
@given(frames, st.data())
def test_no_damaged_frame_raises_anything_but_a_violation(frame: Frame, data: st.DataObject) -> None:
    text = encode(frame)
    at = data.draw(st.integers(0, len(text)))
    _never_raises_but_a_violation(
        text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 3)) :]
    )


# What a hostile or broken peer may put where a value belongs, as JSON or almost: decode has to bear each at any depth.
odd_values = st.one_of(
    values.map(json.dumps),
    st.sampled_from(
        [
            "NaN",
            "Infinity",
            "-Infinity",
            "-0",
            "1e999",
            "-1e999",
            "1E400",
            "0.1e-999",
            "01",
            "1.",
            "+1",
            "'a'",
            "undefined",
        ]
    ),
    st.builds(lambda digit, times: digit * times, st.sampled_from("19"), st.sampled_from([400, 5000])),
    st.sampled_from([r'"\ud800"', r'"\udfff\ud800"', r'"\uD83D\uDE00"', r'"\u12"', '"\x00"', ""]),
    st.builds(
        lambda opening, closing, depth: opening * depth + "1" + closing * depth,
        st.sampled_from(["[", '{"a":', '[{"a":']),
        st.sampled_from(["]", "}", "}]", ""]),
        st.sampled_from([1, 300, 100_000]),
    ),
    st.builds('{{"a":{0},"a":{1}}}'.format, values.map(json.dumps), values.map(json.dumps)),  # one name twice
)
odd_messages = st.one_of(
    st.builds('[2,"1","A",{{"a":{0}}}]'.format, odd_values),
    st.builds('[3,"1",{{"a":[{0}]}}]'.format, odd_values),
    st.builds('[4,"1",{0},{1},{2}]'.format, odd_values, odd_values, odd_values),
    st.lists(odd_values, max_size=6).map(lambda parts: f"[{','.join(parts)}]"),
)


@settings(deadline=None, max_examples=300)
@given(odd_messages)
def test_no_odd_value_raises_anything_but_a_violation(text: str) -> None:
    _never_raises_but_a_violation(text)


@settings(deadline=None, max_examples=300)
@given(frames, st.sampled_from(["utf-8", "utf-16", "utf-32-le", "utf-8-sig", "cp500"]), st.binary(), st.data())
def test_no_bytes_raise_anything_but_a_violation(frame: Frame, encoding: str, dirt: bytes, data: st.DataObject) -> None:
    """In a wrong encoding, or with dirt: whatever text somebody makes of it."""
    whole = encode(frame).encode(encoding)
    at = data.draw(st.integers(0, len(whole)))
    dirty = whole[:at] + dirt + whole[at:]
    _never_raises_but_a_violation(dirty.decode("latin-1"))
    _never_raises_but_a_violation(dirty.decode(errors="replace"))


# text, clause, id that can be answered, message type number
NO_FRAMES = {
    "empty": ("", "4.1.2", None, None),
    "not JSON": ("hello", "4.1.2", None, None),
    "cut short": ('[2,"1","Heartbeat",{}', "4.1.2", None, None),
    "two messages": ('[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]', "4.1.2", None, None),
    "byte order mark": ('\ufeff[2,"1","Heartbeat",{}]', "4.1.2", None, None),
    "control character in a string": ('[2,"1","Heart\nbeat",{}]', "4.1.2", None, None),
    "NaN": ('[2,"1","Heartbeat",{"a":NaN}]', "4.1.2", None, None),
    "Infinity": ('[2,"1","Heartbeat",{"a":Infinity}]', "4.1.2", None, None),
    "minus Infinity": ('[2,"1","Heartbeat",{"a":-Infinity}]', "4.1.2", None, None),
    "a number beyond double": ('[2,"1","Heartbeat",{"a":1e400}]', "4.1.2", None, None),
    "an integer of 5000 digits": (f'[2,"1","Heartbeat",{{"a":{"9" * 5000}}}]', "4.1.2", None, None),
    "half a surrogate pair": (r'[2,"1","Heartbeat",{"a":"\ud800"}]', "4.1.2", None, None),
    "half a surrogate pair in capitals": (r'[2,"1","Heartbeat",{"a":"\uDC00"}]', "4.1.2", None, None),
    "half a surrogate pair as a name": (r'[2,"1","Heartbeat",{"\ud800":1}]', "4.1.2", None, None),
    "half a surrogate pair in the id": (r'[2,"\udfff","Heartbeat",{}]', "4.1.2", None, None),
    "nested 100,000 deep": ("[" * 100_000, "4.1.2", None, None),
    "closed and nested 100,000 deep": ("[" * 100_000 + "]" * 100_000, "4.1.2", None, None),
    "objects nested 100,000 deep": (
        '[2,"1","Heartbeat",' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "]",
        "4.1.2",
        None,
        None,
    ),
    "an object": ('{"a":1}', "4.2", None, None),
    "a string": ('"Heartbeat"', "4.2", None, None),
    "null": ("null", "4.2", None, None),
    "a number": ("2", "4.2", None, None),
    "an empty array": ("[]", "4.1.3", None, None),
    "type number as a string": ('["2","1","Heartbeat",{}]', "4.1.3", None, None),
    "type number as a fraction": ('[2.0,"1","Heartbeat",{}]', "4.1.3", None, None),
    "type number true": ('[true,"1","Heartbeat",{}]', "4.1.3", None, None),
    "type number null": ('[null,"1","Heartbeat",{}]', "4.1.3", None, None),
    "CALL alone": ("[2]", "4.1.4", None, CALL),
    "CALLRESULT alone": ("[3]", "4.1.4", None, CALLRESULT),
    "CALLERROR alone": ("[4]", "4.1.4", None, CALLERROR),
    "id a number": ('[2,1,"Heartbeat",{}]', "4.1.4", None, CALL),
    "id null": ('[2,null,"Heartbeat",{}]', "4.1.4", None, CALL),
    "id a list": ('[3,["1"],{}]', "4.1.4", None, CALLRESULT),
    "id an object": ('[4,{},"GenericError","",{}]', "4.1.4", None, CALLERROR),
    "id of 37 characters": (f'[2,"{"i" * 37}","Heartbeat",{{}}]', "4.1.4", "i" * 37, CALL),
    "id of 37 characters in a CALLRESULT": (f'[3,"{"i" * 37}",{{}}]', "4.1.4", "i" * 37, CALLRESULT),
    "CALL of 2": ('[2,"1"]', "4.2.1", "1", CALL),
    "CALL of 3": ('[2,"1","Heartbeat"]', "4.2.1", "1", CALL),
    "CALL of 5": ('[2,"1","Heartbeat",{},{}]', "4.2.1", "1", CALL),
    "action a number": ('[2,"1",5,{}]', "4.2.1", "1", CALL),
    "action a list": ('[2,"1",["Heartbeat"],{}]', "4.2.1", "1", CALL),
    "action null": ('[2,"1",null,{}]', "4.2.1", "1", CALL),
    "payload a list": ('[2,"1","Heartbeat",[]]', "4.2.1", "1", CALL),
    "payload a string": ('[2,"1","Heartbeat","{}"]', "4.2.1", "1", CALL),
    "payload false": ('[2,"1","Heartbeat",false]', "4.2.1", "1", CALL),
    "CALLRESULT of 2": ('[3,"1"]', "4.2.2", "1", CALLRESULT),
    "CALLRESULT of 4": ('[3,"1",{},{}]', "4.2.2", "1", CALLRESULT),
    "payload of a CALLRESULT a list": ('[3,"1",[]]', "4.2.2", "1", CALLRESULT),
    "CALLERROR of 2": ('[4,"1"]', "4.2.3", "1", CALLERROR),
    "errorCode a number": ('[4,"1",500,"",{}]', "4.2.3", "1", CALLERROR),
    "errorCode null": ('[4,"1",null,"",{}]', "4.2.3", "1", CALLERROR),
}


@pytest.mark.parametrize("name", NO_FRAMES)
def test_what_is_no_frame(name: str) -> None:
    text, clause, unique_id, message_type = NO_FRAMES[name]
    with pytest.raises(RemoteViolation) as raised:
        decode(text)
    violation = raised.value
    assert violation.finding.clause == clause
    assert violation.finding.severe
    assert violation.unique_id == unique_id
    assert violation.message_type == message_type
    assert violation.code == ErrorCode.FORMATION_VIOLATION


def test_a_refused_frame_says_what_is_wrong_with_it() -> None:
    with pytest.raises(RemoteViolation, match=r"a CALL has 4 elements, not 3 \(OCPP-J 4.2.1\)"):
        decode('[2,"1","Heartbeat"]')


# text, the frame that it is, clauses and severity of what is noted
BLEMISHED: dict[str, tuple[str, Frame | None, list[tuple[str, bool]]]] = {
    "null payload": ('[2,"1","Heartbeat",null]', Call("1", "Heartbeat", {}), [("4.2.1", False)]),
    "null payload of a CALLRESULT": ('[3,"1",null]', CallResult("1", {}), [("4.2.1", False)]),
    "a name twice": ('[2,"1","A",{"a":1,"a":2}]', Call("1", "A", {"a": 2}), [("4.1.2", False)]),
    "names twice in two objects": (
        '[2,"1","A",{"a":{"b":1,"b":1},"c":[{"d":1,"d":2}]}]',
        Call("1", "A", {"a": {"b": 1}, "c": [{"d": 2}]}),
        [("4.1.2", False)],
    ),
    "type number 1": ('[1,"1"]', None, [("4.1.3", True)]),
    "type number 5": ('[5,"1","A",{}]', None, [("4.1.3", True)]),
    "type number 0": ("[0]", None, [("4.1.3", True)]),
    "type number negative": ('[-2,"1","A",{}]', None, [("4.1.3", True)]),
    "type number huge": (f'[{"7" * 4000},"1","A",{{}}]', None, [("4.1.3", True)]),
    "CALLERROR of 3": ('[4,"1","GenericError"]', CallError("1", "GenericError"), [("4.2.3", True)]),
    "CALLERROR of 4": ('[4,"1","GenericError","x"]', CallError("1", "GenericError", "x"), [("4.2.3", True)]),
    "CALLERROR of 6": ('[4,"1","GenericError","x",{},1]', CallError("1", "GenericError", "x"), [("4.2.3", True)]),
    "description null": ('[4,"1","GenericError",null,{}]', CallError("1", "GenericError"), [("4.2.3, table 6", True)]),
    "details null": ('[4,"1","GenericError","",null]', CallError("1", "GenericError"), [("4.2.3, table 6", True)]),
    "details a list": ('[4,"1","GenericError","",[]]', CallError("1", "GenericError"), [("4.2.3, table 6", True)]),
    "unknown code": ('[4,"1","Teapot","",{}]', CallError("1", "Teapot"), [("4.2.3, table 7", True)]),
    "code of 2.0": ('[4,"1","FormatViolation","",{}]', CallError("1", "FormatViolation"), [("4.2.3, errata 5", False)]),
    "corrected spelling": (
        '[4,"1","OccurrenceConstraintViolation","",{}]',
        CallError("1", "OccurrenceConstraintViolation"),
        [("4.2.3, errata 5", False)],
    ),
}


@pytest.mark.parametrize("name", BLEMISHED)
def test_a_frame_with_blemishes(name: str) -> None:
    text, frame, noted = BLEMISHED[name]
    decoded, findings = decode(text)
    assert decoded == frame
    assert list(dict.fromkeys((finding.clause, finding.severe) for finding in findings)) == noted


# text, the frame that it is: nothing is noted
FLAWLESS: dict[str, tuple[str, Frame]] = {
    "white space": (' [ 2 , "1" , "Heartbeat" , { } ] \n', Call("1", "Heartbeat", {})),
    "an id of 36": (f'[2,"{"i" * 36}","Heartbeat",{{}}]', Call("i" * 36, "Heartbeat", {})),
    "an empty id": ('[3,"",{}]', CallResult("", {})),
    "an unknown action": ('[2,"1","Dance",{}]', Call("1", "Dance", {})),
    "a whole surrogate pair": (r'[3,"1",{"a":"\ud83d\ude00"}]', CallResult("1", {"a": "😀"})),
    "an escaped backslash before ud800": (r'[3,"1",{"a":"\\ud800"}]', CallResult("1", {"a": "\\ud800"})),
    "a number of 400 digits": (f'[3,"1",{{"a":{"9" * 400}}}]', CallResult("1", {"a": int("9" * 400)})),
    "a NUL": (r'[3,"1",{"a":"\u0000"}]', CallResult("1", {"a": "\0"})),
    "the example of errata 3.9": (
        '[4, "162376037", "NotSupported", "SendLocalList.req not implemented", {}]',
        CallError("162376037", "NotSupported", "SendLocalList.req not implemented"),
    ),
}


@pytest.mark.parametrize("name", FLAWLESS)
def test_a_flawless_frame(name: str) -> None:
    text, frame = FLAWLESS[name]
    assert decode(text) == (frame, [])


@pytest.mark.parametrize("code", ErrorCode)
def test_every_code_of_table_7_is_known(code: ErrorCode) -> None:
    frame, findings = decode(f'[4,"1","{code}","",{{}}]')
    assert frame == CallError("1", code)
    assert not findings
