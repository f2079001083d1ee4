"""What goes wrong outside the program: broken files, databases, trackers and settings. Each ends with one message."""

from __future__ import annotations

import json
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from backlint.connectors.sandbox.trackers import TOKEN, USER, Sandbox, start
from tests.api.conftest import CommandLine, Outcome

ROW = '{"id": "1", "key": "DEMO-1", "title": "Pay by card", "type": "story"}\n'


def assert_refused(found: Outcome, *said: str) -> None:
    """Exit code 2, nothing on standard output, one message without a traceback."""
    assert found.code == 2
    assert found.out == ""
    assert "Traceback" not in found.err
    for each in said:
        assert each in found.err


# -- files -------------------------------------------------------------------------------------------------------------


def test_a_file_that_is_missing_is_named(backlint: CommandLine) -> None:
    assert_refused(backlint("check", "--input", "nowhere.csv"), "backlint: there is no file nowhere.csv")


def test_a_folder_is_no_file(backlint: CommandLine) -> None:
    Path("folder").mkdir()

    assert_refused(backlint("check", "--input", "folder"), "there is no file folder")


@pytest.mark.parametrize("content", [b"", b"\n\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_no_clean_backlog(backlint: CommandLine, content: bytes) -> None:
    Path("empty.jsonl").write_bytes(content)

    assert_refused(backlint("check", "--input", "empty.jsonl"), "empty.jsonl is empty")


def test_a_file_of_nothing_but_broken_rows_is_no_clean_backlog(backlint: CommandLine) -> None:
    Path("broken.jsonl").write_text('{"id": 1\n{"title"\n', encoding="utf-8")

    assert_refused(backlint("check", "--input", "broken.jsonl"), "line 1", "line 2", "not one issue could be read")


def test_a_broken_row_is_named_by_its_line_and_the_others_count(backlint: CommandLine) -> None:
    Path("some.jsonl").write_text(ROW + '{"id": "2", "title": "x", "due_on": "someday"}\n[1]\n', encoding="utf-8")

    found = backlint("check", "--input", "some.jsonl", "--format", "json")

    assert found.code == 0
    assert found.json["checked"] == 1
    assert "line 2, due_on" in found.err
    assert "line 3" in found.err


def test_many_broken_rows_are_counted_not_listed(backlint: CommandLine) -> None:
    Path("many.jsonl").write_text(ROW + '{"id": 1\n' * 1000, encoding="utf-8")

    said = backlint("check", "--input", "many.jsonl").err

    assert len(said.splitlines()) < 20
    assert "... and 990 more rows that cannot be read" in said


def test_a_file_that_was_cut_off_counts_up_to_there(backlint: CommandLine) -> None:
    Path("cut.json").write_text(
        '[{"number": 1, "title": "a", "state": "OPEN", "url": "https://github.com/a/b/issues/1"},\n {"number": 2, "ti',
        encoding="utf-8",
    )

    found = backlint("check", "--input", "cut.json", "--format", "json")

    assert found.json["checked"] == 1
    assert "line 2" in found.err
    assert "the file ends inside" in found.err


def test_a_file_in_another_encoding_is_read_or_refused_but_never_guessed(backlint: CommandLine) -> None:
    """Latin letters in a file that is not UTF-8."""
    Path("latin.jsonl").write_bytes('{"id": "1", "title": "Zahlung für Zürich"}\n'.encode("latin-1"))

    found = backlint("check", "--input", "latin.jsonl")

    assert_refused(found, "latin.jsonl", "UTF-8")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("letter.txt", "Dear team,\nplease find attached nothing.\n"),
        ("page.html", "<!doctype html><html></html>"),
        ("people.csv", "name,age\nMia,41\n"),
        ("other.json", '{"people": []}'),
    ],
)
def test_a_file_that_is_no_export_is_refused_with_what_it_holds(backlint: CommandLine, name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")

    assert_refused(backlint("check", "--input", name), f"{name} is none of backlint JSON Lines, Jira CSV export")


def test_binary_rubbish_is_refused(backlint: CommandLine) -> None:
    Path("picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20)

    assert_refused(backlint("check", "--input", "picture.png"), "picture.png")


def test_titles_are_printed_as_they_are_and_never_as_markup(backlint: CommandLine) -> None:
    row = {"id": "1", "key": "[red]X-1[/red]", "title": "[bold]not[/nothing] bold [link=x]", "type": "story"}
    Path("markup.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")

    assert "[red]X-1[/red]" in backlint("check", "--input", "markup.jsonl").out
    assert "[bold]not[/nothing] bold [link=x]" in backlint("explain", "1", "--input", "markup.jsonl").out


def test_a_lone_surrogate_in_a_title_is_no_crash(backlint: CommandLine) -> None:
    Path("odd.jsonl").write_text(ROW + '{"id": "2", "title": "half \\ud83d"}\n', encoding="utf-8")

    found = backlint("check", "--input", "odd.jsonl", "--format", "json")

    assert found.code == 0
    assert found.json["checked"] >= 1


@pytest.mark.parametrize("command", ["check", "export", "explain DEMO-1"])
def test_a_store_that_nothing_was_read_into_is_not_called_clean(backlint: CommandLine, command: str) -> None:
    assert_refused(backlint(*command.split()), "nothing is stored yet: `backlint pull` reads the trackers")


def test_an_export_that_cannot_be_written_is_named(demo: CommandLine) -> None:
    demo("pull")

    assert_refused(demo("export", "--output", "no/such/folder.jsonl"), "cannot write no/such/folder.jsonl")
    assert_refused(demo("export", "--format", "xml"), "--format 'xml': use jsonl, csv, parquet")
    assert_refused(demo("export", "everything"), "cannot export 'everything': use issues, transitions, findings")


def test_a_severity_that_does_not_exist_is_refused(backlint: CommandLine) -> None:
    Path("a.jsonl").write_text(ROW, encoding="utf-8")

    assert_refused(
        backlint("check", "--input", "a.jsonl", "--fail-on", "warn"), "--fail-on 'warn': use info, warning, error"
    )


# -- the configuration -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["pull", "check", "plan", "apply", "export", "audit", "db upgrade", "rule"])
def test_an_unknown_key_stops_every_command_with_the_right_one(backlint: CommandLine, command: str) -> None:
    Path("backlint.toml").write_text('[write_back]\nmdoe = "labels"\n', encoding="utf-8")

    assert_refused(
        backlint(*command.split()), "backlint: backlint.toml: unknown key 'write_back.mdoe'; did you mean 'mode'?"
    )


def test_a_configuration_that_is_named_and_missing_is_refused(backlint: CommandLine) -> None:
    assert_refused(backlint("pull", "--config", "other.toml"), "there is no configuration file other.toml")


def test_an_unknown_rule_in_the_configuration_is_refused_with_the_near_one(backlint: CommandLine) -> None:
    Path("a.jsonl").write_text(ROW, encoding="utf-8")
    for text in ("[rules.AC01]\ntypes = []\n", '[check]\ndisable = ["AC01"]\n'):
        Path("backlint.toml").write_text(text, encoding="utf-8")
        assert_refused(backlint("check", "--input", "a.jsonl"), "did you mean AC001")


def test_an_unknown_option_of_a_rule_is_refused(backlint: CommandLine) -> None:
    Path("a.jsonl").write_text(ROW, encoding="utf-8")
    Path("backlint.toml").write_text("[rules.AC001]\ntype = ['bug']\n", encoding="utf-8")

    assert_refused(backlint("check", "--input", "a.jsonl"), "AC001", "type", "types")


def test_without_a_source_there_is_nothing_to_pull(backlint: CommandLine) -> None:
    assert_refused(backlint("pull"), "no source is configured: run `backlint init`")


# -- the database ------------------------------------------------------------------------------------------------------


def test_a_database_of_a_newer_program_is_left_alone(backlint: CommandLine) -> None:
    backlint("db", "upgrade")
    with closing(sqlite3.connect("backlint.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()

    for command in (("check",), ("db", "upgrade")):
        assert_refused(backlint(*command), "schema 9999", "it was used by a newer backlint")


def test_a_database_without_a_revision_is_not_taken_over(backlint: CommandLine) -> None:
    with closing(sqlite3.connect("backlint.db")) as connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
        connection.commit()

    assert_refused(backlint("check"), "the database is at schema none", "backlint db upgrade")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("sqlite:///no/such/folder/backlint.db", "there is no folder"),
        ("sqlite:///.", "the database cannot be opened"),
        ("backlint.db", "store.url is no database URL"),
        ("mysql://root@localhost/x", "store.url: mysql is not supported"),
        ("postgresql+psycopg://nobody:geheim@127.0.0.1:9/x", "the database cannot be opened"),
    ],
)
def test_a_store_that_cannot_be_used_is_named_without_its_password(
    backlint: CommandLine, monkeypatch: pytest.MonkeyPatch, url: str, said: str
) -> None:
    monkeypatch.setenv("BACKLINT_STORE__URL", url)

    found = backlint("check")

    assert_refused(found, said)
    assert "geheim" not in found.err


def test_a_file_that_is_no_database_is_refused_untouched(backlint: CommandLine) -> None:
    Path("backlint.db").write_bytes(b"these are my notes, not a database" * 100)
    before = Path("backlint.db").read_bytes()

    assert_refused(backlint("check"), "the file is no backlint database")
    assert Path("backlint.db").read_bytes() == before


# -- the trackers ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trackers() -> Iterator[dict[str, Sandbox]]:
    with ExitStack() as stack:
        yield {
            name: start(stack, name, size=30, seed=3, now=datetime.now(UTC)) for name in ("jira", "linear", "github")
        }


def configure(tracker: str, url: str, scope: str) -> None:
    user = f'user = "{USER}"\n' if tracker == "jira" else ""
    Path("backlint.toml").write_text(
        f'[[sources]]\nname = "demo"\ntracker = "{tracker}"\nurl = "{url}"\nscope = ["{scope}"]\n'
        f'{user}token_env = "DEMO_TOKEN"\n',
        encoding="utf-8",
    )


@pytest.fixture
def demo(backlint: CommandLine, trackers: dict[str, Sandbox], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    monkeypatch.setenv("DEMO_TOKEN", TOKEN)
    configure("linear", trackers["linear"].url, "*")
    return backlint


def test_a_token_variable_that_is_not_set_is_named(demo: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DEMO_TOKEN")

    assert_refused(demo("pull"), "token of source 'demo': the environment variable DEMO_TOKEN is not set")


@pytest.mark.parametrize("tracker", ["jira", "linear", "github"])
def test_a_refused_token_ends_with_2_and_the_remedy(
    demo: CommandLine, trackers: dict[str, Sandbox], monkeypatch: pytest.MonkeyPatch, tracker: str
) -> None:
    monkeypatch.setenv("DEMO_TOKEN", "wrong-and-secret")
    configure(tracker, trackers[tracker].url, next(iter(trackers[tracker].world.projects)))

    pulled, examined = demo("pull"), demo("doctor")

    assert pulled.code == 2
    assert "refused the token (401)" in pulled.err
    assert "make a new one" in pulled.err
    assert examined.code == 1
    assert "bad   demo: token" in examined.out
    assert "wrong-and-secret" not in pulled.out + pulled.err + examined.out + examined.err


@pytest.mark.parametrize(
    ("tracker", "scope", "near"),
    [("jira", "PYA", "PAY"), ("linear", "BILL", "BIL"), ("github", "sandbox-org/chekout", "sandbox-org/checkout")],
)
def test_a_scope_that_does_not_exist_ends_with_2_and_the_near_one(
    demo: CommandLine, trackers: dict[str, Sandbox], tracker: str, scope: str, near: str
) -> None:
    configure(tracker, trackers[tracker].url, scope)

    found = demo("pull")

    assert found.code == 2
    assert scope in found.err
    assert near in found.err.replace(scope, "")


def test_a_source_that_does_not_exist_is_refused(demo: CommandLine) -> None:
    assert_refused(demo("pull", "--source", "demi"), "no source is named 'demi'; did you mean 'demo'?")


def test_a_run_that_does_not_exist_is_refused(demo: CommandLine) -> None:
    assert_refused(demo("undo", "apply-00000000"), "no write belongs to run 'apply-00000000'")


def test_a_pull_that_fails_keeps_what_was_stored_and_says_that_it_is_not_complete(
    demo: CommandLine, trackers: dict[str, Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    demo("pull")
    monkeypatch.setenv("DEMO_TOKEN", "wrong-and-secret")

    text, facts = demo("pull"), demo("pull", "--format", "json")

    assert (text.code, facts.code) == (2, 2)
    assert "  not complete: demo: " in text.err
    assert [source["complete"] for source in facts.json["sources"]] == [False]
    assert len(demo("export").out.splitlines()) == len(trackers["linear"].world.issues)


def test_a_tracker_that_does_not_answer_is_named_by_its_host(demo: CommandLine) -> None:
    """In processes of their own, two at once: each waits about 15 seconds between its five attempts."""
    demo("db", "upgrade")
    with closing(socket.socket()) as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        configure("linear", f"http://{address}/graphql", "ENG")
        commands = [
            subprocess.Popen(
                [sys.executable, "-m", "backlint.api.cli", command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True,
            )
            for command in ("pull", "doctor")
        ]  # fmt: skip
        (_, pull_said), (doctor_said, _) = (command.communicate(timeout=120) for command in commands)

    assert [command.returncode for command in commands] == [2, 1]
    assert f"demo: cannot connect ({address})" in pull_said
    assert f"demo: cannot connect ({address})" in doctor_said
    assert "Traceback" not in pull_said + doctor_said
