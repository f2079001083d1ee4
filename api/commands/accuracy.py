"""`backlint accuracy`: how well the rules agree with issues that people labelled."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from backlint.api.accuracy import Band, Figures, Miss, by_project, calibration, chosen, figures, judged, misses
from backlint.api.console import Console, escape
from backlint.rules.registry import RULES_VERSION


def run(console: Console, *, labels: Path, questions: Sequence[str], projects: bool, list_misses: bool) -> int:
    names = chosen(questions)
    rows = judged(labels)
    table = tuple(figures(rows, names))
    per_project = tuple(by_project(rows, names))
    bands = calibration(rows)
    missed = tuple(each for name in names for each in misses(rows, name))
    console.json(
        {
            "rules_version": RULES_VERSION,
            "issues": len(rows),
            "figures": [_plain(each) for each in table],
            "projects": [{"project": project, **_plain(each)} for project, each in per_project],
            "calibration": [_plain_band(each) for each in bands],
            "misses": [_plain_miss(each) for each in missed],
        }
    )
    console.out(f"Rules {RULES_VERSION}, {len(rows)} labelled issues; intervals are 95 %.")
    console.out(_head("answer, rows"))
    for each in table:
        console.out(escape(_line(each, f"{each.what}, {each.rows}")))
    if not questions:
        _show_calibration(console, bands)
    if projects:
        console.out()
        console.out(_head("project"))
        for project, each in per_project:
            console.out(escape(_line(each, project)))
    if list_misses:
        _show_misses(console, missed)
    else:
        console.say(f"{len(missed)} answers differ; --misses lists them, --projects parts the figures by project.")
    return 0


def _head(second: str) -> str:
    return f"{'question':<22} {second:<22} {'rows':>4}  {'precision':<20}  {'recall':<20}  F1"


def _line(each: Figures, what: str) -> str:
    found = each.found
    precision = _share(found.precision, found.precision_interval)
    recall = _share(found.recall, found.recall_interval)
    f1 = _share(found.f1, found.f1_interval)
    return f"{each.question:<22} {what:<22} {found.rows:>4}  {precision:<20}  {recall:<20}  {f1}".rstrip()


def _share(value: float, interval: tuple[float, float]) -> str:
    return "-" if math.isnan(value) else f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"


def _show_calibration(console: Console, bands: Iterable[Band]) -> None:
    console.out()
    console.out(f"{'confidence':<10}  {'rule':<8}  {'findings':>8}  {'right':>5}  share that is right")
    for each in bands:
        share = _share(each.share, each.interval)
        console.out(escape(f"{each.confidence:<10.2f}  {each.rule:<8}  {each.findings:>8}  {each.right:>5}  {share}"))


def _plain_band(each: Band) -> dict[str, object]:
    return {
        "confidence": each.confidence,
        "rule": each.rule,
        "findings": each.findings,
        "right": each.right,
        **_plain_share("share", each.share, each.interval),
    }


def _show_misses(console: Console, missed: Iterable[Miss]) -> None:
    question = ""
    for each in missed:
        if each.question != question:
            question = each.question
            console.out()
            console.out(escape(question))
        who = "only the rules say yes" if each.rules_say_yes else "only the reader says yes"
        console.out(escape(f"  {each.id} ({each.project}): {who}{', borderline' if each.is_borderline else ''}"))
        for line in each.explanation:
            console.out(escape(f"    {line}"))


def _plain(each: Figures) -> dict[str, object]:
    found = each.found
    return {
        "question": each.question,
        "what": each.what,
        "rows": each.rows,
        "count": found.rows,
        "both": found.both,
        "only_rules": found.only_rules,
        "only_reader": found.only_reader,
        "neither": found.neither,
        **_plain_share("precision", found.precision, found.precision_interval),
        **_plain_share("recall", found.recall, found.recall_interval),
        **_plain_share("f1", found.f1, found.f1_interval),
    }


def _plain_share(name: str, value: float, interval: tuple[float, float]) -> dict[str, object]:
    if math.isnan(value):
        return {name: None, f"{name}_interval": None}
    return {name: round(value, 4), f"{name}_interval": [round(each, 4) for each in interval]}


def _plain_miss(each: Miss) -> dict[str, object]:
    return {
        "question": each.question,
        "id": each.id,
        "project": each.project,
        "borderline": each.is_borderline,
        "rules_say": each.rules_say_yes,
        "explanation": list(each.explanation),
    }
