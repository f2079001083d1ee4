"""Rules of the configuration and of other packages: they judge like any other, and take nobody's place."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

from backlint.backlog import one_issue_backlog
from backlint.errors import ConfigurationError
from backlint.examples import an_issue
from backlint.model import Issue, IssueType, Severity, StatusCategory, Verdict
from backlint.rules.engine import judge
from backlint.rules.expression import VARIABLES
from backlint.rules.installed import installed_rules
from backlint.rules.pages import page
from backlint.rules.registry import configured, every_rule, find, own_rules
from backlint.rules.rule import EXAMPLE_NOW, Context
from backlint.rules.trial import tried
from backlint.settings import Settings, load
from backlint.text.cache import TextCache

DESIGN: dict[str, Any] = {
    "code": "WEB001",
    "name": "missing-design-link",
    "summary": "A web story without a link to its design.",
    "question": "Where is the design?",
    "label": "needs-design",
    "types": ["story"],
    "fails_when": 'issue.labels.exists(l, l == "web") && !issue.body.contains("design.example.com")',
    "flagged": [{"name": "no link", "issue": {"labels": ["web"]}}],
    "passed": [{"name": "a link", "issue": {"labels": ["web"], "description": "https://design.example.com/7"}}],
}
WEB_STORY = an_issue(labels=frozenset({"web"}), category=StatusCategory.ACTIVE)


def settings(**given: Any) -> Settings:
    return Settings(custom_rules=({**DESIGN, **given},))


def verdict(issue: Issue, **given: Any) -> Any:
    rules = [rule for rule in configured("starter", custom=settings(**given).custom_rules) if rule.code == "WEB001"]
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(issue, now=EXAMPLE_NOW), texts=TextCache())
    (found,) = judge(issue, rules, context)
    return found


def test_a_custom_rule_runs_in_every_profile_and_finds_what_its_expression_says() -> None:
    found = verdict(WEB_STORY)

    assert (found.verdict, found.severity, found.message) == (Verdict.FAIL, Severity.WARNING, DESIGN["summary"])
    assert found.question == "Where is the design?"


def test_a_custom_rule_is_not_asked_of_other_types() -> None:
    assert verdict(an_issue(type=IssueType.BUG, labels=frozenset({"web"}))).verdict is Verdict.NOT_APPLICABLE


def test_what_the_issue_does_not_have_is_not_applicable_and_what_is_too_large_is_unknown() -> None:
    assert verdict(WEB_STORY, fails_when="issue.estimate > 8.0").verdict is Verdict.NOT_APPLICABLE
    assert verdict(an_issue(body="x" * 200_000)).verdict is Verdict.PASS  # the label is asked first
    assert verdict(an_issue(body="x" * 200_000), fails_when='issue.body == ""').verdict is Verdict.UNKNOWN


def test_its_page_shows_expression_and_examples() -> None:
    text = page(find("missing-design-link", every_rule(settings().custom_rules)))

    assert "    issue.labels.exists(l," in text
    assert "- a link: `https://design.example.com/7`" in text
    assert "- Label: `needs-design`" in text


def test_its_examples_are_tried() -> None:
    good = every_rule(settings().custom_rules)
    bad = every_rule(settings(fails_when="issue.words > 3").custom_rules)

    assert [each.is_right for each in tried(find("WEB001", good))] == [True, True]
    assert [each.is_right for each in tried(find("WEB001", bad))] == [False, True]
    bare = find("WEB001", every_rule(settings(flagged=[], passed=[]).custom_rules))
    assert {each.said for each in tried(bare)} == {"there is no flagged example", "there is no passed example"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"code": "AC009"}, "the letters AC belong to other rules"),
        ({"name": "missing-owner"}, "OWN001 is called so"),
        ({"code": "web1"}, "is no code"),
        ({"name": "Design Link"}, "is no name"),
        ({"label": "needs design"}, "no spaces"),
        ({"summary": "two\nlines"}, "one line"),
        ({"fails_when": "issue.titel == ''"}, "custom rule WEB001: nothing is called issue.titel"),
        (
            {"flagged": [{"name": "x", "issue": {"estimate": "big"}}]},
            "flagged example 'x': estimate: expected a number",
        ),
    ],
)
def test_what_cannot_be_a_rule_is_refused_with_the_reason(given: dict[str, Any], said: str) -> None:
    with pytest.raises((ConfigurationError, ValueError), match=said.replace("(", r"\(")):
        every_rule(settings(**given).custom_rules)


def test_two_custom_rules_of_one_code_are_refused() -> None:
    with pytest.raises(ValueError, match="two custom rules have the code 'WEB001'"):
        Settings(custom_rules=(DESIGN, {**DESIGN, "name": "other"}))


@pytest.mark.parametrize(
    ("written", "line", "column"),
    [
        ("fails_when = 'issue.titel == \"\"'", 5, 15),
        ("fails_when = '''\n\n  issue.titel == \"\"'''", 7, 3),
        ("fails_when = '''issue.words > 1 &&\nissue.titel == \"\"'''", 6, 1),
    ],
)
def test_an_error_points_at_its_place_in_the_file(tmp_path: Path, written: str, line: int, column: int) -> None:
    file = tmp_path / "backlint.toml"
    file.write_text(
        f'[[custom_rules]]\ncode = "WEB001"\nname = "design"\nsummary = "A."\n{written}\n', encoding="utf-8"
    )

    with pytest.raises(ConfigurationError) as error:
        every_rule(load(file).custom_rules)

    assert str(error.value).startswith(f"{file}:{line}:{column}: nothing is called issue.titel")


# -- rules of other packages -------------------------------------------------------------------------------------------

PACKAGE = '''
from backlint.model import Severity
from backlint.rules.rule import Rule


class MissingCostCentre(Rule):
    """No cost centre is named."""

    code = "{code}"
    name = "missing-cost-centre"
    severity = Severity.INFO

    def check(self, issue, context):
        if "cost_centre" not in issue.fields:
            yield self.fail(issue, context, "No cost centre is named.")


broken = 1
'''


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.syspath_prepend(tmp_path)

    def write(code: str = "ACME001", value: str = "acme_rules") -> list[EntryPoint]:
        (tmp_path / "acme_rules.py").write_text(PACKAGE.replace("{code}", code), encoding="utf-8")
        return [EntryPoint("acme", value, "backlint.rules")]

    yield write
    sys.modules.pop("acme_rules", None)


@pytest.mark.parametrize("value", ["acme_rules", "acme_rules:MissingCostCentre"])
def test_a_package_brings_rules_by_module_or_by_class(package: Any, value: str) -> None:
    (rule,) = installed_rules(own_rules(), package(value=value))

    assert (rule.code, rule.__module__) == ("ACME001", "acme_rules")
    context = Context(now=EXAMPLE_NOW, backlog=one_issue_backlog(WEB_STORY, now=EXAMPLE_NOW), texts=TextCache())
    assert [each.verdict for each in judge(WEB_STORY, [rule()], context)] == [Verdict.FAIL]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"code": "AC001"}, "belong to backlint's own rules"),
        ({"code": "acme"}, "has the code 'acme'"),
        ({"value": "acme_rules:broken"}, "is no rule"),
        ({"value": "acme_rules:nothing"}, "cannot be loaded"),
        ({"value": "no_such_module"}, "cannot be loaded"),
    ],
)
def test_a_package_with_a_wrong_rule_is_named(package: Any, given: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        installed_rules(own_rules(), package(**given))


# -- the guide ---------------------------------------------------------------------------------------------------------

GUIDE = (Path(__file__).parents[2] / "docs" / "custom-rules.md").read_text(encoding="utf-8")


def _fence(language: str) -> str:
    return GUIDE.split(f"```{language}\n", 1)[1].split("```", 1)[0]


def test_the_guide_shows_rules_that_do_what_their_examples_say() -> None:
    (web,) = (
        rule for rule in every_rule(Settings(**tomllib.loads(_fence("toml"))).custom_rules) if rule.code == "WEB001"
    )
    names: dict[str, Any] = {"__name__": "acme_rules"}
    exec(_fence("python"), names)  # noqa: S102 - the guide's own code

    trials = [*tried(web), *tried(names["MissingCostCentre"])]

    assert [(trial.rule, trial.is_right) for trial in trials] == [("WEB001", True)] * 2 + [("ACME001", True)] * 2


def test_the_guide_names_every_variable() -> None:
    for name, variable in VARIABLES.items():
        assert f"| `{name}` | {variable.about} |" in GUIDE
