"""Texts after the pipeline, each read once; what rules get as `context.texts`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock
from types import MappingProxyType

from backlint.model import Issue, Markup
from backlint.text.document import Document, read
from backlint.text.templates import NO_TEMPLATES, TemplateKey, Templates, template_key

# A document takes some ten times its text; this many characters of text are some hundred megabytes at most.
MAX_DOCUMENTS = 4096
MAX_CHARACTERS = 8_000_000


class TextCache:
    """Reads bodies with the templates of their project and type, and other texts without any.

    The oldest documents go when there are too many or their texts too long; a new body is a new text.
    """

    def __init__(
        self,
        templates: Mapping[TemplateKey, Templates] = MappingProxyType({}),
        *,
        max_documents: int = MAX_DOCUMENTS,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._templates = templates
        self._max_documents = max_documents
        self._max_characters = max_characters
        self._documents: OrderedDict[Hashable, Document] = OrderedDict()
        self._characters = 0
        self._last: tuple[Issue, Document] | None = None  # many rules in a row ask for the same body
        self._lock = Lock()

    def body(self, issue: Issue) -> Document:
        """The issue's description, without what its template brought."""
        last = self._last
        if last is not None and last[0] is issue:
            return last[1]
        templates = self._templates.get(template_key(issue), NO_TEMPLATES)
        document = self._read((issue.identity, issue.markup, issue.body), issue.body, issue.markup, templates)
        self._last = issue, document
        return document

    def read(self, text: str, markup: Markup) -> Document:
        """Any other text: a comment, a field, a project's description."""
        return self._read((markup, text), text, markup, NO_TEMPLATES)

    def __len__(self) -> int:
        return len(self._documents)

    def _read(self, key: Hashable, text: str, markup: Markup, templates: Templates) -> Document:
        with self._lock:
            known = self._documents.get(key)
            if known is not None:
                self._documents.move_to_end(key)
                return known
        document = read(text, markup, templates=templates)
        with self._lock:
            if key not in self._documents:
                self._documents[key] = document
                self._characters += len(document.text)
            while len(self._documents) > self._max_documents or (
                self._characters > self._max_characters and len(self._documents) > 1
            ):
                _, oldest = self._documents.popitem(last=False)
                self._characters -= len(oldest.text)
        return document
