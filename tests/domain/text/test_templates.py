"""What came with the form."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from backlint.examples import CREATED_AT
from backlint.model import Issue, IssueType, Markup
from backlint.text.document import DropReason, read
from backlint.text.templates import TemplateKey, Templates, known, learn, template_key
from tests.factory import an_issue

LINE = "- make sure that it works on the phone"


def many(count: int, body: str) -> list[Issue]:
    return [an_issue(id=f"{body[:5]}{number}", body=body) for number in range(count)]


def lines_of(learned: Mapping[TemplateKey, Templates], issue: Issue) -> frozenset[str]:
    return learned.get(template_key(issue), Templates()).lines


def test_a_line_of_ten_issues_and_a_third_is_learned() -> None:
    issues = many(10, LINE) + many(20, "something else")

    assert "make sure that it works on the phone" in lines_of(learn(issues), issues[0])


def test_nine_issues_teach_nothing() -> None:
    assert learn(many(9, LINE)) == {}


def test_less_than_a_third_teaches_nothing() -> None:
    issues = [
        an_issue(id=str(number), body=f"{LINE}\n" if number < 10 else f"own words {number}") for number in range(40)
    ]

    assert learn(issues) == {}


def test_projects_and_types_learn_apart() -> None:
    stories = many(10, LINE)
    bug = an_issue(id="b", type=IssueType.BUG)
    elsewhere = an_issue(id="e", project="OTHER")

    learned = learn([*stories, bug, elsewhere])

    assert set(learned) == {template_key(stories[0])}


def test_old_issues_teach_nothing() -> None:
    issues = many(10, LINE)

    assert learn(issues, now=CREATED_AT + timedelta(days=91)) == {}
    assert learn(issues, now=CREATED_AT + timedelta(days=89)) != {}


def test_a_line_that_an_issue_repeats_counts_once() -> None:
    assert learn(many(5, f"{LINE}\n{LINE}\n")) == {}


def test_a_template_line_is_known_whatever_its_tick_bullet_and_case() -> None:
    templates = known(["- [ ] Make sure that it works"])

    document = read("* [x] MAKE SURE that it works!\n* it has a title now\n", Markup.MARKDOWN, templates=templates)

    assert [item.text for item in document.items] == ["it has a title now"]
    assert [dropped.reason for dropped in document.dropped] == [DropReason.TEMPLATE]


def test_template_lines_that_an_editor_wrapped_are_known() -> None:
    template = "Tell us in a few sentences what you want to do and which\npart of the shop it is about.\n"

    document = read(f"{template}\nI want to see the invoice.\n", Markup.MARKDOWN, templates=known([template]))

    assert [item.text for item in document.items] == ["I want to see the invoice."]


def test_a_template_line_with_a_heading_in_it_is_known() -> None:
    template = "Goal: what should be better afterwards\n"

    (section,) = read(template, Markup.MARKDOWN, templates=known([template])).sections

    assert (section.heading, section.items) == ("Goal", ())
    assert [dropped.reason for dropped in section.dropped] == [DropReason.TEMPLATE]


def test_templates_add_up() -> None:
    assert (known(["one line here"]) | known(["another line here"])).lines == {"one line here", "another line here"}
