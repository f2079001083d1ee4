"""The house itself: packaging, links, commands named in documents, secrets in cassettes."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("rules", "connectors", "sync", "api", "migrations")


def test_the_folders_have_one_import_name() -> None:
    for name in FOLDERS:
        link = ROOT / "backlint" / name
        assert link.is_symlink()
        assert link.resolve() == ROOT / name


@pytest.fixture(scope="module")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # A copy, since the build writes into its source folder; links stay links.
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(source)],
        check=True,
        capture_output=True,
    )
    (wheel,) = folder.glob("*.whl")
    return zipfile.ZipFile(wheel).namelist()


def test_the_wheel_has_no_other_top_level_name(wheel_names: list[str]) -> None:
    tops = {name.partition("/")[0] for name in wheel_names}

    assert {top for top in tops if not top.endswith(".dist-info")} == {"backlint"}


def test_the_wheel_holds_every_module_and_data_file_of_the_repository(wheel_names: list[str]) -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
        "\n"
    )
    shipped = re.compile(r"\.(py|jinja|css|js|graphql|mako)$|py\.typed$")
    wanted = {
        name if name.startswith("backlint/") else f"backlint/{name}"
        for name in tracked
        if name.partition("/")[0] in (*FOLDERS, "backlint") and shipped.search(name)
    }

    assert wanted - set(wheel_names) == set()


def test_no_wheel_holds_tests_or_corpus(wheel_names: list[str]) -> None:
    assert [name for name in wheel_names if "/tests/" in name or "corpus" in name] == []


def test_ci_runs_the_command_that_the_readme_gives() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")

    assert "scripts/test" in readme
    assert "-c requirements.lock -e '.[dev]'" in readme
    assert "-c requirements.lock -e '.[dev]'" in ci
    assert re.search(r"^scripts/test$", ci, re.MULTILINE)
    assert re.search(r"^scripts/check$", ci, re.MULTILINE)


def test_cassettes_carry_no_token_and_no_mail_address_but_invented_ones() -> None:
    cassettes = list((ROOT / "tests").rglob("cassettes/**/*.yaml"))
    for cassette in cassettes:
        text = cassette.read_text(encoding="utf-8")
        assert not re.search(r"^\s*(authorization|cookie|set-cookie)", text, re.IGNORECASE | re.MULTILINE), cassette
        assert "sandbox-token" not in text, cassette
        addresses = set(re.findall(r"[\w.+-]+@[\w-]+\.[\w.]+", text))
        assert all(address.rstrip(".").endswith((".test", ".example", ".invalid")) for address in addresses), cassette


def test_links_between_documents_lead_somewhere() -> None:
    documents = [
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("connectors/*/README.md"),
    ]
    for document in documents:
        for target in re.findall(r"\]\((?!https?:|#|mailto:)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"


def test_every_module_of_the_domain_is_under_the_contract_that_keeps_it_pure() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    (pure,) = [each for each in settings["contracts"] if each["name"] == "The domain knows no other part"]
    modules = {
        f"backlint.{path.stem}"
        for path in (ROOT / "backlint").iterdir()
        if not path.is_symlink() and (path.suffix == ".py" or path.is_dir()) and not path.name.startswith("__")
    }

    assert modules == set(pure["source_modules"])
