"""Texts after the pipeline, each read once; what rules get as `context.texts`."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Hashable, Iterable, Mapping
from threading import Lock
from types import MappingProxyType

from backlint.model import Issue, Markup
from backlint.text.blocks import Parsed
from backlint.text.document import Document, read
from backlint.text.parse import parse
from backlint.text.templates import (
    LEARNED_COUNT,
    NO_TEMPLATES,
    TemplateKey,
    Templates,
    shared_lines,
    template_key,
)

# A document takes some ten times its text; this many characters of text are some hundred megabytes at most.
MAX_DOCUMENTS = 4096
MAX_CHARACTERS = 8_000_000
MAX_PARSED_CHARACTERS = 4_000_000  # kept between learning and reading


class TextCache:
    """Reads bodies with the templates of their project and type, and other texts without any.

    Templates are the given ones, or those that `learn_from` share, learned when the first issue of a project and type
    is read. What was parsed for it is kept until it is read, so judge issues of one project and type together.
    The oldest documents go when there are too many or their texts too long; a new body is a new text.
    """

    def __init__(
        self,
        templates: Mapping[TemplateKey, Templates] = MappingProxyType({}),
        *,
        learn_from: Iterable[Issue] = (),
        max_documents: int = MAX_DOCUMENTS,
        max_characters: int = MAX_CHARACTERS,
    ) -> None:
        self._templates = dict(templates)
        self._lessons: dict[TemplateKey, list[Issue]] = defaultdict(list)
        for issue in learn_from:
            self._lessons[template_key(issue)].append(issue)
        self._parsed: dict[tuple[Markup, str], Parsed] = {}
        self._parsed_characters = 0
        self._max_documents = max_documents
        self._max_characters = max_characters
        self._documents: OrderedDict[Hashable, Document] = OrderedDict()
        self._characters = 0
        self._last: tuple[Issue, Document] | None = None  # many rules in a row ask for the same body
        self._lock = Lock()
        self._learning = Lock()

    def body(self, issue: Issue) -> Document:
        """The issue's description, without what its template brought."""
        last = self._last
        if last is not None and last[0] is issue:
            return last[1]
        templates = self.templates(template_key(issue))
        document = self._read((issue.identity, issue.markup, issue.body), issue.body, issue.markup, templates)
        self._last = issue, document
        return document

    def templates(self, key: TemplateKey) -> Templates:
        """The lines that are nobody's in issues of that source, project and type."""
        known = self._templates.get(key)
        if known is not None:
            return known
        with self._learning:
            if key not in self._templates:
                members = self._lessons.pop(key, ())
                learned = shared_lines(map(self._parse, members)) if len(members) >= LEARNED_COUNT else NO_TEMPLATES
                self._templates[key] = learned
            return self._templates[key]

    @property
    def learned(self) -> Mapping[TemplateKey, Templates]:
        """All templates that are known by now."""
        return self._templates

    def _parse(self, issue: Issue) -> Parsed:
        """Parsed, and kept while there is room, since the issue is probably read next."""
        parsed = parse(issue.body, issue.markup)
        if self._parsed_characters < MAX_PARSED_CHARACTERS and (issue.markup, issue.body) not in self._parsed:
            self._parsed[issue.markup, issue.body] = parsed
            self._parsed_characters += len(issue.body)
        return parsed

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
        parsed = self._parsed.pop((markup, text), None)
        if parsed is not None:
            self._parsed_characters -= len(text)
        document = read(text, markup, templates=templates, parsed=parsed)
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
