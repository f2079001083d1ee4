"""Rules are found by looking, named in three ways and chosen by profile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import backlint.rules
from backlint.errors import ConfigurationError
from backlint.model import IssueType
from backlint.rules.registry import PROFILES, all_rules, configured, family, find

HERE = Path(backlint.rules.__file__).parent


def codes(*args: object, **given: object) -> list[str]:
    return [rule.code for rule in configured(*args, **given)]  # type: ignore[arg-type]


def test_the_twelve_are_there_in_order_of_their_codes() -> None:
    found = [rule.code for rule in all_rules()]

    assert found == sorted(set(found))
    assert {
        "AC001", "AC002", "OUT001", "OUT002", "OWN001", "OWN002",
        "OWN003", "REV001", "TXT001", "EST001", "FLO001", "FLO002",
    } <= set(found)  # fmt: skip


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.code)
def test_a_rule_lives_in_a_file_named_after_its_smell(rule: type[backlint.rules.rule.Rule]) -> None:
    assert rule.__module__.rpartition(".")[2] == rule.name.replace("-", "_")
    assert re.fullmatch(r"[A-Z]{2,3}\d{3}", rule.code)
    assert rule.label is None or " " not in rule.label


def test_rules_do_not_import_rules() -> None:
    modules = {rule.__module__.rpartition(".")[2] for rule in all_rules()}

    for module in modules:
        text = (HERE / f"{module}.py").read_text(encoding="utf-8")
        imported = set(re.findall(r"from backlint\.rules\.(\w+) import", text))
        assert not imported & modules, module


@pytest.mark.parametrize("name", ["AC001", "ac001", "missing-acceptance-criteria", "MissingAcceptanceCriteria"])
def test_a_rule_is_found_by_any_of_its_names(name: str) -> None:
    assert find(name).code == "AC001"


def test_an_unknown_rule_suggests_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match=r"no rule 'AC01'; did you mean AC001 \(missing-acceptance-criteria\)"):
        find("AC01")


def test_an_unknown_profile_suggests_the_nearest() -> None:
    with pytest.raises(ConfigurationError, match="did you mean 'kanban'"):
        configured("kanbam")


def test_profiles_hold_codes_and_families() -> None:
    assert set(codes("starter")) <= set(PROFILES["starter"])
    assert {"AC001", "AC002", "OUT001", "OWN001", "TXT001", "FLO002"} <= set(codes("starter"))
    assert {"EST001", "REV001", "OUT002"} <= set(codes("scrum"))
    assert "EST001" not in codes("kanban")
    assert {"FLO001", "FLO002"} <= set(codes("kanban"))
    assert "AC001" not in codes("oss")
    assert codes("full") == [rule.code for rule in all_rules()]


def test_rules_are_added_and_left_out_by_code_name_or_family() -> None:
    assert "OWN003" in codes("starter", enabled=["inactive-owner"])
    assert not [code for code in codes("full", disabled=["OWN", "missing-estimate"]) if family(code) == "OWN"]
    assert "EST001" not in codes("full", disabled=["missing-estimate"])


def test_options_reach_their_rule() -> None:
    rules = configured("starter", {"missing-acceptance-criteria": {"types": ["story", "task"]}})

    assert {rule.code: rule for rule in rules}["AC001"].values["types"] == {IssueType.STORY, IssueType.TASK}


def test_options_of_rules_outside_the_profile_are_checked_too() -> None:
    with pytest.raises(ConfigurationError, match="EST001"):
        configured("starter", {"EST001": {"nonsense": 1}})


def test_a_wrong_rule_among_the_enabled_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="no rule"):
        configured("starter", enabled=["NOPE"])
