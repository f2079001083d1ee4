"""What the commands print where, and with which exit code they end."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backlint import __version__
from backlint.connectors.sandbox.trackers import TOKEN, Sandbox, start
from backlint.rules.registry import all_rules
from tests.api.conftest import CommandLine

HEAVY = (
    "alembic",
    "dbos",
    "httpx",
    "jira",
    "msgspec",
    "numpy",
    "pydantic",
    "rich",
    "sqlalchemy",
    "starlette",
    "uvicorn",
)
STARTED = {"id": "3", "name": "In Progress", "category": "active"}
GOOD_STORY = """\
Shoppers leave when a card is declined, since nothing tells them why.

## Outcome

Checkout drop-off from 42 % to 35 % by 2027-09-30.

## Acceptance criteria

- The page shows "Card declined" within 2 seconds
- The basket keeps every item after a declined card
"""


def a_row(id: str, **more: Any) -> dict[str, Any]:
    """A started story without anything: several errors."""
    return {
        "id": id,
        "key": f"DEMO-{id}",
        "project": "DEMO",
        "title": "As a shopper I want to pay by card",
        "type": "story",
        "status": STARTED,
        **more,
    }


def write_lines(*rows: dict[str, Any], name: str = "issues.jsonl") -> str:
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return name


# -- without anything --------------------------------------------------------------------------------------------------


def test_help_names_every_command(backlint: CommandLine) -> None:
    found = backlint("--help")

    assert found.code == 0
    for command in ("demo", "init", "doctor", "pull", "check", "plan", "apply", "undo", "audit", "report", "rule",
                    "explain", "export", "db"):  # fmt: skip
        assert re.search(rf"^  {command} ", found.out, re.MULTILINE), command


@pytest.mark.parametrize("command", ["check", "init", "pull", "plan", "apply", "explain", "export", "rule", "audit"])
def test_every_command_explains_itself(backlint: CommandLine, command: str) -> None:
    found = backlint(command, "--help")

    assert found.code == 0
    assert found.out.startswith(f"Usage: backlint {command} " if "backlint" in found.out[:20] else "Usage: ")
    assert "--quiet" in found.out


def test_the_version_is_printed(backlint: CommandLine) -> None:
    assert backlint("--version").out == f"backlint {__version__}\n"


@pytest.mark.parametrize("wrong", [("--nope",), ("chekc",), ("check", "--limit", "-1"), ("check", "--format", "xml")])
def test_what_cannot_be_understood_ends_with_2(backlint: CommandLine, wrong: tuple[str, ...]) -> None:
    found = backlint(*wrong)

    assert found.code == 2
    assert found.out == ""
    assert "Usage:" in found.err


def test_the_command_line_is_ready_before_anything_heavy_is_loaded() -> None:
    program = f"import sys, backlint.api.cli; print([name for name in {HEAVY!r} if name in sys.modules])"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert found.stdout == "[]\n"


# -- files -------------------------------------------------------------------------------------------------------------


def test_findings_end_with_1_and_are_printed_after_a_summary(backlint: CommandLine) -> None:
    found = backlint("check", "--input", write_lines(a_row("1")), "--rule", "AC001")

    assert found.code == 1
    summary, finding = found.out.splitlines()
    assert summary == "1 issue checked: 1 error."
    assert finding == "DEMO-1  error  AC001  No acceptance criteria found."
    assert "issues.jsonl: 1 issue (backlint JSON Lines)" in found.err


def test_a_clean_file_ends_with_0(backlint: CommandLine) -> None:
    file = write_lines(a_row("1", description=GOOD_STORY, assignees=["mia"]))

    found = backlint("check", "--input", file, "--rule", "AC001", "--rule", "OUT001", "--rule", "OWN001")

    assert (found.code, found.out) == (0, "1 issue checked: 0 findings.\n")


def test_json_stands_alone_on_standard_output(backlint: CommandLine) -> None:
    found = backlint("check", "--input", write_lines(a_row("1")), "--rule", "AC001", "--format", "json")

    assert found.code == 1
    assert [finding["rule"] for finding in found.json["findings"]] == ["AC001"]
    assert found.json["checked"] == 1
    assert "issues.jsonl: 1 issue" in found.err


def test_both_formats_say_the_same(backlint: CommandLine) -> None:
    file = write_lines(a_row("1"), a_row("2", description=GOOD_STORY), a_row("3", type="bug"))

    text = backlint("check", "--input", file, "--limit", "0").out.splitlines()[1:]
    facts = backlint("check", "--input", file, "--format", "json").json["findings"]

    assert sorted(line.split("  ")[0] + line.split("  ")[2] for line in text) == sorted(
        finding["issue"] + finding["rule"] for finding in facts
    )


@pytest.mark.parametrize(
    ("fail_on", "code"), [("error", 0), ("warning", 0), ("info", 1)]
)  # fmt: skip
def test_fail_on_draws_the_line(backlint: CommandLine, fail_on: str, code: int) -> None:
    """Without a status an issue is far, where AC001 only informs."""
    file = write_lines(a_row("1", status=None))

    assert backlint("check", "--input", file, "--rule", "AC001", "--fail-on", fail_on).code == code


def test_the_configuration_may_draw_the_line_and_the_option_wins(backlint: CommandLine) -> None:
    Path("backlint.toml").write_text('[check]\nfail_on = "info"\n', encoding="utf-8")
    file = write_lines(a_row("1", status=None))

    assert backlint("check", "--input", file, "--rule", "AC001").code == 1
    assert backlint("check", "--input", file, "--rule", "AC001", "--fail-on", "error").code == 0


def test_only_the_rules_that_are_named_judge_by_code_or_name(backlint: CommandLine) -> None:
    file = write_lines(a_row("1"), a_row("2", assignees=["mia"]))

    found = backlint("check", "--input", file, "--rule", "own001", "--rule", "missing-acceptance-criteria",
                     "--format", "json")  # fmt: skip

    assert {finding["rule"] for finding in found.json["findings"]} == {"AC001", "OWN001"}


def test_all_verdicts_show_passes_with_their_reasons(backlint: CommandLine) -> None:
    file = write_lines(a_row("1", description=GOOD_STORY))

    text = backlint("check", "--input", file, "--rule", "AC001", "--all-verdicts")
    facts = backlint("check", "--input", file, "--rule", "AC001", "--all-verdicts", "--format", "json")

    assert "DEMO-1  AC001  pass" in text.out
    assert [(each["rule"], each["verdict"]) for each in facts.json["verdicts"]] == [("AC001", "pass")]
    assert "verdicts" not in backlint("check", "--input", file, "--format", "json").json


def test_limit_says_how_many_are_not_shown(backlint: CommandLine) -> None:
    file = write_lines(*(a_row(str(number)) for number in range(5)))

    few = backlint("check", "--input", file, "--rule", "AC001", "--limit", "2").out
    everything = backlint("check", "--input", file, "--rule", "AC001", "--limit", "0").out

    assert few.count("AC001") == 2
    assert "... and 3 more; --limit 0 prints all" in few
    assert everything.count("AC001") == 5


def test_quiet_leaves_only_the_result(backlint: CommandLine) -> None:
    found = backlint("check", "--input", write_lines(a_row("1")), "--quiet")

    assert found.err == ""
    assert found.out.startswith("1 issue checked:")


def test_quiet_does_not_hide_what_could_not_be_read(backlint: CommandLine) -> None:
    file = write_lines(a_row("1"), {"id": "2", "title": 5})

    found = backlint("check", "--input", file, "--quiet")

    assert "line 2, title" in found.err
    assert "the row is left out" in found.err


def test_scope_narrows_a_file_and_an_unknown_one_is_refused(backlint: CommandLine) -> None:
    file = write_lines(a_row("1"), a_row("2", key="WEB-2", project="WEB"))

    found = backlint("check", "--input", file, "--scope", "web", "--rule", "AC001", "--format", "json")
    wrong = backlint("check", "--input", file, "--scope", "WEBB")

    assert [finding["issue"] for finding in found.json["findings"]] == ["WEB-2"]
    assert found.json["checked"] == 1
    assert (wrong.code, wrong.out) == (2, "")
    assert "nothing belongs to 'WEBB'; there is web" in wrong.err


def test_new_tickets_are_asked_only_what_their_authors_can_answer(backlint: CommandLine) -> None:
    file = write_lines(a_row("1", status={"id": "1", "name": "Backlog", "category": "backlog"}))

    found = backlint("check", "--input", file, "--new", "--format", "json").json["findings"]

    rules = {finding["rule"]: finding["severity"] for finding in found}
    assert rules["AC001"] == "error"
    assert "OWN001" not in rules


def test_a_file_may_come_from_standard_input(backlint: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    text = json.dumps(a_row("1")).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))

    assert backlint("check", "--input", "-", "--rule", "AC001").out.startswith("1 issue checked: 1 error.")


JIRA_CSV = """\
Summary,Issue key,Issue id,Issue Type,Status,Status Category,Project key,Created,Updated,Description
Pay by card,PAY-1,10001,Story,In Progress,In Progress,PAY,01/Mar/26 9:00 AM,02/Mar/26 9:00 AM,Cards and money
"""
LINEAR_CSV = """\
ID,Team,Title,Description,Status,Estimate,Priority,Creator,Assignee,Labels,Created,Updated
ENG-1,Engineering,Pay by card,Cards and money,In Progress,,High,mia,,Story,2026-03-01,2026-03-02
"""
GH_JSON = json.dumps(
    [
        {
            "number": 7,
            "title": "Pay by card",
            "body": "Cards and money",
            "state": "OPEN",
            "url": "https://github.com/acme/shop/issues/7",
            "labels": [{"name": "enhancement"}],
            "assignees": [],
            "author": {"login": "mia"},
            "createdAt": "2026-03-01T09:00:00Z",
            "updatedAt": "2026-03-02T09:00:00Z",
        }
    ]
)


@pytest.mark.parametrize(
    ("name", "text", "kind", "key"),
    [
        ("jira.csv", JIRA_CSV, "Jira CSV export", "PAY-1"),
        ("linear.csv", LINEAR_CSV, "Linear CSV export", "ENG-1"),
        ("gh.json", GH_JSON, "gh issue list --json", "acme/shop#7"),
        ("named.txt", GH_JSON, "gh issue list --json", "acme/shop#7"),
    ],
)
def test_exports_are_recognised_by_what_they_hold(
    backlint: CommandLine, name: str, text: str, kind: str, key: str
) -> None:
    Path(name).write_text(text, encoding="utf-8")

    found = backlint("check", "--input", name, "--all-verdicts", "--format", "json")

    assert f"{name}: 1 issue ({kind})" in found.err
    assert {verdict["issue"] for verdict in found.json["verdicts"]} == {key}


def test_dates_that_can_be_read_in_two_ways_are_read_as_told(backlint: CommandLine) -> None:
    text = JIRA_CSV.replace("01/Mar/26 9:00 AM", "03/04/2026").replace("02/Mar/26 9:00 AM", "03/04/2026")
    Path("jira.csv").write_text(text, encoding="utf-8")

    said = backlint("check", "--input", "jira.csv")
    told = backlint("check", "--input", "jira.csv", "--day-first")

    assert "03/04/2026" in said.err
    assert "03/04/2026" not in told.err


# -- rules -------------------------------------------------------------------------------------------------------------


def test_all_rules_are_listed_with_whether_they_run(backlint: CommandLine) -> None:
    text, facts = backlint("rule"), backlint("rule", "--format", "json")

    assert len(text.out.splitlines()) == len(facts.json["rules"]) == len(all_rules())
    assert "AC001  on   error  missing-acceptance-criteria: No acceptance criteria found." in text.out
    assert "[check]" in text.err


def test_a_rules_page_is_found_by_code_and_by_name(backlint: CommandLine) -> None:
    by_code, by_name = backlint("rule", "ac001"), backlint("rule", "missing-acceptance-criteria")

    assert by_code.out == by_name.out
    assert by_code.out.startswith("## AC001 missing-acceptance-criteria")
    assert "[" in by_code.out


def test_an_unknown_rule_is_refused_with_the_near_one(backlint: CommandLine) -> None:
    for command in (("rule", "AC01"), ("check", "--input", write_lines(a_row("1")), "--rule", "AC01")):
        found = backlint(*command)
        assert (found.code, found.out) == (2, "")
        assert "there is no rule 'AC01'; did you mean AC001 (missing-acceptance-criteria)?" in found.err


# -- one issue ---------------------------------------------------------------------------------------------------------


def test_explain_shows_every_verdict_on_an_issue_of_a_file(backlint: CommandLine) -> None:
    file = write_lines(a_row("1", description="## Acceptance criteria\n\n- TBD\n"), a_row("2"))

    text, facts = (
        backlint("explain", "DEMO-1", "--input", file),
        backlint("explain", "demo-1", "--input", file, "--format", "json"),
    )

    assert text.code == 0
    assert "DEMO-1  As a shopper I want to pay by card" in text.out
    assert re.search(r"^AC002  fail  error", text.out, re.MULTILINE)
    assert "placeholder" in text.out
    assert {each["rule"] for each in facts.json["verdicts"]} >= {"AC001", "AC002", "OWN001"}


def test_an_issue_that_does_not_exist_is_refused(backlint: CommandLine) -> None:
    found = backlint("explain", "DEMO-9", "--input", write_lines(a_row("1")))

    assert (found.code, found.out) == (2, "")
    assert "there is no issue 'DEMO-9'" in found.err


# -- a store -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def linear() -> Iterator[Sandbox]:
    with ExitStack() as stack:
        yield start(stack, "linear", size=30, seed=3, now=datetime.now(UTC))


@pytest.fixture
def configured(backlint: CommandLine, linear: Sandbox, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A folder with a configuration for the sandbox, not yet pulled."""
    monkeypatch.setenv("LINEAR_API_KEY", TOKEN)
    Path("backlint.toml").write_text(
        f'[[sources]]\nname = "demo"\ntracker = "linear"\nurl = "{linear.url}"\nscope = ["*"]\n'
        'token_env = "LINEAR_API_KEY"\n[write_back]\nquiet_hours = "off"\nfirst_run = "write"\nsettle_minutes = 0\n'
        'abort_share = 1.0\n[check]\nenable = ["OUT002", "REV001", "OUT009"]\nnear = "all"\n',
        encoding="utf-8",
    )
    return backlint


def test_pull_check_and_export_work_on_the_store(configured: CommandLine, linear: Sandbox) -> None:
    issues = len(linear.world.issues)

    pulled = configured("pull", "--format", "json")
    checked = configured("check", "--format", "json", "--limit", "1", "--fail-on", "info")
    exported = configured("export", "issues")
    again = configured("pull")

    assert (pulled.code, checked.code) == (0, 1)
    assert [(each["source"], each["issues"]) for each in pulled.json["sources"]] == [("demo", issues)]
    assert checked.json["checked"] == issues
    assert len({json.loads(line)["id"] for line in exported.out.splitlines()}) == issues
    assert again.out.startswith("demo: 0 issues read") or " 0 changed" in again.out
    assert Path("backlint.db").is_file()


def test_the_baseline_is_silent_and_can_be_listed(configured: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKLINT_WRITE_BACK__FIRST_RUN", "baseline")
    configured("pull")

    silent, listed = configured("check", "--limit", "0"), configured("check", "--limit", "0", "--baseline")
    facts = configured("check", "--format", "json").json["findings"]

    assert silent.code == listed.code == 0
    assert len(silent.out.splitlines()) == 1
    assert "`backlint check --baseline` lists it" in silent.err
    assert listed.out.count(" baseline") - 1 == len(facts) == sum(finding["baselined"] for finding in facts) > 0


def test_an_export_is_input_again(configured: CommandLine) -> None:
    configured("pull")
    written = configured("export", "issues", "--output", "issues.jsonl")

    of_store = configured("check", "--format", "json").json
    of_file = configured("check", "--input", "issues.jsonl", "--format", "json").json

    assert written.out == ""
    assert re.search(r"^[\d,]+ issues in issues\.jsonl", written.err)
    assert of_file["checked"] == of_store["checked"]


@pytest.mark.parametrize("what", ["issues", "transitions", "findings"])
def test_exports_can_be_tables(configured: CommandLine, what: str) -> None:
    configured("pull")

    found = configured("export", what, "--format", "csv")

    assert found.code == 0
    assert len(found.out.splitlines()) > 1
    assert found.out.startswith("source,")


def test_a_changed_mapping_is_said_by_check_and_applied_by_remap(configured: CommandLine) -> None:
    stored = configured("pull", "--format", "json").json["sources"][0]["issues"]
    with Path("backlint.toml").open("a", encoding="utf-8") as file:
        file.write('[[sources]]\nname = "other"\ntracker = "linear"\nscope = ["*"]\n')
    text = Path("backlint.toml").read_text(encoding="utf-8")
    Path("backlint.toml").write_text(text.replace("[write_back]", '[sources.types]\nbug = "incident"\n[write_back]'))

    assert "backlint remap" in configured("check", "--rule", "OWN001").err
    done = configured("remap", "--source", "demo", "--format", "json")
    assert (done.code, done.json["sources"][0]["issues"]) == (0, stored)
    assert done.json["sources"][0]["changed"] > 0
    assert "backlint remap" not in configured("check", "--rule", "OWN001").err
    assert "the store does not say" in configured("remap", "--source", "other").err


def test_a_scope_of_the_store_is_a_source_or_a_team(configured: CommandLine, linear: Sandbox) -> None:
    configured("pull")
    team = next(iter(linear.world.projects))

    whole = configured("check", "--scope", "demo", "--format", "json").json["checked"]
    part = configured("check", "--scope", team.lower(), "--format", "json").json["checked"]
    wrong = configured("check", "--scope", "QQQ")

    assert 0 < part < whole
    assert (wrong.code, wrong.out) == (2, "")
    assert "nothing belongs to 'QQQ'; there is" in wrong.err


def test_explain_finds_an_issue_of_the_store(configured: CommandLine, linear: Sandbox) -> None:
    configured("pull")
    issue = next(iter(linear.world.issues.values()))

    assert configured("explain", issue.key).out.startswith(f"{issue.key}  ")


def test_a_plan_writes_nothing_and_says_so_while_write_back_is_off(configured: CommandLine, linear: Sandbox) -> None:
    configured("pull")
    before = linear.faults.seen()["writes"]

    text, facts = configured("plan"), configured("plan", "--format", "json")

    assert text.out == "Write-back is off: set write_back.mode to labels or labels+comment in the configuration.\n"
    assert facts.json["changes"] == []
    assert linear.faults.seen()["writes"] == before


def test_a_plan_is_agreed_to_carried_out_and_taken_back(
    configured: CommandLine, linear: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKLINT_WRITE_BACK__MODE", "labels")
    configured("pull")

    planned = configured("plan", "--format", "json").json["changes"]
    nobody = configured("apply")
    applied = configured("apply", "--yes", "--format", "json").json
    again = configured("apply", "--yes", "--format", "json").json
    log = [json.loads(line) for line in configured("export", "writes").out.splitlines()]
    undone = configured("undo", applied["run"], "--format", "json").json
    table = configured("export", "writes", "--format", "csv").out.splitlines()

    assert planned
    assert nobody.code == 2
    assert "nobody is there to agree: look at `backlint plan`, then run `backlint apply --yes`" in nobody.err
    assert len(applied["applied"]) == len(planned)
    assert again["applied"] == []
    facts = {(each["key"], each["kind"], each["label"], *each["because"]) for each in log}
    assert facts == {(each["issue"], each["kind"], each["label"], *each["because"]) for each in planned}
    assert {(each["state"], each["run"]) for each in log} == {("confirmed", applied["run"])}
    assert all(each["wanted_at"] <= each["sent_at"] <= each["settled_at"] for each in log)
    assert (len(table), all("undone" in line for line in table[1:])) == (len(planned) + 1, True)
    assert len(undone["undone"]) == len(planned)
    assert not any(label.startswith("hygiene:") for issue in linear.world.issues.values() for label in issue.labels)


def test_doctor_finds_nothing_wrong_with_a_good_configuration(configured: CommandLine) -> None:
    found = configured("doctor")

    assert found.code == 0, found.out
    assert "0 bad" in found.out.splitlines()[-1]


def test_doctor_says_that_there_is_no_file(backlint: CommandLine) -> None:
    found = backlint("doctor")

    assert found.code == 1
    assert "there is no backlint.toml; defaults and the environment hold: 0 sources" in found.out
    assert "run `backlint init`" in found.out


def test_the_schema_is_made_and_then_left_alone(backlint: CommandLine) -> None:
    first, second = backlint("db", "upgrade"), backlint("db", "upgrade")

    assert first.code == second.code == 0
    assert first.out.startswith("The store went from schema none to ")
    assert second.out.endswith("nothing to do.\n")


# -- a real process ----------------------------------------------------------------------------------------------------


def start_process(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "backlint.api.cli", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def test_a_reader_that_goes_away_is_no_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`backlint check | head` closes the pipe early; exit code 1 would say "findings"."""
    monkeypatch.chdir(tmp_path)
    file = write_lines(*(a_row(str(number)) for number in range(3000)))
    with start_process("check", "--input", file, "--rule", "AC001", "--limit", "0", "-q") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()

    assert process.returncode == 2
    assert said == ""


def test_text_leaves_as_utf8_whatever_the_locale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write_lines(a_row("1", title="Zahlung per Karte für 日本"))
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    with start_process("explain", "DEMO-1", "--input", file, env=environment) as process:
        out, err = process.communicate(timeout=60)

    assert process.returncode == 0, err
    assert "Zahlung per Karte für 日本" in out.decode("utf-8")


def test_colours_are_for_terminals_and_can_be_switched_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    file = write_lines(a_row("1"))

    def on_a_terminal(*more: str, **environment: str) -> bytes:
        ours, theirs = pty.openpty()
        names = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
        command = [sys.executable, "-m", "backlint.api.cli", "check", "--input", file, "--rule", "AC001", "-q", *more]
        process = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL,
                                   env={**names, "TERM": "xterm-256color", **environment})  # fmt: skip
        process.wait(60)
        os.close(theirs)
        printed = os.read(ours, 65536)
        os.close(ours)
        return printed

    assert b"\x1b[31merror" in on_a_terminal()
    assert b"\x1b[3" not in on_a_terminal("--no-color")
    assert b"\x1b[3" not in on_a_terminal(NO_COLOR="1")


CUSTOM_RULE = """
[[custom_rules]]
code = "DEMO001"
name = "short-title"
summary = "The title has fewer than a thousand characters."
question = "Could the title be longer?"
label = "needs-title"
fails_when = "issue.title.size() < 1000"
[[custom_rules.flagged]]
name = "a title"
issue = { title = "Export" }
[[custom_rules.passed]]
name = "no open issue has such a title"
issue = { title = "%s" }
"""


def test_a_rule_of_the_configuration_is_listed_tried_checked_explained_and_written_back(
    configured: CommandLine, linear: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BACKLINT_WRITE_BACK__MODE", "labels+comment")
    with Path("backlint.toml").open("a", encoding="utf-8") as file:
        file.write(CUSTOM_RULE % ("x" * 1000))
    configured("pull")

    tried = configured("rule", "--test")
    listed = configured("rule", "--format", "json").json["rules"]
    found = configured("check", "--rule", "DEMO001", "--format", "json").json["findings"]
    explained = configured("explain", found[0]["issue"]).out
    planned = configured("plan", "--format", "json").json
    report = configured("report", "audit", "--format", "md").out

    assert (tried.code, tried.out.count("right")) == (0, 2)
    assert [each["on"] for each in listed if each["code"] == "DEMO001"] == [True]
    assert {(each["rule"], each["name"]) for each in found} == {("DEMO001", "short-title")}
    assert "DEMO001  fail  warning  The title has fewer than a thousand characters." in explained
    written = json.dumps([*planned["changes"], *planned["held_back"]])
    assert "hygiene:needs-title" in written
    assert "Could the title be longer?" in written
    assert "DEMO001" in report
