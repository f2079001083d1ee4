"""Files as input and output: what trackers and backlint itself export."""

from backlint.connectors.file.reader import FileKind, FileRead, RejectedRow, read_issues

__all__ = ["FileKind", "FileRead", "RejectedRow", "read_issues"]
