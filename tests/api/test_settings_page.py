"""docs/settings.md: what the program accepts, every key of it, with a meaning."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import BaseModel

from backlint.api.settings_page import page
from backlint.settings import CheckSettings, Settings, SourceSettings, StoreSettings, WriteBackSettings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"
MODELS = (Settings, StoreSettings, SourceSettings, WriteBackSettings, CheckSettings)


def test_the_page_is_what_the_program_prints() -> None:
    """After a change of the settings: python -m backlint.api.settings_page > docs/settings.md"""
    assert DOCUMENT.read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("model", MODELS)
def test_every_key_says_what_it_means(model: type[BaseModel]) -> None:
    silent = [name for name, field in model.model_fields.items() if not field.description]

    assert silent == []


@pytest.mark.parametrize("model", MODELS[1:])
def test_every_key_is_on_the_page(model: type[BaseModel]) -> None:
    text = page()

    assert [name for name in model.model_fields if f"| `{name}` |" not in text] == []


def test_the_variable_of_a_key_is_shown_as_it_is_read() -> None:
    assert "| `BACKLINT_WRITE_BACK__MODE` |" in page()
    assert "`BACKLINT_TIMEZONE`" in page()
