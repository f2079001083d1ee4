"""The one factory of issues for tests and rule examples lives in the product, since examples ship with it."""

from backlint.examples import a_comment, a_transition, an_issue

__all__ = ["a_comment", "a_transition", "an_issue"]
