"""What headings open."""

from __future__ import annotations

import pytest

from backlint.text.headings import OTHER, Meaning, meanings_of_heading, meanings_of_label


@pytest.mark.parametrize(
    ("heading", "meaning"),
    [
        ("Acceptance Criteria", "acceptance"),
        ("### ✅ Acceptance criteria", "acceptance"),
        ("Acceptance Criteria (draft)", "acceptance"),
        ("3. Acceptance criteria:", "acceptance"),
        (":white_check_mark: Acceptance Criteria", "acceptance"),
        ("AC:", "acceptance"),
        ("ACs", "acceptance"),
        ("Conditions of Satisfaction (COS)", "acceptance"),
        ("COS", "acceptance"),
        ("Done when", "acceptance"),
        ("Akzeptanzkriterien", "acceptance"),
        ("Abnahmekriterien", "acceptance"),
        ("Critères d’acceptation", "acceptance"),
        ("Criterios de aceptación", "acceptance"),
        ("Critérios de aceitação", "acceptance"),
        ("Critérios de aceite", "acceptance"),
        ("Criteri di accettazione", "acceptance"),
        ("Acceptatiecriteria", "acceptance"),
        ("Kryteria akceptacji", "acceptance"),
        ("受け入れ条件", "acceptance"),
        ("完了条件", "acceptance"),
        ("完成标准", "acceptance"),
        ("인수 조건", "acceptance"),
        ("Критерии приёмки", "acceptance"),
        ("Κριτήρια αποδοχής", "acceptance"),
        ("معايير القبول", "acceptance"),
        ("קריטריוני קבלה", "acceptance"),
        ("स्वीकृति मानदंड", "acceptance"),
        ("Acceptanskriterier", "acceptance"),
        ("Hyväksymiskriteerit", "acceptance"),
        ("Akceptační kritéria", "acceptance"),
        ("Kabul kriterleri", "acceptance"),
        ("Tests d’acceptation", "acceptance"),
        ("Condiciones de aceptación", "acceptance"),
        ("What done looks like", "acceptance"),
        ("The story is complete when", "acceptance"),
        ("How will we know we're done?", "acceptance"),
        ("Criteria for completion", "acceptance"),
        ("Zweck", "outcome"),
        ("Valeur métier", "outcome"),
        ("Business justification", "outcome"),
        ("背景と目的", "outcome"),
        ("목표", "outcome"),
        ("Goal", "outcome"),
        ("Goals of this change", "outcome"),
        ("Why?", "outcome"),
        ("Why is this important?", "outcome"),
        ("Success metrics", "outcome"),
        ("Expected impact", "outcome"),
        ("Hypothesis", "outcome"),
        ("Ziel", "outcome"),
        ("Wirkung", "outcome"),
        ("Objectif", "outcome"),
        ("Métrica de éxito", "outcome"),
        ("Hipótese", "outcome"),
        ("Owner", "owner"),
        ("DRI", "owner"),
        ("Verantwortlich", "owner"),
        ("Responsable", "owner"),
        ("Review date", "review"),
        ("Überprüfung am", "review"),
        ("Date de revue", "review"),
        ("Steps to reproduce", "steps"),
        ("How to reproduce the bug", "steps"),
        ("STR", "steps"),
        ("What did you do?", "steps"),
        ("Schritte zur Reproduktion", "steps"),
        ("Étapes pour reproduire", "steps"),
        ("Pasos para reproducir", "steps"),
        ("Passos para reproduzir", "steps"),
        ("What is the expected *correct* behavior?", "expected"),
        ("Expected Results", "expected"),
        ("What should happen?", "expected"),
        ("Erwartetes Verhalten", "expected"),
        ("Comportement attendu", "expected"),
        ("What is the current *bug* behavior?", "actual"),
        ("Actual Result", "actual"),
        ("What happened?", "actual"),
        ("Tatsächliches Verhalten", "actual"),
        ("Ist-Verhalten", "actual"),
        ("Out of scope", "out_of_scope"),
        ("Non-goals", "out_of_scope"),
        ("Won't do", "out_of_scope"),
        ("Nicht enthalten", "out_of_scope"),
        ("Hors périmètre", "out_of_scope"),
        ("Guardrails", "guardrail"),
        ("Counter-metric", "guardrail"),
        ("Leitplanken", "guardrail"),
        ("Definition of Done", "excluded"),
        ("Definition of Ready Checklist", "excluded"),
        ("DoD", "excluded"),
        ("Before you submit", "excluded"),
        ("Environment", "excluded"),
        ("Sub-tasks", "excluded"),
        ("To do", "excluded"),
    ],
)
def test_a_heading_opens_what_it_says(heading: str, meaning: str) -> None:
    assert meanings_of_heading(heading) == {Meaning(meaning)}


@pytest.mark.parametrize(
    "heading",
    [
        "", "Notes", "Background", "Sprint goal", "Description", "Acme Corp", "Trac", "Strategy", "Additional context",
        "The goal was to make it work but then we found out that it could not be done at all",
    ],
)  # fmt: skip
def test_other_headings_open_nothing(heading: str) -> None:
    assert meanings_of_heading(heading) == OTHER


def test_the_outcome_that_a_spike_expects_is_also_what_is_accepted() -> None:
    assert meanings_of_heading("Expected outcome") == {Meaning.ACCEPTANCE, Meaning.OUTCOME, Meaning.EXPECTED}


@pytest.mark.parametrize("line", ["the goal is to sell more", "we discussed the acceptance criteria", "why it fails"])
def test_a_sentence_is_no_label(line: str) -> None:
    assert meanings_of_label(line) == frozenset()
