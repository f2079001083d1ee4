"""What holds for every history, and the sliding windows of expectations against a plain calculation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.flow import Item, Mode, cycle_score, items, reopenings, standings, timeline
from backlint.flow.metrics import average_wip, cumulative_flow, in_progress, wip_at, wip_counts
from backlint.model import Issue, IssueType, StatusCategory
from backlint.percentile import percentile
from tests.factory import a_transition, an_issue

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=300)
CATEGORIES = [each for each in StatusCategory if each is not StatusCategory.UNKNOWN]


@st.composite
def histories(draw: st.DrawFn) -> Issue:
    """Whole and broken histories: sometimes a change does not begin where the last one ended."""
    status = draw(st.sampled_from(CATEGORIES))
    at, transitions = START, []
    for hours in draw(st.lists(st.floats(0, 900), max_size=9)):
        at += timedelta(hours=hours)
        before = draw(st.sampled_from([status] * 9 + [draw(st.sampled_from(CATEGORIES))]))
        after = draw(st.sampled_from(CATEGORIES))
        transitions.append(a_transition(at, before, after, sequence=len(transitions)))
        status = after
    return an_issue(
        created_at=START,
        category=status,
        transitions=tuple(transitions),
        history_is_complete=draw(st.sampled_from([True] * 5 + [False])),
    )


def item_of(issue: Issue) -> Item:
    (found,) = items([issue], NOW)
    return found


@given(histories())
def test_spans_are_contiguous_from_the_creation_on(issue):
    spans = timeline(issue, NOW).spans

    assert spans[0].enter == START
    assert spans[-1].exit is None
    assert [span.exit for span in spans[:-1]] == [span.enter for span in spans[1:]]


@given(histories())
def test_no_time_is_negative_and_elapsed_is_the_longest(issue):
    found = item_of(issue)
    for episode in found.episodes:
        elapsed = episode.cycle_time()
        lead = found.lead_time(episode)
        assert lead is None or lead >= timedelta()
        if elapsed is None:
            assert episode.cycle_time(Mode.IN_PROGRESS) is None
            assert episode.cycle_time(Mode.LAST_RUN) is None
            continue
        assert timedelta(seconds=60) < elapsed <= lead
        for mode in (Mode.IN_PROGRESS, Mode.LAST_RUN):
            spent = episode.cycle_time(mode)
            assert spent is None or timedelta() <= spent <= elapsed


@given(histories())
def test_episodes_follow_each_other_and_only_the_last_is_open(issue):
    found = item_of(issue).episodes

    for earlier, later in pairwise(found):
        assert earlier.closed_at is not None or earlier.unknown
        if earlier.closed_at is not None:
            assert later.opened_at - earlier.closed_at > timedelta(days=14)
    assert [episode.number for episode in found] == list(range(1, len(found) + 1))


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_changes_arrive_does_not_matter(issue, random):
    shuffled = list(issue.transitions)
    random.shuffle(shuffled)
    again = an_issue(
        created_at=START,
        status=issue.status,
        transitions=tuple(shuffled),
        history_is_complete=issue.history_is_complete,
    )

    assert item_of(again).episodes == item_of(issue).episodes
    assert reopenings(timeline(again, NOW)) == reopenings(timeline(issue, NOW))


@given(st.lists(histories(), max_size=5), st.lists(st.floats(0, 290), min_size=1, max_size=6))
def test_the_count_of_work_in_progress_is_that_of_the_items(issues, days):
    found = items([_named(issue, place) for place, issue in enumerate(issues)], NOW)
    moments = sorted(START + timedelta(days=each) for each in days)

    assert wip_counts(in_progress(found), moments) == [len(wip_at(found, moment)) for moment in moments]
    assert average_wip(in_progress(found), START, NOW) >= 0


@given(st.lists(histories(), max_size=5))
def test_every_item_is_in_one_band_of_the_flow_at_most(issues):
    found = items([_named(issue, place) for place, issue in enumerate(issues)], NOW)
    bands = cumulative_flow(found, [START + timedelta(days=10 * n) for n in range(30)])

    assert all(0 <= sum(column) <= len(issues) for column in zip(*bands.values(), strict=True))
    assert all(count >= 0 for counts in bands.values() for count in counts)


def _named(issue: Issue, place: int) -> Issue:
    return an_issue(
        id=str(place),
        created_at=START,
        status=issue.status,
        transitions=issue.transitions,
        history_is_complete=issue.history_is_complete,
    )


# -- expectations ----------------------------------------------------------------------------------------------------


@st.composite
def finished_items(draw: st.DrawFn) -> tuple[Issue, ...]:
    made = []
    for place in range(draw(st.integers(0, 70))):
        finish = START + timedelta(days=draw(st.integers(30, 200)))
        start = finish - timedelta(hours=draw(st.integers(1, 600)))
        steps = (
            a_transition(start, StatusCategory.TODO, StatusCategory.ACTIVE),
            a_transition(finish, StatusCategory.ACTIVE, StatusCategory.DONE),
        )
        made.append(
            an_issue(
                id=str(place),
                team=draw(st.sampled_from("AB")),
                type=draw(st.sampled_from([IssueType.STORY, IssueType.BUG])),
                created_at=START,
                category=StatusCategory.DONE,
                transitions=steps,
            )
        )
    return tuple(made)


def plainly(found: tuple[Item, ...], item: Item) -> tuple[str, float, int] | None:
    """The expectation of an item by looking at all others, class by class."""
    (episode,) = item.episodes
    at = episode.finished_at

    def others(is_alike):
        return sorted(
            each.episodes[0].cycle_time()
            for each in found
            if each is not item
            and is_alike(each.issue)
            and at - timedelta(days=90) <= each.episodes[0].finished_at <= at
        )

    mine = item.issue
    for scope, is_alike in (
        ("team", lambda issue: (issue.team, issue.type) == (mine.team, mine.type)),
        ("team", lambda issue: issue.team == mine.team),
        ("organisation", lambda issue: True),
    ):
        cycles = others(is_alike)
        if len(cycles) >= 20:
            return scope, percentile(85, cycles) / timedelta(days=1), len(cycles)
    return None


@settings(max_examples=40, deadline=None)
@given(finished_items())
def test_expectations_are_those_of_a_plain_calculation(issues):
    found = items(issues, NOW)
    places = standings(found, NOW)

    for item in found:
        level = places[item.issue.identity, 1].level
        got = None if level is None else (level.scope, level.days, level.sample)
        assert got == plainly(found, item)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 10**9))
def test_the_score_never_rises_with_the_time_spent(one, other, limit):
    quick, slow = sorted((timedelta(seconds=one), timedelta(seconds=other)))
    expected = timedelta(seconds=limit)

    assert 100 >= cycle_score(quick, expected) >= cycle_score(slow, expected) >= 0
