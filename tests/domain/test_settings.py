"""The configuration: what is refused and how it is said, what wins over what, and that no secret is ever repeated."""

from __future__ import annotations

import os
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from backlint.errors import ConfigurationError
from backlint.model import StatusCategory, Tracker
from backlint.settings import SourceSettings, load, parse_hours, secret

LINEAR = '[[sources]]\nname = "a"\ntracker = "linear"\nscope = ["ENG"]\n'


@pytest.fixture(autouse=True)
def _only_this_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.upper().startswith("BACKLINT_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refusal(text: str) -> str:
    """What is said of a file with this content."""
    Path("backlint.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigurationError) as caught:
        load()
    return str(caught.value)


def test_without_a_file_the_careful_defaults_hold() -> None:
    settings = load()

    assert settings.store.url == "sqlite:///backlint.db"
    assert settings.sources == ()
    assert settings.write_back.mode == "off"
    assert settings.write_back.first_run == "baseline"
    assert settings.check.fail_on == "error"
    assert settings.zone == ZoneInfo("UTC")


def test_the_default_file_is_read_without_being_named() -> None:
    Path("backlint.toml").write_text('timezone = "Europe/Berlin"', encoding="utf-8")

    assert load().timezone == "Europe/Berlin"


def test_a_named_file_that_is_missing_is_refused_with_the_command_that_writes_one() -> None:
    with pytest.raises(ConfigurationError, match=r"no configuration file other\.toml: `backlint init` writes one"):
        load(Path("other.toml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('timezon = "UTC"', "unknown key 'timezon'; did you mean 'timezone'?"),
        ('[write_back]\nmod = "off"', "unknown key 'write_back.mod'; did you mean 'mode'?"),
        ('[check]\nprofil = "full"', "unknown key 'check.profil'; did you mean 'profile'?"),
        (LINEAR + 'tokenenv = "X"', "unknown key 'sources[0].tokenenv'; did you mean 'token_env'?"),
    ],
)
def test_an_unknown_key_is_refused_with_the_nearest_right_one_of_its_table(text: str, said: str) -> None:
    assert refusal(text) == f"backlint.toml: {said}"


def test_every_mistake_is_named_at_once() -> None:
    said = refusal('timezon = "UTC"\n[check]\nfail_on = "never"')

    assert "timezon" in said
    assert "check.fail_on" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('timezone = "Europe/Berln"', "did you mean 'Europe/Berlin'?"),
        ("timezone = 1", 'timezone: write a text: "..." (got 1)'),
        ('[write_back]\nmode = "on"', "write_back.mode: should be 'off', 'labels' or 'labels+comment' (got 'on')"),
        ("[write_back]\nabort_share = 2", "write_back.abort_share: should be less than or equal to 1 (got 2)"),
        ('[write_back]\nmax_labels = "many"', "write_back.max_labels: write a whole number (got 'many')"),
        ("[write_back]\nmax_comments = -1", "write_back.max_comments: should be greater than or equal to 0"),
        ('store = "x"', "store: write a table"),
        ("[rules]\nAC001 = 3", "rules.AC001: write a table"),
        ('[sources]\nname = "a"', "write [[sources]], with two brackets"),
        ('[[sources]]\ntracker = "linear"\nscope = ["ENG"]', "sources[0].name is missing"),
        (
            '[[sources]]\nname = "a"\ntracker = "trello"\nscope = ["X"]',
            "sources[0].tracker: should be 'jira', 'linear'",
        ),
        ('[[sources]]\nname = "a"\ntracker = "jira"\nscope = ["X"]', "source 'a' needs url"),
        ('[[sources]]\nname = "a"\ntracker = "linear"', "source 'a' needs scope"),
        ('[[sources]]\nname = "a"\ntracker = "linear"\nscope = "ENG"', "sources[0].scope: write a list"),
        ('[[sources]]\nname = "a"\ntracker = "file"\nscope = ["X"]', "`backlint check --input FILE` reads one"),
        (LINEAR.replace('"a"', '"Acme Inc"'), "a source name has 1 to 40 small letters"),
        (LINEAR + LINEAR, "two sources are named 'a'"),
        (LINEAR + '[sources.statuses]\n"1" = "wait"', "sources[0].statuses.1: should be 'triage', 'backlog'"),
        (LINEAR + '[sources.fields]\nacceptance = "x"', "did you mean 'acceptance_criteria'?"),
    ],
)
def test_a_wrong_value_is_named_with_its_key_and_what_would_be_right(text: str, said: str) -> None:
    assert said in refusal(text)


@pytest.mark.parametrize("hours", ["18-8", "24:00-08:00", "18:60-08:00", "18:00", "", "never", "18:00-08:00 "])
def test_quiet_hours_are_two_times_of_day_or_off(hours: str) -> None:
    assert 'write it as "18:00-08:00", or "off"' in refusal(f'[write_back]\nquiet_hours = "{hours}"')


def test_quiet_hours_may_cross_midnight_and_may_be_off() -> None:
    assert parse_hours("18:00-08:30") == (time(18), time(8, 30))
    assert load().write_back.quiet == (time(18), time(8))
    Path("backlint.toml").write_text('[write_back]\nquiet_hours = "off"', encoding="utf-8")
    assert load().write_back.quiet is None


@pytest.mark.parametrize("prefix", ["", " ", "my label:", "tab\\t"])
def test_a_label_prefix_is_never_empty_and_has_no_spaces(prefix: str) -> None:
    """An empty one would make every label ours."""
    assert "at least one character and no spaces" in refusal(f'[write_back]\nlabel_prefix = "{prefix}"')


def test_broken_toml_is_named_with_its_line() -> None:
    assert "backlint.toml is no valid TOML" in refusal('timezone = "UTC"\n[store\n')
    assert "line 2" in refusal('timezone = "UTC"\n[store\n')


def test_a_key_that_stands_twice_is_refused() -> None:
    assert "no valid TOML" in refusal('timezone = "UTC"\ntimezone = "UTC"')


def test_a_file_that_is_not_utf8_is_named_with_the_place() -> None:
    Path("latin.toml").write_bytes('timezone = "Zürich"'.encode("latin-1"))

    with pytest.raises(ConfigurationError, match=r"latin\.toml is not UTF-8 \(byte 13\)"):
        load(Path("latin.toml"))


# -- the environment ---------------------------------------------------------------------------------------------------


def test_the_environment_wins_key_by_key(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("backlint.toml").write_text('timezone = "UTC"\n[write_back]\nmode = "off"\nmax_comments = 3', encoding="utf-8")
    monkeypatch.setenv("BACKLINT_TIMEZONE", "Asia/Tokyo")
    monkeypatch.setenv("BACKLINT_WRITE_BACK__MODE", "labels")

    settings = load()

    assert settings.timezone == "Asia/Tokyo"
    assert (settings.write_back.mode, settings.write_back.max_comments) == ("labels", 3)


def test_sources_can_stand_in_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKLINT_SOURCES", '[{"name": "a", "tracker": "linear", "scope": ["ENG"]}]')

    assert load().source("a").scope == ("ENG",)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("BACKLINT_TIMEZON", "UTC", "unknown environment variable BACKLINT_TIMEZON; did you mean 'BACKLINT_TIMEZONE'?"),
        ("BACKLINT_WRITE_BACK__MODES", "labels", "BACKLINT_WRITE_BACK__MODES: unknown key 'write_back.modes'"),
        ("BACKLINT_WRITE_BACK__MODE", "on", "BACKLINT_WRITE_BACK__MODE: write_back.mode: should be 'off'"),
        ("BACKLINT_CHECK__DISABLE", "OWN001", "BACKLINT_CHECK__DISABLE: a list or a table is written as JSON"),
        ("BACKLINT_SOURCES", "acme", "BACKLINT_SOURCES: a list or a table is written as JSON"),
        ("BACKLINT_SOURCES", "{}", "BACKLINT_SOURCES: sources is a list of tables"),
    ],
)
def test_a_wrong_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    Path("backlint.toml").write_text('[write_back]\nmode = "off"', encoding="utf-8")
    monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError) as caught:
        load()

    assert said in str(caught.value)


def test_variables_of_the_tests_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BACKLINT_TEST_PG_URL", "postgresql://localhost/postgres")

    assert load().timezone == "UTC"


# -- secrets -----------------------------------------------------------------------------------------------------------


def test_a_token_in_the_file_is_refused_and_not_repeated() -> None:
    said = refusal(LINEAR + 'token = "lin_api_very_secret"')

    assert "unknown key 'sources[0].token'" in said
    assert "very_secret" not in said


@pytest.mark.parametrize("key", ["token_env", "token_file", "webhook_secret_env", "private_key_env", "url"])
def test_a_value_that_may_be_secret_is_not_repeated(key: str) -> None:
    assert "4711" not in refusal(LINEAR + f"{key} = 4711")


def test_a_secret_comes_from_its_variable_without_its_blanks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_TOKEN", " abc\n")

    found = secret("THE_TOKEN", purpose="token of source 'a'")

    assert found.get_secret_value() == "abc"
    assert "abc" not in repr(found)


def test_a_secret_comes_from_its_file() -> None:
    Path("token").write_text("abc\n", encoding="utf-8")

    assert secret("", file="token", purpose="token").get_secret_value() == "abc"


def test_a_secret_that_is_missing_is_named_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMPTY", "  ")

    for variable in ("EMPTY", "NOT_THERE"):
        with pytest.raises(ConfigurationError, match=f"token of source 'a': the environment variable {variable}"):
            secret(variable, purpose="token of source 'a'")
    with pytest.raises(ConfigurationError, match="no variable is named"):
        secret("", purpose="token of source 'a'")
    with pytest.raises(ConfigurationError, match="cannot read nowhere"):
        secret("", file="nowhere", purpose="token of source 'a'")


# -- sources -----------------------------------------------------------------------------------------------------------


def test_trackers_with_one_address_for_all_need_no_url() -> None:
    source = SourceSettings(name="a", tracker=Tracker.GITHUB, scope=("owner/repo",))

    assert source.base_url == "https://api.github.com"


def test_a_slash_at_the_end_of_an_address_makes_no_difference() -> None:
    source = SourceSettings(name="a", tracker=Tracker.JIRA, url="https://acme.atlassian.net/", scope=("PAY",))

    assert source.base_url == "https://acme.atlassian.net"


def test_statuses_are_mapped_by_their_ids() -> None:
    Path("backlint.toml").write_text(LINEAR + '[sources.statuses]\n"10002" = "waiting"\n', encoding="utf-8")

    assert load().source("a").statuses == {"10002": StatusCategory.WAITING}


def test_a_source_that_does_not_exist_is_named_with_the_near_one() -> None:
    Path("backlint.toml").write_text(LINEAR.replace('"a"', '"acme"'), encoding="utf-8")
    settings = load()

    with pytest.raises(ConfigurationError, match="no source is named 'amce'; did you mean 'acme'"):
        settings.source("amce")
    with pytest.raises(ConfigurationError, match="no source is named 'zzz'; there is acme"):
        settings.source("zzz")


# -- calendars -----------------------------------------------------------------------------------------------------

CALENDARS = """
[calendar]
country = "DE"
subdivision = "BE"
holidays = [2026-12-24]
[[teams]]
name = "Payments"
people = 4
country = "GB"
holidays = [2026-07-03]
[[leave]]
team = "payments"
first = 2026-07-06
last = 2026-07-10
people = 2
"""


def test_a_team_has_the_holidays_of_its_own_country_and_the_free_days_of_all() -> None:
    Path("backlint.toml").write_text(CALENDARS, encoding="utf-8")
    settings = load()

    own = settings.team_calendar("PAYMENTS", first=date(2026, 1, 1), last=date(2026, 12, 31))
    other = settings.team_calendar("Web", first=date(2026, 1, 1), last=date(2026, 12, 31))

    assert {date(2026, 12, 24), date(2026, 7, 3), date(2026, 12, 28)} <= own.holidays  # Boxing Day, observed
    assert date(2026, 3, 8) in other.holidays  # of Berlin alone
    assert date(2026, 3, 8) not in own.holidays
    assert (own.people, own.share(date(2026, 7, 6)), other.leave) == (4, 0.5, ())


def test_years_without_a_calendar_have_no_holidays() -> None:
    assert load().team_calendar("Web", first=date(2025, 1, 1), last=date(2026, 1, 1)).holidays == frozenset()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[leave]]\nteam = "A"\nfirst = 2026-02-02\nlast = 2026-02-01', "before it begins on 2026-02-02"),
        ("[forecast]\nweeks = 3", "forecast.weeks"),
        ("[forecast]\ngrowth_from = 1.5", "growth_to 1 is below growth_from 1.5"),
        ('[planning]\ngates = ["owners"]', "planning.gates[0]"),
        ('[[teams]]\nname = "A"\npeoples = 3', "did you mean 'people'?"),
    ],
)
def test_what_contradicts_itself_in_calendars_and_forecasts_is_refused(text: str, said: str) -> None:
    assert said in refusal(text)
