"""Which sections make up the readout and each audience's view of it (catalogue 7.4, 7.5)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from backlint.api.readout import delivery, product, weekly
from backlint.api.readout.facts import Facts
from backlint.api.readout.wording import nothing_finished
from backlint.api.reports import figures
from backlint.api.reports.health import Answer, SourceHealth, all_failed, without_figures
from backlint.api.reports.readout import Audience, Readout, Section
from backlint.rules.registry import RULES_VERSION

TOP_RISKS = 5
Build = Callable[[Facts], Section]


def _largest_risks(facts: Facts) -> Section:
    return weekly.risks(facts, most=TOP_RISKS, decisions=False)


WHOLE: tuple[Build, ...] = (
    weekly.shipped, weekly.changed, weekly.learned, weekly.upcoming, weekly.risks, weekly.reviews, weekly.not_now,
)  # fmt: skip
VIEWS: Mapping[Audience, tuple[Build, ...]] = MappingProxyType(
    {
        Audience.EXECUTIVE: (
            delivery.objectives, delivery.initiatives, delivery.on_time, delivery.forecast, _largest_risks,
        ),
        Audience.ENGINEERING: (
            delivery.flow, delivery.ageing, delivery.blocked, delivery.sprints, delivery.bugs, weekly.upcoming,
            delivery.why_epics,
        ),
        Audience.PRODUCT: (
            product.coverage, product.results_owed, product.review_dates, weekly.reviews, product.priorities,
            product.scores, product.backlog_scores,
        ),
        Audience.DESIGN: (product.waiting_for_design, product.context_given, weekly.changed),
        Audience.MARKETING: (delivery.shipped_for, delivery.likely),
    }
)  # fmt: skip


def build_readout(facts: Facts, *, audience: Audience | None = None, health: Sequence[SourceHealth] = ()) -> Readout:
    """The whole readout, or the view of one audience on the same facts."""
    answer = _answer(facts, health)
    wanted = WHOLE if audience is None else VIEWS[audience]
    return Readout(
        scope=facts.scope,
        audience=audience,
        as_of=facts.now,
        timezone=facts.settings.timezone,
        rules_version=RULES_VERSION,
        since=facts.since,
        until=facts.until,
        health=tuple(health),
        answer=answer,
        issues=len(facts.issues),
        headline=_headline(facts) if answer is Answer.FIGURES else "",
        sections=tuple(build(facts) for build in wanted) if answer is Answer.FIGURES else (),
    )


def _answer(facts: Facts, health: Sequence[SourceHealth]) -> Answer:
    if all_failed(health):
        return Answer.CANNOT_SAY
    return Answer.FIGURES if facts.issues else without_figures(health, is_unread=facts.is_unread)


def _headline(facts: Facts) -> str:
    """The week in one sentence."""
    if not facts.finished:
        return nothing_finished(facts)
    oldest = facts.in_progress[0].age(facts.now) if facts.in_progress else None
    tail = f", oldest {figures.in_days(oldest)}" if oldest is not None else ""
    finished = figures.counted(len(facts.finished), "item")
    return f"{finished} finished, {len(facts.in_progress)} in progress{tail}."
