"""The weekly readout: what each section finds, what it says when there is nothing, and that figures can be traced."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from backlint.api.reports import Answer, to_csv, to_html, to_json
from backlint.api.reports.readout import Audience, Readout, Section
from backlint.errors import ConfigurationError
from tests.api.reports.backlog import BROKEN, GOOD
from tests.api.reports.readout_backlog import a_readout, an_empty_week, the_facts

VIEWS = (None, *Audience)


def section(report: Readout, name: str) -> Section:
    return next(each for each in report.sections if each.name == name)


def keys(found: Section) -> list[str | None]:
    return [each.key for each in found.entries]


def test_what_shipped_names_the_outcome_it_should_move() -> None:
    said = {each.key: each.said for each in section(a_readout(), "shipped").entries}

    assert said["PAY-4003"].startswith("for PAY-4002: Invoice questions")
    assert said["PAY-4004"] == "no outcome stated"


def test_misses_are_told_like_hits() -> None:
    assert [each.said for each in section(a_readout(), "changed").entries] == [
        "Result: 42 → 39, below target",
        "target: 25 → 28",
    ]


def test_a_decision_that_was_closed_is_learned_and_an_open_one_is_needed() -> None:
    report = a_readout()

    assert [each.said for each in section(report, "learned").entries] == ["decision: We take bank B."]
    assert section(report, "risks").entries[0].key == "PAY-4006"


def test_only_the_days_asked_for_are_told() -> None:
    report = a_readout(since=date(2026, 5, 1), until=date(2026, 5, 7))

    assert "PAY-4003" not in keys(section(report, "shipped"))
    assert not section(report, "changed").entries


def test_an_empty_week_says_what_is_in_progress() -> None:
    assert an_empty_week().headline == "Nothing finished; 3 items in progress, oldest 40.0 d."


def test_what_was_put_off_stands_under_not_now() -> None:
    assert keys(section(a_readout(), "not_now")) == ["PAY-3011"]


def test_executives_see_five_risks_of_all() -> None:
    found = section(a_readout(Audience.EXECUTIVE), "risks")

    assert len(found.entries) == 5
    assert (found.of or 0) > 5


def test_punctuality_counts_what_was_due_and_names_what_was_late() -> None:
    found = section(a_readout(Audience.EXECUTIVE), "on_time")

    assert found.figures[0].of == "1 of 2 due, last 90 days"
    assert [each.said for each in found.entries] == ["was due on 2026-05-10, still open"]


def test_marketing_hears_nothing_that_is_less_than_85_percent_likely() -> None:
    text = to_json(a_readout(Audience.MARKETING))

    assert "50 %" not in text
    assert "85 % likely on or before" in text


def test_a_status_of_design_is_waited_for_and_a_label_that_names_the_field_is_not() -> None:
    assert keys(section(a_readout(Audience.DESIGN), "waiting_for_design")) == ["PAY-4008"]


@pytest.mark.parametrize("audience", VIEWS)
def test_every_count_is_that_of_the_issues_behind_it(audience: Audience | None) -> None:
    for each in a_readout(audience).sections:
        for figure in each.figures:
            if isinstance(figure.number, int) and figure.value == f"{figure.number:,}" and each.name != "backlog_score":
                assert figure.number == len(figure.behind), f"{each.name}: {figure.name}"


@pytest.mark.parametrize("audience", VIEWS)
def test_no_figure_without_its_count_or_its_reason(audience: Audience | None) -> None:
    assert all(figure.of for each in a_readout(audience).sections for figure in each.figures)


@pytest.mark.parametrize("audience", VIEWS)
def test_a_section_without_entries_says_so_or_names_what_is_missing(audience: Audience | None) -> None:
    for report in (a_readout(audience), replace(an_empty_week(), audience=audience)):
        for each in report.sections:
            assert each.entries or each.figures or each.empty or each.missing, each.name


def test_missing_data_is_named() -> None:
    assert section(a_readout(Audience.PRODUCT), "stale_scores").missing == ("no near epic or initiative has a score",)


def test_when_no_source_could_be_read_nothing_is_told() -> None:
    report = a_readout(health=(replace(GOOD, complete=False),))

    assert report.answer is Answer.CANNOT_SAY
    assert report.sections == ()
    assert "Cannot say." in to_html(report)


def test_a_source_that_could_not_be_read_is_left_out_and_named() -> None:
    report = a_readout(health=(GOOD, BROKEN))

    assert "oss: cannot say." in to_html(report)
    assert report.answer is Answer.FIGURES


def test_days_that_have_not_come_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="2026-07-01 is after 2026-06-01"):
        the_facts(since=date(2026, 7, 1))


def test_the_json_holds_the_issues_behind_each_figure() -> None:
    shipped = json.loads(to_json(a_readout()))["sections"][0]

    assert shipped["figures"][0]["number"] == len(shipped["figures"][0]["behind"]) == 7


def test_the_csv_has_the_issues_behind_each_figure() -> None:
    lines = to_csv(a_readout()).splitlines()

    assert sum(line.startswith("shipped,behind,Finished,") for line in lines) == 7


def test_foreign_texts_stay_texts() -> None:
    page = to_html(a_readout())

    assert "<delivery date>" not in page
    assert "&lt;delivery date&gt;" in page
