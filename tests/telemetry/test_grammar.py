"""The grammar of `q`: what it means, and that no text breaks it."""

from decimal import Decimal

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agents.models import Agent
from runtime.kinds import RequestKind, Status
from runtime.models import AgentRequest
from telemetry.query.grammar import Group, Negated, parse, write
from telemetry.query.requests import read_request_filter
from telemetry.query.terms import HAS, Term
from tests.factories import AgentRequestFactory
from workspaces.models import Workspace

NAMES = st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text)
NUMBERS = st.integers(0, 10**9).map(str)
PARAMETERS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(("agent", "model", "tool", "user", "session"), NAMES),
        "status": st.sampled_from([*Status.values, "error"]),
        "kind": st.sampled_from(RequestKind.values),
        "has": st.sampled_from(HAS),
        **dict.fromkeys(("min_ms", "max_ms", "min_tokens"), NUMBERS),
        "min_cost": st.decimals(0, 1000, places=6).map(lambda amount: f"{amount:f}"),
    },
)


def test_it_reads_what_the_reference_shows() -> None:
    text = (
        'agent:primary status:(error OR cancelled) -tool:search latency:>2s tokens:>10k cost:>0.05 has:tool_error "a b"'
    )
    statuses = Group((Term("status", "=", "failed"), Term("status", "=", "cancelled")), is_any=True)
    parsed = parse(text)
    assert not parsed.faults
    assert parsed.expression.parts == (
        Term("agent", "=", "primary"),
        statuses,
        Negated(Term("tool", "=", "search")),
        Term("latency", ">", Decimal(2000)),
        Term("tokens", ">", Decimal(10_000)),
        Term("cost", ">", Decimal("0.05")),
        Term("has", "=", "tool_error"),
        Term("text", "=", "a b"),
    )


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ("status:failed colour:red", 21, "colour is unknown"),
        ("status:sleepy", 7, "choose accepted"),
        ("latency:>soon", 9, "no amount"),
        ("signal.quality:<0.5", 16, "Signals are not in this database"),
        ("agent:prim*", 6, "wildcards"),
        ("(agent:a", 8, "ends too early"),
        ("agent:a:b", 6, "in quotes"),
        ("(" * 60 + "a" + ")" * 60, 13, "too deeply"),
        ("a" * 501, None, "500 characters"),
    ],
)
def test_what_makes_no_sense_is_said_with_its_place(text: str, position: int | None, words: str) -> None:
    (fault,) = parse(text).faults
    assert words in str(fault)
    assert fault.position == position


@given(st.one_of(st.text(max_size=120), st.text(alphabet='ab:"()-+<>=[]{}~^/\\ *?.\n\0', max_size=60)))
@example("a^.")
@example("a~1.2.3")
@example('"\\\n"')
@example("NOT")
def test_any_text_is_read_or_told_off(text: str) -> None:
    parsed = parse(text)
    assert parsed.expression.parts or parsed.faults or not text.strip()


# The first draw of any text builds hypothesis' table of characters, which takes a second on a busy machine
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(PARAMETERS)
@example({"session": 'a "quoted" one: \\ and/or (more)', "agent": "AND"})
def test_parameters_survive_being_written_into_a_query(parameters: dict[str, str]) -> None:
    direct, written = read_request_filter(parameters), read_request_filter({"q": write(parameters)})
    assert not direct.faults
    assert not written.faults
    assert written.expression == direct.expression


def test_bad_parameters_stay_bad_when_written() -> None:
    assert parse(write({"status": "sleepy", "min_ms": "soon"})).faults[1].position is not None


@pytest.fixture
def four(workspace: Workspace, agent: Agent) -> dict[str, AgentRequest]:
    def make(message: str, **about: object) -> AgentRequest:
        return AgentRequestFactory.create(workspace=workspace, agent=agent, message=message, **about)

    return {
        "plain": make("the price of apples"),
        "eu": make("100% sure", metadata={"region": "eu", "contains": 3, "on": True}, input_tokens=9_000),
        "user": make("hello", user="ada", cost_usd=Decimal("0.2"), output_tokens=20_000),
        "tool": make("look it up", tool_calls=1, tool_errors=1),
    }


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("apples", ["plain"]),
        ('"100%"', ["eu"]),
        ("PRICE -hello", ["plain"]),
        ("meta.region:eu", ["eu"]),
        ("meta.contains:3 meta.on:true", ["eu"]),
        ("user:ada OR tokens:9k", ["eu", "user"]),
        ("tokens:>10k cost:>=0.2", ["user"]),
        ("has:tool_error", ["tool"]),
        ("-has:tool_error -user:ada -meta.region:eu", ["plain"]),
        ("latency:<1h", []),
        ("has:interaction", []),
        ("has:subagent OR tool:search", []),
        ("kind:turn status:accepted -status:(failed OR cancelled) latency:>0ms", ["plain", "eu", "user", "tool"]),
    ],
)
def test_it_finds(workspace: Workspace, four: dict[str, AgentRequest], text: str, names: list[str]) -> None:
    which = read_request_filter({"q": text})
    assert not which.faults
    found = set(which.apply(workspace).values_list("pk", flat=True))
    assert {name for name, row in four.items() if row.pk in found} == set(names)


def test_words_are_looked_for_in_a_month_at_most() -> None:
    which = read_request_filter({"q": "-apples", "range": "all"})
    assert which.span.since is not None
    assert "30 days" in which.hint
