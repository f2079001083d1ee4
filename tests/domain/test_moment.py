"""A moment answers as the time it is, and no answer changes before the horizon that it notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlint.moment import Footing, Moment, Watch

NOW = datetime(2026, 3, 10, 12, 30, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
Question = Callable[[Any, datetime, timedelta], Any]
QUESTIONS: dict[str, Question] = {
    "past it": lambda now, at, span: now > at,
    "not before it": lambda now, at, span: now >= at,
    "before it, asked the other way round": lambda now, at, span: at > now,
    "within a window": lambda now, at, span: at >= now - span,
    "older than": lambda now, at, span: now - at > span,
    "at least as old": lambda now, at, span: now - at >= span,
    "exactly as old": lambda now, at, span: now - at == span,
    "days old": lambda now, at, span: (now - at).days,
    "days left": lambda now, at, span: (at - now).days,
    "weeks old": lambda now, at, span: (now - at) // timedelta(weeks=1),
    "days over": lambda now, at, span: (now - at - span).days,
    "what is left of a span": lambda now, at, span: (span - (now - at)).days,
    "the later one": lambda now, at, span: max(now, at) == at,
    "the day": lambda now, at, span: now.date(),
    "the day somewhere": lambda now, at, span: now.astimezone(BERLIN).date(),
    "the hour": lambda now, at, span: now.hour,
    "the seconds of an age": lambda now, at, span: (now - at).total_seconds(),
    "a share of an age": lambda now, at, span: (now - at) / timedelta(days=1),
    "printed": lambda now, at, span: f"{now:%H:%M} {now - at}",
}


@pytest.mark.parametrize("name", QUESTIONS)
@settings(max_examples=60, deadline=None)
@given(
    ago=st.timedeltas(min_value=timedelta(days=-60), max_value=timedelta(days=60)),
    span=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=90)),
    later=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=200)),
)
def test_an_answer_holds_until_its_horizon(name: str, ago: timedelta, span: timedelta, later: timedelta) -> None:
    ask, watch = QUESTIONS[name], Watch()
    answer = ask(Moment.present(NOW, watch), NOW - ago, span)

    assert answer == ask(NOW, NOW - ago, span)
    until = watch.footing.until
    tick = timedelta(microseconds=1)
    for at in [NOW + later, *([until - tick] if until else [])]:
        if until is None or at < until:
            assert ask(at, NOW - ago, span) == answer


def test_a_question_about_the_past_is_answered_for_ever() -> None:
    watch = Watch()

    assert Moment.present(NOW, watch) > NOW - timedelta(days=1)
    assert watch.footing.until is None


def test_what_is_kept_brings_its_own_footing() -> None:
    watch = Watch()
    now = Moment.present(NOW, watch)
    _, footing = watch.apart(lambda: now > NOW + timedelta(days=2))

    assert watch.footing == Footing()
    assert footing.until == NOW + timedelta(days=2)
    watch.footing.join(footing)
    assert watch.footing == footing
