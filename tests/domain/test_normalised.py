"""The normalised JSON form: exact both ways, lenient about absence, strict about types."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.model import (
    ChecklistItem,
    Comment,
    FieldChange,
    Issue,
    IssueType,
    Link,
    LinkKind,
    Markup,
    Presence,
    Sprint,
    SprintMembership,
    Status,
    StatusCategory,
    Tracker,
    Transition,
)
from backlint.normalised import FieldError, from_dict, to_dict, type_of
from tests.factory import a_comment, a_transition, an_issue

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = texts.filter(bool)
times = st.datetimes(timezones=st.just(UTC))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)


def some(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(strategy, max_size=2).map(tuple)


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


statuses = st.builds(Status, texts, texts, st.sampled_from(StatusCategory))
sprints = st.builds(
    Sprint,
    id=names,
    name=texts,
    state=st.sampled_from(["future", "active", "closed"]),
    starts_at=maybe(times),
    ends_at=maybe(times),
    completed_at=maybe(times),
    team=maybe(texts),
)
issues = st.builds(
    Issue,
    source=texts,
    id=names,
    key=names,
    title=texts,
    tracker=st.sampled_from(Tracker),
    url=maybe(texts),
    aliases=some(names),
    project=maybe(texts),
    team=maybe(texts),
    type=st.sampled_from(IssueType),
    type_name=maybe(texts),
    body=texts,
    markup=st.sampled_from(Markup),
    status=statuses,
    resolution=maybe(texts),
    priority=maybe(st.integers(1, 4)),
    estimate=maybe(st.floats(allow_nan=False, allow_infinity=False)),
    estimate_unit=texts,
    labels=st.frozensets(texts, max_size=3),
    assignees=some(names),
    accountable=some(names),
    reporter=maybe(names),
    parent=maybe(names),
    sprints=some(st.builds(SprintMembership, sprint=sprints, added_at=maybe(times), removed_at=maybe(times))),
    links=some(st.builds(Link, st.sampled_from(LinkKind), texts, maybe(times))),
    checklist=some(st.builds(ChecklistItem, texts, st.booleans())),
    rank=maybe(texts),
    due_on=maybe(st.dates()),
    review_on=maybe(st.dates()),
    created_at=maybe(times),
    updated_at=maybe(times),
    transitions=some(
        st.builds(
            Transition,
            at=times,
            before=statuses,
            after=statuses,
            sequence=st.integers(0, 9),
            actor=maybe(names),
            is_bot=st.booleans(),
        )
    ),
    changes=some(
        st.builds(
            FieldChange,
            at=times,
            field=texts,
            before=maybe(texts),
            after=maybe(texts),
            sequence=st.integers(0, 9),
            actor=maybe(names),
            is_bot=st.booleans(),
        )
    ),
    comments=some(
        st.builds(
            Comment,
            id=names,
            at=times,
            author=maybe(names),
            body=texts,
            markup=st.sampled_from(Markup),
            edited_at=maybe(times),
            is_bot=st.booleans(),
            is_own=st.booleans(),
        )
    ),
    history_is_complete=st.booleans(),
    is_locked=st.booleans(),
    is_archived=st.booleans(),
    presence=st.sampled_from(Presence),
    fields=st.dictionaries(texts, json_values, max_size=3),
)


@settings(max_examples=60, deadline=None)
@given(issues)
def test_any_issue_survives_the_way_through_json_text_unchanged(issue: Issue) -> None:
    assert from_dict(json.loads(json.dumps(to_dict(issue)))) == issue


def test_every_field_of_the_model_is_generated_and_written() -> None:
    fields = {each.name for each in dataclasses.fields(Issue)}

    assert set(to_dict(an_issue())) == fields


def test_the_keys_that_other_programs_rely_on_are_all_there() -> None:
    moved = a_transition(datetime(2026, 3, 3, tzinfo=UTC), StatusCategory.BACKLOG, StatusCategory.ACTIVE)

    written = to_dict(an_issue(transitions=(moved,), comments=(a_comment("Done when p95 < 2 s"),)))

    assert written["transitions"][0]["at"] == "2026-03-03T00:00:00Z"
    assert written["transitions"][0]["from"] == {"id": "backlog", "name": "backlog", "category": "backlog"}
    assert written["transitions"][0]["to"]["category"] == "active"
    assert {"id", "at", "author", "body", "is_bot"} <= set(written["comments"][0])


def test_id_and_title_are_enough() -> None:
    issue = from_dict({"id": "7", "title": "Export invoices"}, source="acme")

    assert issue == Issue(source="acme", id="7", key="7", title="Export invoices")


def test_the_short_form_names_its_body_description() -> None:
    issue = from_dict({"id": 7, "title": "x", "type": "story", "description": "h3. Goal", "markup": "wiki"})

    assert (issue.id, issue.type, issue.type_name) == ("7", IssueType.STORY, None)
    assert (issue.body, issue.markup) == ("h3. Goal", Markup.WIKI)


@pytest.mark.parametrize("key", ["description", "body", "type", "markup", "status", "labels", "assignees", "fields"])
def test_null_means_absent(key: str) -> None:
    assert from_dict({"id": "7", "title": "x", key: None}) == from_dict({"id": "7", "title": "x"})


def test_a_status_may_be_a_category_or_a_name_whose_category_is_unknown() -> None:
    ready = from_dict({"id": "7", "title": "x", "status": "todo"})
    parked = from_dict({"id": "7", "title": "x", "status": "Parked"})

    assert ready.status.category is StatusCategory.TODO
    assert parked.status == Status("Parked", "Parked", StatusCategory.UNKNOWN)


@pytest.mark.parametrize(
    ("name", "type", "kept"),
    [
        ("User Story", IssueType.STORY, "User Story"),
        ("Sub-task", IssueType.SUBTASK, "Sub-task"),
        ("Widget", IssueType.TASK, "Widget"),
        ("bug", IssueType.BUG, None),
    ],
)
def test_a_foreign_type_keeps_its_name(name: str, type: IssueType, kept: str | None) -> None:
    issue = from_dict({"id": "7", "title": "x", "type": name})

    assert (issue.type, issue.type_name) == (type, kept)


def test_an_unmapped_type_name_means_nothing() -> None:
    assert type_of("Widget") is None


def test_labels_may_be_objects_with_a_name_or_switches() -> None:
    named = from_dict({"id": "7", "title": "x", "labels": [{"name": "ops"}, "web"]})
    switched = from_dict({"id": "7", "title": "x", "labels": {"ops": True, "web": False, "api": None}})

    assert named.labels == {"ops", "web"}
    assert switched.labels == {"ops"}


def test_a_description_that_is_an_object_is_an_adf_document() -> None:
    document = {"type": "doc", "version": 1, "content": []}

    issue = from_dict({"id": "7", "title": "x", "description": document})

    assert issue.markup is Markup.ADF
    assert json.loads(issue.body) == document


def test_times_of_any_zone_become_utc() -> None:
    issue = from_dict({"id": "7", "title": "x", "created_at": "2026-03-02T10:00:00+01:00"})

    assert issue.created_at == datetime(2026, 3, 2, 9, tzinfo=UTC)
    assert issue.created_at.tzinfo is UTC


def test_a_time_in_another_zone_is_written_in_utc() -> None:
    berlin = timezone(timedelta(hours=1))

    assert to_dict(an_issue(updated_at=datetime(2026, 3, 2, 10, tzinfo=berlin)))["updated_at"] == "2026-03-02T09:00:00Z"


def test_days_and_sets_in_mapped_fields_are_written_as_json_has_them() -> None:
    written = to_dict(an_issue(fields={"by": date(2026, 9, 30), "objective": frozenset({"b", "a"})}))

    assert written["fields"] == {"by": "2026-09-30", "objective": ["a", "b"]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": None}, "title"),
        ({"title": 3}, "title"),
        ({"id": ""}, "id"),
        ({"id": True}, "id"),
        ({"labels": "web"}, "labels"),
        ({"labels": ["web", 3]}, "labels[1]"),
        ({"labels": {"web": "yes"}}, "labels"),
        ({"markup": "rst"}, "markup"),
        ({"priority": 5}, "priority"),
        ({"estimate": "3"}, "estimate"),
        ({"estimate": float("nan")}, "estimate"),
        ({"estimate": 10**400}, "estimate"),
        ({"created_at": "2026-03-02T09:00:00"}, "created_at"),
        ({"created_at": "yesterday"}, "created_at"),
        ({"created_at": 17}, "created_at"),
        ({"due_on": "30 Sep"}, "due_on"),
        ({"is_locked": "no"}, "is_locked"),
        ({"fields": []}, "fields"),
        ({"status": 3}, "status"),
        ({"status": {"name": "Open"}}, "status.id"),
        ({"status": {"id": "1", "category": "open"}}, "status.category"),
        ({"markup": "wiki", "description": {"type": "doc"}}, "body"),
        ({"comments": [{"id": "1", "at": "2026-03-02T09:00:00Z"}, {"id": "2"}]}, "comments[1].at"),
        (
            {"transitions": [{"at": "2026-03-02T09:00:00Z", "from": "todo", "to": {"name": "x"}}]},
            "transitions[0].to.id",
        ),
    ],
)
def test_a_wrong_value_is_refused_with_the_path_of_its_field(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldError) as refused:
        from_dict({"id": "7", "title": "x", **wrong})

    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


def test_a_row_that_is_no_object_is_refused() -> None:
    with pytest.raises(FieldError, match="expected an object, got a list"):
        from_dict([1, 2])
