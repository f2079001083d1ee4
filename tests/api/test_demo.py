"""The demo as a newcomer runs it, and its reports as a browser shows them."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from backlint.api.commands.demo import HOOK_SECRET, HOOK_VARIABLE, OWN_FILES
from backlint.api.commands.every_report import PAGES
from backlint.rules.registry import family, own_rules
from tests.api.places import API_VARIABLE, run_backlint
from tests.api.services import Running, served, until

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


@pytest.fixture(scope="module")
def demo_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    code, out, err = run_backlint(folder, "demo", "--size", "60")
    assert code == 0, err
    (folder / "said").write_text(out, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("needs a Chromium on this machine")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield launched
        launched.close()


def test_the_demo_ends_with_an_empty_second_plan_and_names_its_reports(demo_folder: Path) -> None:
    said = (demo_folder / "said").read_text(encoding="utf-8")

    assert "0 changes wanted" in said
    assert "0 failed" in said
    assert [name for name in PAGES if str(demo_folder / "backlint-demo" / name) not in said] == []


def test_every_family_of_rules_has_something_to_say(tmp_path: Path) -> None:
    code, out, err = run_backlint(tmp_path, "demo", "--keep", "--size", "100")
    assert code == 0, err
    found = re.search(r"stop them with: kill (\d+)", out + err)
    assert found is not None
    os.kill(int(found.group(1)), signal.SIGTERM)
    _, out, _ = run_backlint(tmp_path / "backlint-demo", "check", "--format", "json")
    facts = json.loads(out)
    said = {family(each["rule"]) for each in (*facts["findings"], *facts["scope_findings"])}

    assert facts["private"] > 0
    assert said | {"SEC"} == {family(rule.code) for rule in own_rules()}


@pytest.mark.long
def test_the_kept_demo_is_served_with_live_webhooks_and_audits_by_its_schedule(tmp_path: Path) -> None:
    code, out, err = run_backlint(tmp_path, "demo", "--keep", "--size", "30")
    assert code == 0, err
    found = re.search(r"stop them with: kill (\d+)", out + err)
    assert found is not None
    folder = tmp_path / "backlint-demo"
    config = folder / "backlint.toml"
    hurried = config.read_text(encoding="utf-8").replace("*/5 * * * *", "* * * * *")
    config.write_text(hurried.replace("[service]", f'[service]\napi_token_env = "{API_VARIABLE}"'), encoding="utf-8")
    try:
        with served(folder, environment={HOOK_VARIABLE: HOOK_SECRET}) as service:
            for source in tomllib.loads(hurried)["sources"]:
                control = re.sub(r"(http://[^/]+).*", r"\1/_sandbox/disturb", source["url"])
                httpx.post(control, json={"seed": 1, "count": 2}, timeout=30).raise_for_status()
            names = {"jira", "linear", "github"}
            until(lambda: {run["facts"]["source"] for run in _done(service, "webhook")} == names, service)
            until(lambda: any(run["facts"] for run in _done(service, "audit")), service, timeout=150)
    finally:
        os.kill(int(found.group(1)), signal.SIGTERM)

    assert {file.name for file in folder.iterdir()} <= OWN_FILES  # a second demo makes room for itself


def _done(service: Running, kind: str) -> list[Any]:
    return [run for run in service.get(f"/api/runs?kind={kind}") if run["outcome"] == "done"]


def test_the_demo_cleans_up_after_itself(demo_folder: Path) -> None:
    assert {file.name for file in (demo_folder / "backlint-demo").iterdir()} == set(PAGES)


def test_the_demo_runs_a_second_time_over_its_own_folder_and_refuses_a_foreign_one(demo_folder: Path) -> None:
    foreign = demo_folder / "foreign"
    foreign.mkdir()
    (foreign / "thesis.txt").write_text("mine", encoding="utf-8")

    code, _, err = run_backlint(demo_folder, "demo", "--size", "60", "--folder", str(foreign))

    assert code == 2
    assert "thesis.txt" in err
    assert (foreign / "thesis.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [1280, 390])
def test_a_report_is_one_file_that_a_browser_shows_without_asking_anybody(
    demo_folder: Path, browser: Browser, name: str, width: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800}, java_script_enabled=False)
    asked: list[str] = []
    errors: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: errors.append(str(error)))

    page.goto((demo_folder / "backlint-demo" / name).as_uri())

    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []
    assert errors == []
    assert page.locator("h1").inner_text()
    assert page.locator("svg").count() > 0 or name.startswith("weekly")
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 1, f"{overflow} pixels wider than the screen"
    page.close()


def test_every_number_of_a_chart_is_reached_with_the_keyboard(demo_folder: Path, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 800}, java_script_enabled=False)
    page.goto((demo_folder / "backlint-demo" / "cycle-time.html").as_uri())
    charts = page.locator("figure").filter(has=page.locator("svg[role=img]"))
    tables = 0

    for place in range(charts.count()):
        chart = charts.nth(place)
        chart.get_by_role("region", name="chart").focus()
        page.keyboard.press("Tab")
        if chart.locator("summary:focus").count():
            page.keyboard.press("Enter")
            assert chart.locator("table").is_visible()
            tables += 1
        else:
            target = page.locator("a:focus").get_attribute("href")
            page.keyboard.press("Enter")
            assert page.locator(f"{target}:target").is_visible()
    assert (charts.count(), tables) == (6, 4)
    page.close()


def test_no_report_refers_to_another_host(demo_folder: Path) -> None:
    for name in PAGES:
        text = (demo_folder / "backlint-demo" / name).read_text(encoding="utf-8")
        loaded = re.findall(r"""(?:src|srcset|@import|url\()\s*=?\s*["']?(https?://[^"')\s]+)""", text)
        assert loaded == []
