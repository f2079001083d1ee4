"""Waiving, the baseline, feedback, precision and recall on the command line, and waivers of the configuration."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from backlint.connectors.sandbox.trackers import TOKEN, Sandbox, start
from tests.api.conftest import CommandLine

SOON = (datetime.now(UTC) + timedelta(days=60)).date()
STORY = {
    "id": "1", "key": "PAY-1", "title": "Export the invoice list", "type": "story", "project": "PAY",
    "status": {"id": "2", "name": "In Progress", "category": "active"}, "assignees": ["mia"],
    "body": "Some background of the export.", "labels": ["spike"],
}  # fmt: skip


def configure(**waiver: object) -> str:
    """A waiver in the configuration, and an issue in a file."""
    values = {"rule": "AC001", "reason": "criteria live in the test suite", "until": SOON, **waiver}
    lines = [f"{key} = {value.isoformat() if key == 'until' else json.dumps(value)}" for key, value in values.items()]  # type: ignore[attr-defined]
    Path("backlint.toml").write_text("[[waivers]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    Path("issues.jsonl").write_text(json.dumps(STORY) + "\n", encoding="utf-8")
    return "issues.jsonl"


@pytest.mark.parametrize(
    ("about", "is_waived"),
    [
        ({"issue": "pay-1"}, True),
        ({"label": "Spike"}, True),
        ({"project": "pay"}, True),
        ({"type": "story"}, True),
        ({"rule": "AC", "project": "PAY"}, True),
        ({"type": "bug"}, False),
        ({"issue": "PAY-2"}, False),
        ({"project": "PAY", "source": "other"}, False),
    ],
)
def test_the_configuration_waives_what_it_names(
    backlint: CommandLine, about: dict[str, object], is_waived: bool
) -> None:
    found = backlint("check", "--input", configure(**about), "--format", "json").json["findings"]

    (criteria,) = [each for each in found if each["rule"] == "AC001"]
    assert criteria["waived"] is is_waived


@pytest.mark.parametrize(
    ("waiver", "says"),
    [
        ({}, "names exactly one of issue, label, project and type"),
        ({"issue": "PAY-1", "label": "x"}, "names exactly one of issue, label, project and type"),
        ({"issue": "PAY-1", "rule": "AC999"}, "waivers[0] (AC999): there is no rule 'AC999'"),
        ({"issue": "PAY-1", "reason": "short"}, "reason"),
        ({"issue": "PAY-1", "until": SOON + timedelta(days=400)}, "more than 365 days ahead"),
        ({"issue": "PAY-1", "rule": "SEC001"}, "more than 30 days ahead"),
    ],
)
def test_a_waiver_that_cannot_hold_is_refused_with_its_place(
    backlint: CommandLine, waiver: dict[str, object], says: str
) -> None:
    found = backlint("check", "--input", configure(**waiver))

    assert found.code == 2
    assert says in found.err


def test_an_expired_waiver_of_the_configuration_is_no_error_and_its_finding_is_back(backlint: CommandLine) -> None:
    over = datetime.now(UTC).date() - timedelta(days=3)

    found = backlint("check", "--input", configure(issue="PAY-1", until=over), "--fail-on", "error")

    assert found.code == 1
    assert f"was waived until {over}" in found.out


# -- with a store ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linear() -> Iterator[Sandbox]:
    with ExitStack() as stack:
        yield start(stack, "linear", size=30, seed=3, now=datetime.now(UTC))


@pytest.fixture
def stored(backlint: CommandLine, linear: Sandbox, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("LINEAR_API_KEY", TOKEN)
    Path("backlint.toml").write_text(
        f'[[sources]]\nname = "demo"\ntracker = "linear"\nurl = "{linear.url}"\nscope = ["*"]\n'
        'token_env = "LINEAR_API_KEY"\n[write_back]\nfirst_run = "write"\n[check]\nnear = "all"\n',
        encoding="utf-8",
    )
    assert backlint("pull").code == 0
    return backlint


def test_people_decide_from_the_command_line(stored: CommandLine) -> None:
    finding = next(each for each in stored("check", "--format", "json").json["findings"] if each["severity"] == "error")
    rule, issue = finding["rule"], finding["issue"]

    # A waiver is made, listed, shown by explain, and ended.
    made = stored("waive", rule, issue, "--reason", "agreed in planning", "--format", "json").json["waived"][0]
    waived = stored("check", "--format", "json").json["findings"]
    assert [each["waiver"]["id"] for each in waived if each["waived"]] == [made["id"]]
    listed = stored("waive")
    assert "1 waiver in force, 1 finding covered." in listed.out
    assert f"{rule} for {issue} until" in listed.out
    assert "agreed in planning" in stored("explain", issue).out
    assert stored("waive", "--end", made["id"]).code == 0
    assert stored("waive", "--format", "json").json["waivers"] == []
    assert stored("waive", "--end", made["id"]).code == 2

    # A finding is called wrong, which is in the book and among the candidates.
    assert "noted as wrong" in stored("feedback", issue, rule, "wrong", "--reason", "it is there").out
    book = stored("precision", "--format", "json").json["rules"]
    assert [(each["rule"], each["judged"], each["precision"]) for each in book if each["project"]] == [(rule, 1, 0.0)]
    assert stored("precision", "--candidates", "wrong.jsonl").code == 0
    (candidate,) = Path("wrong.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(candidate)["said_wrong"]["reason"] == "it is there"

    # The finding that is waived no longer is one more than the lowest count, until the marks begin anew.
    above = stored("check", "--ratchet", "--quiet")
    assert above.code == 1
    assert f"Ratchet: {rule} in demo" in above.out
    assert issue in next(line for line in above.out.splitlines() if line.startswith("Ratchet:"))
    assert "1 of them rose" in stored("baseline", "--reset-ratchet").out

    # What is open is accepted, and counts for the ratchet as before.
    accepted = stored("baseline", "--accept", "--yes", "--format", "json").json["accepted"]
    assert accepted > 0
    facts = stored("baseline", "--format", "json").json
    assert sum(each["findings"] for each in facts["baseline"]) == accepted
    assert all(each["count"] == each["mark"] for each in facts["ratchet"])
    assert stored("check", "--ratchet", "--quiet").code == 0

    # A sample is drawn once and answered.
    drawn = stored("recall", "--draw", "--format", "json").json
    one = next(each for each in drawn["open"] if each["rule"] == "OWN001")
    assert stored("recall", "OWN001", one["issue"], "right").code == 0
    assert len(stored("recall", "--draw", "--format", "json").json["open"]) == len(drawn["open"]) - 1


MISTAKES = [
    (("waive", "AC001", "--project", "nowhere", "--reason", "a good reason"), "nothing belongs to 'nowhere'"),
    (("waive", "AC001", "NO-1", "--reason", "a good reason"), "there is no issue 'NO-1'"),
    (("waive", "AC001", "--type", "saga", "--reason", "a good reason"), "--type 'saga'"),
    (("waive", "AC001"), "--reason is missing"),
    (("waive", "AC001", "--reason", "a good reason"), "name what AC001 is waived for"),
    (("waive", "AC001", "--type", "bug", "--reason", "a good reason", "--until", "may"), "--until 'may' is no day"),
    (("precision", "--restore", "AC001"), "AC001 has not stepped back"),
    (("recall", "--month", "March"), "write it as 2026-03"),
    (("baseline", "--reset-ratchet"), "no mark is set yet"),
    (("baseline", "--accept"), "nobody is there to agree"),
]


def test_what_cannot_be_done_ends_with_2_and_the_reason(stored: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())  # nobody is there

    for arguments, says in MISTAKES:
        found = stored(*arguments)
        assert (found.code, says in found.err) == (2, True), (arguments, found.err)
