"""`backlint init`: what is asked, what is written, what is refused, and that no token ever reaches the file."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from backlint.api.commands.init import Answers, run
from backlint.api.configuration import (
    SourceChoice,
    StatusChoice,
    agreed,
    new_file,
    proposed_fields,
    proposed_statuses,
)
from backlint.api.console import Console
from backlint.api.questions import Check, Nobody, is_url, is_variable, tidy_url
from backlint.connectors.sandbox.trackers import TOKEN, USER, Sandbox, start
from backlint.errors import ConfigurationError, NotFound, TokenRefused, TrackerDown
from backlint.model import StatusCategory, Tracker
from backlint.settings import load
from backlint.status import StatusFact

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
VARIABLES = {"jira": "JIRA_TOKEN", "linear": "LINEAR_API_KEY", "github": "GITHUB_TOKEN"}
CATEGORIES = StatusCategory


@pytest.fixture(scope="module")
def sandboxes() -> Iterator[dict[str, Sandbox]]:
    with ExitStack() as stack:
        yield {name: start(stack, name, size=30, seed=3, now=NOW) for name in VARIABLES}


@pytest.fixture(autouse=True)
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working directory, and an environment with the three tokens."""
    for name in [name for name in os.environ if name.upper().startswith("BACKLINT_")]:
        monkeypatch.delenv(name)
    for variable in VARIABLES.values():
        monkeypatch.setenv(variable, TOKEN)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass
class Script:
    """A person who answers as written down; what is asked beyond that is a mistake of the program."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    confirms: list[bool] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def text(self, question: str, *, option: str, default: str | None, check: Check) -> str:
        self.asked.append(option)
        for answer in self.texts.get(option, [] if default is None else [default]):
            if not check(answer):
                return answer
        raise AssertionError(f"nothing fits for {option}: {question}")

    def confirm(self, question: str) -> bool:
        self.asked.append(question)
        return self.confirms.pop(0)


def init(given: Answers, *, by: Any = None, **options: Any) -> dict[str, Any]:
    """Run it and give what was written."""
    asked = {"config": None, "force": False, "questions": by or Nobody(), **options}
    run(Console.make(no_color=True), given=given, **asked)
    return tomllib.loads((asked["config"] or Path("backlint.toml")).read_text(encoding="utf-8"))


def jira(sandboxes: dict[str, Sandbox], **more: Any) -> Answers:
    return Answers(**{"tracker": "jira", "url": sandboxes["jira"].url, "user": USER, "scope": ("PAY",), **more})


# -- each tracker ------------------------------------------------------------------------------------------------------


def test_jira_projects_are_found_by_key_and_by_name(sandboxes: dict[str, Sandbox]) -> None:
    written = init(jira(sandboxes, scope=("pay", "Warehouse")))

    (source,) = written["sources"]
    assert source["scope"] == ["PAY", "WMS"]
    assert (source["tracker"], source["user"], source["token_env"]) == ("jira", USER, "JIRA_TOKEN")


def test_linear_teams_are_read_all_with_a_star(sandboxes: dict[str, Sandbox]) -> None:
    written = init(Answers(tracker="linear", url=sandboxes["linear"].url, scope=("*",)))

    assert written["sources"][0]["scope"] == ["*"]


def test_github_repositories_of_an_owner(sandboxes: dict[str, Sandbox]) -> None:
    written = init(Answers(tracker="github", url=sandboxes["github"].url, scope=("sandbox-org/*",)))

    assert written["sources"][0]["scope"] == ["sandbox-org/*"]


@pytest.mark.parametrize("tracker", ["jira", "linear", "github"])
def test_the_token_is_never_written_nor_printed(
    sandboxes: dict[str, Sandbox], tracker: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scope = next(iter(sandboxes[tracker].world.projects))
    init(Answers(tracker=tracker, url=sandboxes[tracker].url, user=USER, scope=(scope,)))

    printed = capsys.readouterr()
    assert TOKEN not in Path("backlint.toml").read_text(encoding="utf-8") + printed.out + printed.err


def test_what_was_written_is_a_configuration(sandboxes: dict[str, Sandbox]) -> None:
    init(jira(sandboxes), by=Script(confirms=[True, True]))

    settings = load(Path("backlint.toml"))
    assert settings.source("jira").base_url == sandboxes["jira"].url
    assert settings.write_back.mode == "off"


# -- statuses and fields -----------------------------------------------------------------------------------------------


def test_proposed_statuses_and_fields_are_written_once_a_person_agrees(sandboxes: dict[str, Sandbox]) -> None:
    (source,) = init(jira(sandboxes), by=Script(confirms=[True, True]))["sources"]

    assert source["statuses"] == {"10001": "todo", "10002": "waiting"}
    assert source["fields"]["acceptance_criteria"].startswith("customfield_")


def test_nothing_is_agreed_to_where_nobody_is_asked(sandboxes: dict[str, Sandbox]) -> None:
    (source,) = init(jira(sandboxes))["sources"]
    text = Path("backlint.toml").read_text(encoding="utf-8")

    assert source["statuses"] == {}
    assert source["fields"] == {}
    assert '# "10002" = "waiting"  # In Review: is active otherwise\n' in text
    assert "# acceptance_criteria = " in text


def test_statuses_can_be_agreed_to_one_by_one(sandboxes: dict[str, Sandbox]) -> None:
    # Not all of them; not "Selected for Development"; but "In Review"; and no fields.
    (source,) = init(jira(sandboxes), by=Script(confirms=[False, False, True, False]))["sources"]

    assert source["statuses"] == {"10002": "waiting"}
    assert source["fields"] == {}


def test_only_started_statuses_are_proposed_as_waiting() -> None:
    facts = [
        StatusFact("1", "In Review", CATEGORIES.ACTIVE),
        StatusFact("2", "Blocked", CATEGORIES.BACKLOG),
        StatusFact("3", "Ready for development", CATEGORIES.BACKLOG),
        StatusFact("4", "Tested", CATEGORIES.DONE),
        StatusFact("5", "QA", CATEGORIES.UNKNOWN),
        StatusFact("6", "Odd", CATEGORIES.UNKNOWN),
        StatusFact("7", "In Progress", CATEGORIES.ACTIVE),
    ]

    found = {choice.fact.id: choice.category for choice in proposed_statuses(facts)}

    assert found == {"1": CATEGORIES.WAITING, "3": CATEGORIES.TODO, "5": CATEGORIES.WAITING, "6": None}


def test_a_person_gives_statuses_without_a_category_one_or_decides_later() -> None:
    choice = SourceChoice(
        name="a",
        tracker=Tracker.LINEAR,
        scope=("ENG",),
        token_env="T",
        statuses=(
            StatusChoice(StatusFact("6", "Odd", CATEGORIES.UNKNOWN), CATEGORIES.ACTIVE, is_agreed=True),
            StatusChoice(StatusFact("7", "Later", CATEGORIES.UNKNOWN), None),
        ),
    )

    text = new_file(choice, timezone="UTC")

    assert tomllib.loads(text)["sources"][0]["statuses"] == {"6": "active"}
    assert '# "7" = "active"  # Later: has no category yet' in text


def test_fields_are_proposed_by_whole_names_and_a_role_has_one_field() -> None:
    choices = proposed_fields(
        [("c1", "Acceptance Criteria"), ("c2", "acceptance-criteria"), ("Target (number)", "Target (number)"),
         ("c3", "Targets hit"), ("c4", "Sprint"), ("c5", "Story Points")]
    )  # fmt: skip

    assert [(each.role, each.id) for each in choices] == [
        ("acceptance_criteria", "c1"),
        ("acceptance_criteria", "c2"),
        ("target", "Target (number)"),
    ]
    assert [each.is_agreed for each in agreed(choices)] == [True, False, True]


def test_names_that_mean_harm_stay_inside_their_comment_and_their_quotes() -> None:
    name = 'Review"\n[write_back]\nmode = "labels"\x00\u2028x'
    choice = SourceChoice(
        name="a",
        tracker=Tracker.LINEAR,
        scope=('quote"\\and\x7f',),
        token_env="T",
        statuses=(StatusChoice(StatusFact('1"]', name, CATEGORIES.ACTIVE), CATEGORIES.WAITING),),
    )

    written = tomllib.loads(new_file(choice, timezone="UTC"))

    assert written["write_back"] == {"mode": "off"}
    assert written["sources"][0]["scope"] == ['quote"\\and\x7f']


# -- asking ------------------------------------------------------------------------------------------------------------


def test_a_person_is_asked_for_what_is_missing_and_again_while_it_is_wrong(
    sandboxes: dict[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(
        texts={
            "--tracker": ["trello", "jira"],
            "--url": ["", sandboxes["jira"].url],
            "--user": [USER],
            "--name": ["Acme Inc", "acme"],
            "--scope": ["NOPE", "PAY, SHOP"],
            "timezone": ["Berlin", "Europe/Berlin"],
        },
        confirms=[True, True],
    )

    written = init(Answers(), by=script)

    assert written["timezone"] == "Europe/Berlin"
    assert (written["sources"][0]["name"], written["sources"][0]["scope"]) == ("acme", ["PAY", "SHOP"])
    assert "PAY  Payments" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_a_terminal_is_asked_at_and_an_end_of_input_writes_nothing(sandboxes: dict[str, Sandbox]) -> None:
    given = ["--tracker", "linear", "--url", sandboxes["linear"].url, "--name", "demo"]

    talk, code = at_a_terminal(given, ["LINEAR_API_KEY", "BILL", "BIL", "y", "UTC"])
    stopped, stop_code = at_a_terminal([*given, "--config", "other.toml"], ["LINEAR_API_KEY", "\x04"])

    assert code == 0, talk
    assert "there is no 'BILL'" in talk
    assert load().source("demo").statuses
    assert (stop_code, Path("other.toml").exists()) == (2, False)
    assert "stopped; nothing was written" in stopped


def at_a_terminal(given: list[str], answers: list[str]) -> tuple[str, int]:
    """What stands on the screen, and the exit code; each answer is typed when a question waits for it."""
    import pty

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "backlint.api.cli", "init", *given], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    screen = b""
    left = [*answers]
    while True:
        try:
            screen += os.read(ours, 4096)
        except OSError:  # how Linux says that nobody is at the other end any more
            break
        if left and screen.endswith(b": "):
            answer = left.pop(0)
            os.write(ours, answer.encode() if answer == "\x04" else f"{answer}\n".encode())
    os.close(ours)
    return screen.decode(), process.wait(30)


def test_what_the_command_line_says_is_not_asked_again(sandboxes: dict[str, Sandbox]) -> None:
    script = Script(confirms=[True, True])
    init(jira(sandboxes, name="acme", token_env="JIRA_TOKEN"), by=script)

    assert [each for each in script.asked if each.startswith("--")] == []


def test_the_command_that_comes_next_is_named_with_the_file(
    sandboxes: dict[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    init(jira(sandboxes), config=Path("acme.toml"))

    printed = capsys.readouterr()
    assert printed.out == "acme.toml written: jira reads PAY.\n"
    assert "`backlint doctor --config acme.toml`" in printed.err
    assert "24 proposals not agreed to" in printed.err


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "option"),
    [
        (Answers(), "--tracker"),
        (Answers(tracker="jira"), "--url"),
        (Answers(tracker="jira", url="https://acme.atlassian.net"), "--user"),
        (Answers(tracker="github"), "--scope"),
    ],
)
def test_without_a_terminal_a_missing_answer_is_named_by_its_option(given: Answers, option: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{option} is missing, and there is no terminal to ask at"):
        init(given)
    assert list(Path().iterdir()) == []


def test_a_missing_scope_comes_after_the_list_of_those_there_are(
    sandboxes: dict[str, Sandbox], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConfigurationError, match="--scope is missing"):
        init(jira(sandboxes, scope=()))
    assert "SHOP  Storefront" in capsys.readouterr().err


@pytest.mark.parametrize("tracker", ["jira", "linear", "github"])
def test_a_token_variable_that_is_not_set_is_named_with_the_place_where_tokens_are_made(
    sandboxes: dict[str, Sandbox], tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLES[tracker])

    with pytest.raises(ConfigurationError, match=f"{VARIABLES[tracker]} is not set(?s:.*)A token is made here"):
        init(Answers(tracker=tracker, url=sandboxes[tracker].url, user=USER, scope=("PAY",)))


@pytest.mark.parametrize("tracker", ["jira", "linear", "github"])
def test_a_refused_token_writes_nothing(
    sandboxes: dict[str, Sandbox], tracker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLES[tracker], "wrong-token")

    with pytest.raises(TokenRefused) as caught:
        init(Answers(tracker=tracker, url=sandboxes[tracker].url, user=USER, scope=("sandbox-org/checkout",)))
    assert "wrong-token" not in str(caught.value)
    assert list(Path().iterdir()) == []


def test_an_unknown_project_is_refused_with_the_near_ones(sandboxes: dict[str, Sandbox]) -> None:
    with pytest.raises(ConfigurationError, match=r"--scope: there is no 'SHPO', .*there is SHOP$"):
        init(jira(sandboxes, scope=("SHPO",)))
    with pytest.raises(ConfigurationError, match=r"there is no 'QX\*'"):
        init(jira(sandboxes, scope=("QX*",)))


def test_an_unknown_repository_is_refused_with_the_near_ones(sandboxes: dict[str, Sandbox]) -> None:
    with pytest.raises(NotFound, match="there is sandbox-org/checkout"):
        init(Answers(tracker="github", url=sandboxes["github"].url, scope=("sandbox-org/chekout",)))


def test_a_tracker_that_does_not_answer_is_named_by_its_host() -> None:
    with pytest.raises(TrackerDown, match=r"cannot connect \(127\.0\.0\.1:9\)"):
        init(Answers(tracker="linear", url="http://127.0.0.1:9/graphql", scope=("ENG",)), sleep=lambda seconds: None)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tracker": "trello"}, "--tracker: 'trello' is none of them: jira, linear, github"),
        ({"tracker": "liner"}, "--tracker: 'liner' is none of them; did you mean 'linear'?"),
        ({"url": "ftp://x"}, "--url: 'ftp://x' is no address"),
        ({"name": "Acme Inc"}, "--name: use 1 to 40 small letters"),
        ({"token_env": "MY TOKEN"}, "--token-env: this is not the name of a variable"),
    ],
)
def test_a_wrong_option_is_refused_before_the_tracker_is_asked(given: dict[str, str], said: str) -> None:
    everything = {"tracker": "linear", "url": "http://127.0.0.1:9/graphql", "scope": ("ENG",), **given}

    with pytest.raises(ConfigurationError) as caught:
        init(Answers(**everything))
    assert said in str(caught.value)


@pytest.mark.parametrize("token", ["ghp_4711abc", "lin_api_4711abc", "ATATT4711abc", "github_pat_4711abc"])
def test_a_token_given_as_the_name_of_a_variable_is_not_repeated(token: str) -> None:
    problem = is_variable(token)

    assert "put the token into a variable" in problem
    assert "4711" not in problem


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    problem = is_url("https://me:geheim@acme.atlassian.net")

    assert problem == "leave the user and the password out of the address"


@pytest.mark.parametrize(
    ("pasted", "meant"),
    [
        ("acme.atlassian.net", "https://acme.atlassian.net"),
        ("https://acme.atlassian.net/jira/software/projects/PAY/boards/1", "https://acme.atlassian.net"),
        ("https://example.com/jira/", "https://example.com/jira"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
    ],
)
def test_addresses_are_taken_as_people_paste_them(pasted: str, meant: str) -> None:
    assert tidy_url(pasted) == meant


def test_an_unclosed_bracket_is_no_address() -> None:
    assert "is no address" in is_url("http://[::1")


# -- a file that is there already --------------------------------------------------------------------------------------


def test_an_existing_file_is_refused_untouched(sandboxes: dict[str, Sandbox]) -> None:
    Path("backlint.toml").write_text("# mine\n", encoding="utf-8")

    with pytest.raises(
        ConfigurationError, match=r"backlint\.toml exists: --add puts a further source into it, --force"
    ):
        init(jira(sandboxes))
    assert Path("backlint.toml").read_text(encoding="utf-8") == "# mine\n"


def test_force_replaces_the_file(sandboxes: dict[str, Sandbox]) -> None:
    Path("backlint.toml").write_text("# mine\n", encoding="utf-8")

    assert [source["name"] for source in init(jira(sandboxes), force=True)["sources"]] == ["jira"]


def test_a_further_source_is_put_behind_what_is_there(sandboxes: dict[str, Sandbox]) -> None:
    init(jira(sandboxes), by=Script(confirms=[True, True]))
    before = Path("backlint.toml").read_text(encoding="utf-8")

    written = init(Answers(tracker="linear", url=sandboxes["linear"].url, scope=("BIL",)), add=True)

    assert Path("backlint.toml").read_text(encoding="utf-8").startswith(before)
    assert [source["name"] for source in written["sources"]] == ["jira", "linear"]
    assert written["sources"][0]["statuses"] == {"10001": "todo", "10002": "waiting"}
    assert load().source("linear").scope == ("BIL",)


def test_a_second_source_of_a_kind_gets_a_name_of_its_own(sandboxes: dict[str, Sandbox]) -> None:
    init(jira(sandboxes))
    written = init(jira(sandboxes, scope=("WMS",)), add=True)

    assert [source["name"] for source in written["sources"]] == ["jira", "jira-2"]
    with pytest.raises(ConfigurationError, match="a source is named 'jira' already"):
        init(jira(sandboxes, name="jira"), add=True)


def test_adding_to_a_file_that_is_missing_or_broken_says_so(sandboxes: dict[str, Sandbox]) -> None:
    with pytest.raises(ConfigurationError, match="no configuration file"):
        init(jira(sandboxes), add=True)
    Path("backlint.toml").write_text("timezon = 1", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="unknown key 'timezon'"):
        init(jira(sandboxes), add=True)


def test_a_file_that_a_source_cannot_be_added_to_stays_as_it_was(sandboxes: dict[str, Sandbox]) -> None:
    """A list written in one line cannot be continued by a [[sources]] table."""
    before = 'sources = [{name = "a", tracker = "linear", scope = ["ENG"]}]\n'
    Path("backlint.toml").write_text(before, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="no valid TOML"):
        init(jira(sandboxes), add=True)
    assert Path("backlint.toml").read_text(encoding="utf-8") == before
    assert [path.name for path in Path().iterdir()] == ["backlint.toml"]


def test_a_folder_that_does_not_exist_is_named(sandboxes: dict[str, Sandbox]) -> None:
    with pytest.raises(ConfigurationError, match=r"there is no folder .*nowhere"):
        init(jira(sandboxes), config=Path("nowhere/backlint.toml"))


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("Abnahmekriterien", "acceptance_criteria"),
        ("Review date", "review_on"),
        ("Expected Behaviour", "expected"),
        ("Steps to reproduce", "steps"),
        ("RICE score", "score"),
        ("Effort (person-weeks)", "effort"),
        ("Sprint", None),  # connectors find it by its kind
        ("Resulting mood", None),
    ],
)
def test_fields_are_proposed_by_the_names_they_usually_have(name: str, role: str | None) -> None:
    assert [each.role for each in proposed_fields([("customfield_1", name)])] == ([role] if role else [])
