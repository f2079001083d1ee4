"""What a team does anyway, learned from what it finished in 90 days."""

from __future__ import annotations

from datetime import timedelta

from backlint.backlog import Backlog, Habits
from backlint.examples import an_issue
from backlint.model import ChecklistItem, Issue, IssueType, StatusCategory
from backlint.rules.rule import EXAMPLE_NOW

TOLD = "As a clerk, I want to export the list."


def finished(count: int, *, days: int = 10, **given: object) -> list[Issue]:
    at = EXAMPLE_NOW - timedelta(days=days)
    return [
        an_issue(id=f"{days}-{number}-{given.get('body', '')}", category=StatusCategory.DONE, updated_at=at, **given)
        for number in range(count)
    ]


def learned(*issues: Issue, are_on: bool = False) -> Habits:
    return Backlog(issues=issues, now=EXAMPLE_NOW, habits_are_on=are_on).habits(an_issue())


def test_too_few_finished_items_say_nothing() -> None:
    assert learned(*finished(4, body=TOLD)) == Habits(sample=4, stories=4)


def test_half_of_the_stories_make_the_format_a_habit() -> None:
    others = finished(3, body="A button that exports the list.")

    assert learned(*finished(3, body=TOLD), *others).story_format is True
    assert learned(*finished(2, body=TOLD), *others).story_format is False


def test_a_fifth_of_the_boxes_makes_ticking_a_habit() -> None:
    untouched = finished(2, body="- [ ] one\n- [ ] two\n")

    assert learned(*untouched, *finished(1, body="- [x] three\n")).ticks_boxes is True
    assert learned(*untouched, *finished(1, body="- [ ] three\n")).ticks_boxes is False
    assert learned(*finished(5, checklist=(ChecklistItem("one", True),))).ticks_boxes is True


def test_estimates_are_learned_from_stories_and_tasks_alone() -> None:
    bugs = finished(9, type=IssueType.BUG)

    assert learned(*finished(5, estimate=3.0), *bugs).estimates is True
    assert learned(*finished(5), *bugs).estimates is False


def test_what_was_finished_long_ago_teaches_nothing() -> None:
    assert learned(*finished(9, days=100, body=TOLD)).story_format is None


def test_switches_may_be_pinned_on() -> None:
    habits = learned(are_on=True)

    assert habits.estimates is habits.ticks_boxes is habits.story_format is True
