"""The language of a text."""

from __future__ import annotations

import subprocess
import sys

import pytest

from backlint.text.languages import detect, sure_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Users can export invoices as a spreadsheet", "en"),
        ("Die Liste ist nach dem Speichern nach Namen sortiert", "de"),
        ("Les utilisateurs peuvent exporter les factures", "fr"),
        ("Los usuarios pueden exportar facturas como hoja de cálculo", "es"),
        ("Os usuários podem exportar faturas como planilha", "pt"),
        ("Il messaggio di errore indica il campo mancante", "it"),
        ("De lijst is na het opslaan op naam gesorteerd", "nl"),
        ("Użytkownicy mogą eksportować faktury do arkusza", "pl"),
    ],
)
def test_a_sentence_of_each_enabled_language_is_known(text: str, language: str) -> None:
    assert sure_language(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "", "Page loads", "Seznam je po uložení seřazen podle jména", "Списък на всички фактури на потребителя",
        "NullPointerException", "com.acme.shop.ClosedException",
    ],
)  # fmt: skip
def test_short_and_foreign_texts_cannot_be_said(text: str) -> None:
    assert sure_language(text) is None


def test_no_words_have_no_language() -> None:
    assert detect(" -- \n") is None


def test_reading_a_text_loads_no_language_model() -> None:
    program = "import sys, backlint.text.document, backlint.text.languages; sys.exit('py3langid' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
