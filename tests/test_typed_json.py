"""JSON becomes a dataclass only if every field is known, there, and of its type."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dlv3.typed_json import build, parse_object, read_object


@dataclass(frozen=True)
class Inner:
    flag: bool = False


@dataclass(frozen=True)
class Outer:
    whole: int
    number: float = 0.5
    text: str | None = None
    rates: tuple[int, ...] = ()
    pair: tuple[float, float] = (0.0, 1.0)
    kind: Literal["a", "b"] = "a"
    scores: dict[str, float | None] = field(default_factory=dict)
    losses: list[float] = field(default_factory=list)
    anything: dict[str, Any] = field(default_factory=dict)
    inner: Inner = field(default_factory=Inner)


def test_every_kind_of_field_is_built():
    values = dict(
        whole=1, number=2, text="t", rates=[1, 2], pair=[1, 2.5], kind="b", scores={"x": None, "y": 0.5}
    )
    values |= dict(losses=[1.0], anything={"z": [1]}, inner={"flag": True})
    expected = Outer(1, 2, "t", (1, 2), (1, 2.5), "b", {"x": None, "y": 0.5}, [1.0], {"z": [1]}, Inner(True))
    assert build(Outer, json.loads(json.dumps(values)), "outer") == expected
    assert build(Outer, {"whole": 1}, "outer") == Outer(1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([], r"outer: expected a JSON object, got list"),
        ({}, r"outer: has no 'whole'; expected int"),
        ({"whole": True}, r"outer\.whole=True: expected int"),
        ({"whole": 1.0}, r"outer\.whole=1\.0: expected int"),
        ({"whole": "1"}, r"outer\.whole='1': expected int"),
        ({"number": "0.5"}, r"outer\.number='0\.5': expected float"),
        ({"number": False}, r"outer\.number=False: expected float"),
        ({"number": 10**400}, r"outer\.number=1000+\.\.\.: expected float"),
        ({"text": 3}, r"outer\.text=3: expected str \| None"),
        ({"rates": 3}, r"outer\.rates=3: expected tuple\[int, \.\.\.\]"),
        ({"rates": [1, "2"]}, r"outer\.rates=\[1, '2'\]: expected tuple"),
        ({"pair": [1]}, r"outer\.pair=\[1\]: expected tuple\[float, float\]"),
        ({"kind": "c"}, r"outer\.kind='c': expected one of 'a', 'b'"),
        ({"scores": {"x": "y"}}, r"outer\.scores\.x='y': expected float \| None"),
        ({"scores": []}, r"outer\.scores=\[\]: expected dict"),
        ({"losses": [None]}, r"outer\.losses=\[None\]: expected list\[float\]"),
        ({"inner": 3}, r"outer\.inner: expected a JSON object, got int"),
        ({"inner": {"flag": 1}}, r"outer\.inner\.flag=1: expected bool"),
        ({"more": 1}, r"outer: 'more' is not a field of it; expected one of whole, number"),
    ],
)
def test_wrong_value_is_named(values: object, message: str):
    if isinstance(values, dict) and values:
        values = {"whole": 1} | values
    with pytest.raises(ValueError, match=message):
        build(Outer, values, "outer")


def test_field_with_a_default_may_be_required():
    with pytest.raises(ValueError, match="outer: has no 'inner'; expected a JSON object"):
        build(Outer, {"whole": 1}, "outer", required=["inner"])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "a.json: not a record (not JSON: Expecting value"),
        (b"\xff", "a.json: not a record (not UTF-8 text: invalid start byte at byte 0"),
        (b"[1]", "a.json: not a record (expected a JSON object, got list"),
        (b'{"a":' * 100_000, "a.json: not a record (not JSON that dlv3 wrote: nested too deeply"),
        (b'{"a": ' + b"1" * 5000 + b"}", "a.json: not a record (Exceeds the limit"),
    ],
    ids=["empty", "no text", "list", "deep", "long number"],
)
def test_message_of_a_file_names_it(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ValueError) as error:  # noqa: PT011  the message is compared below
        read_object(tmp_path / "a.json", "a record")
    assert message in str(error.value)


TEXT = st.text("ab0", max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from([*Outer.__dataclass_fields__, "more"]), JSON))
def test_any_json_is_built_or_refused(values: dict[str, object]):
    try:
        found = build(Outer, parse_object(json.dumps(values)), "outer")
    except ValueError:
        return
    assert type(found.whole) is int
    assert isinstance(found.rates, tuple)
