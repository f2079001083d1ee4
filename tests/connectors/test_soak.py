"""A short soak of every sandbox tracker; scripts/soak is the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.connectors.soaking import shown, soaking

ROUNDS = 4
SEEDS = {"jira-cloud": 21, "jira-server": 22, "linear": 23, "github": 3}


@pytest.mark.parametrize("name", SEEDS)
def test_after_every_round_of_edits_faults_and_kills_the_store_equals_the_tracker(name: str, tmp_path: Path) -> None:
    with soaking(name, tmp_path, seed=SEEDS[name], size=50) as soak:
        for _ in range(ROUNDS):
            problems = soak.round()

            assert not problems, f"seed {soak.seed}, round {soak.rounds}:{shown(problems)}"
        assert soak.sandbox.faults.injected
        assert soak.kills
