from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantnb.errors import InvalidSettingError
from quantnb.exchange.faults import Fault, fault_table
from quantnb.exchange.kinds import CLOSE_CODES, GARBAGE, KINDS

NEEDED = {"silent-stream": "silent-stream:btcusdt@aggTrade"}


@pytest.mark.parametrize(
    ("text", "args"),
    [
        ("drop", {"code": "1006", "every": None, "after": None, "route": "any", "at": 0.0, "for": None}),
        ("drop:1012", {"code": "1012"}),
        (" drop : 1012 , every = 5 ".replace(" :", ":"), {"code": "1012", "every": 5.0}),
        ("half-open:5", {"for": 5.0, "connections": "all"}),
        ("silent-stream:!markPrice@arr@1s", {"stream": "!markPrice@arr@1s"}),
        ("handshake-429:30", {"retry": 30.0}),
        ("rest-503:path=aggTrades,times=2", {"path": "aggTrades", "times": 2.0}),
        ("clock:-5", {"seconds": -5.0}),
        ("garbage:big,size=1e6,p=1", {"kind": "big", "size": 1e6, "p": 1.0}),
    ],
)
def test_a_text_becomes_a_fault_with_all_its_arguments(text: str, args: dict[str, object]) -> None:
    fault = Fault.parse(text)
    assert {name: fault.args[name] for name in args} == args
    assert set(fault.args) == {each.name for each in KINDS[fault.name].parameters}


@pytest.mark.parametrize("name", KINDS)
def test_a_fault_written_out_is_the_same_fault(name: str) -> None:
    fault = Fault.parse(NEEDED.get(name, name))
    assert Fault.parse(str(fault)) == fault
    assert fault in {fault}


@pytest.mark.parametrize("kind", GARBAGE)
def test_every_garbage_has_a_name(kind: str) -> None:
    assert Fault.parse(f"garbage:{kind}").text("kind") == kind


@pytest.mark.parametrize("code", CLOSE_CODES)
def test_a_close_code_may_be_a_number_in_python(code: str) -> None:
    assert Fault("drop", {"code": int(code)}) == Fault.parse(f"drop:{code}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("half-opn", "No fault is called 'half-opn' (did you mean half-open?); the faults are drop, rst, "),
        ("", "No fault is called ''; the faults are drop, "),
        ("drop:1005", "argument code of the fault drop is 1000, 1001, 1006, 1008, 1011, 1012 or 1013"),
        ("drop:1000,evry=5", "The fault drop has no argument 'evry' (did you mean every?); it takes code, "),
        ("drop:1000,5", "write '5' as name=value; its form is drop:code=1006,every=,"),
        ("drop:1000,code=1001", "gives 'code' twice"),
        ("garbage:trunctated", "not 'trunctated' (did you mean truncated?)"),
        ("garbage:p=2", "The argument p of the fault garbage is a number from 0 to 1, not '2'."),
        ("delay:nan", "The argument seconds of the fault delay is a number from 0 on, not 'nan'."),
        ("delay:soon", "The argument seconds of the fault delay is a number from 0 on, not 'soon'."),
        ("silent-stream", "The argument stream of the fault silent-stream is needed; its form is silent-"),
        ("silent-stream:", "The argument stream of the fault silent-stream is needed"),
        ("untrusted-tls:5", "write '5' as name=value"),
        ("untrusted-tls:a=5", "has no argument 'a'; it takes none."),
    ],
)
def test_a_wrong_text_is_a_sentence_that_names_the_right_ones(text: str, message: str) -> None:
    with pytest.raises(InvalidSettingError) as raised:
        Fault.parse(text)
    assert message in str(raised.value)
    assert str(raised.value).endswith(".")


@given(st.text(max_size=40) | st.builds("{}:{}".format, st.sampled_from(sorted(KINDS)), st.text(max_size=40)))
def test_no_text_breaks_the_parser(text: str) -> None:
    try:
        fault = Fault.parse(text)
    except InvalidSettingError:
        return
    assert Fault.parse(str(fault)) == fault


def test_the_table_has_a_row_and_a_sentence_for_every_fault() -> None:
    table = fault_table()
    for name, kind in KINDS.items():
        assert f"\n  {name}" in table
        assert kind.does[:30] in table
    assert "half-open:for=" in table
    assert max(map(len, table.splitlines())) <= 110
