"""The short form of scripts/chaos: killed, refused, cut off and answered late, the service ends as if undisturbed."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.api.chaos import Ended, Storm, differences, postgres_database, run, today

pytestmark = pytest.mark.long
SIZE, SEED = 12, 3
NOW = today()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    folder = tmp_path_factory.mktemp("undisturbed")
    return run(folder, store=f"sqlite:///{folder / 'backlint.db'}", size=SIZE, seed=SEED, now=NOW)


@pytest.mark.xdist_group("chaos")
def test_an_undisturbed_service_explains_every_write_in_its_log(undisturbed: Ended) -> None:
    assert undisturbed.problems == []
    assert undisturbed.writes > 20
    bodies = [comment for _, comments in undisturbed.truth.values() for comment in comments]
    assert any("question" in body for body in bodies)


@pytest.mark.xdist_group("chaos")
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_killed_and_cut_off_it_ends_as_if_nothing_had_happened(
    database: str, undisturbed: Ended, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    storm = Storm(seed=SEED, kill_after=(0.5, 2.0), weather_every=(0.3, 1.0), most_kills=3)
    with ExitStack() as stack:
        if database == "sqlite":
            store, workers = f"sqlite:///{tmp_path / 'backlint.db'}", 0
        else:
            store, workers = stack.enter_context(postgres_database(request.getfixturevalue("postgres_server"))), 2
        ended = run(tmp_path, store=store, size=SIZE, seed=SEED, now=NOW, workers=workers, storm=storm)

    assert differences(undisturbed.truth, ended.truth) == []
    assert ended.problems == []
    assert ended.kills > 0
    assert ended.faults
