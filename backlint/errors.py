"""Every error backlint raises on purpose, split by what the caller can do next.

BacklintError                 print the message, exit code 2
├── ConfigurationError        fix the file or the variable it names
├── InputError                fix the input file at the line it names
├── StoreError                upgrade the program or the database
├── NotificationFailed        a digest was not taken: it is tried again
└── TrackerError              the tracker did not do what was asked
    ├── TokenRefused          401: make a new token
    ├── PermissionMissing     403: grant the right it names
    ├── NotFound              404/410: the project, issue or comment is gone or hidden
    ├── TrackerDown           try again later, after `retry_after`
    ├── RequestRefused        the tracker says that the request itself is wrong: a fault of ours or of a setting
    └── MalformedPayload      this one issue cannot be read; quarantine it and go on
"""

from __future__ import annotations

from datetime import timedelta


class BacklintError(Exception):
    """The fact and the remedy, in one or two sentences fit to print."""


class ConfigurationError(BacklintError):
    """A setting is missing, unknown or contradictory; the message names the key or the variable."""


class InputError(BacklintError):
    """A file cannot be read; the message names the file, the line and the field."""


class StoreError(BacklintError):
    """The database cannot be used as it is; the message says what to run."""


class NotificationFailed(BacklintError):
    """A digest could not be handed over; the message holds nothing of the address."""


class TrackerError(BacklintError):
    """The tracker did not do what was asked; `status` is the HTTP status, if there was an answer."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class TokenRefused(TrackerError):
    """The token is wrong, expired or revoked."""


class PermissionMissing(TrackerError):
    """The token is good and lacks a scope or permission, which the message names where the tracker does."""


class NotFound(TrackerError):
    """Not there, or not visible to this account: trackers do not tell the two apart."""


class TrackerDown(TrackerError):
    """Try again later. `retry_after` is the wait the tracker asked for, if any."""

    def __init__(self, message: str, *, status: int | None = None, retry_after: timedelta | None = None) -> None:
        super().__init__(message, status=status)
        self.retry_after = retry_after


class RequestRefused(TrackerError):
    """The tracker understood the request and refuses it (400, 409, 413, 422, GraphQL validation)."""


class MalformedPayload(TrackerError):
    """A payload lacks what an issue must have; names the issue and the path, so that it can be quarantined."""

    def __init__(self, message: str, *, issue: str, path: str) -> None:
        super().__init__(message)
        self.issue = issue
        self.path = path
