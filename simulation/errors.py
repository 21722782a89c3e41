"""What can be wrong with the input, said in a way a user can act on.

A `TraceError` is the user's to mend and is never retried: the web side turns it into a 4xx answer or a
failed job with this text, the command line into exit status 2.
"""

from __future__ import annotations


class TraceError(Exception):
    """Bad input: what was wrong, where, and what to do about it."""

    def __init__(
        self,
        what: str,
        *,
        file: str | None = None,
        byte: int | None = None,
        event: int | None = None,
        hint: str | None = None,
    ) -> None:
        self.what = what
        self.file = file
        self.byte = byte
        self.event = event
        self.hint = hint
        super().__init__(str(self))

    def __str__(self) -> str:
        places = [self.file] if self.file else []
        if self.event is not None:
            places.append(f"event {self.event:,}")
        if self.byte is not None:
            places.append(f"byte {self.byte:,}")
        where = f"{', '.join(places)}: " if places else ""
        hint = f". {self.hint}" if self.hint else ""
        return f"{where}{self.what}{hint}"


class UnknownFormat(TraceError):
    """The content is of no format that we read."""


class DamagedTrace(TraceError):
    """The format is known, but the file cannot be read to a useful end."""


class EmptyTrace(TraceError):
    """The file is readable and holds nothing to show."""


class StoreError(TraceError):
    """A stored file is missing, of another version, or does not belong to its run."""


class Cancelled(Exception):
    """The caller's progress callback asked to stop; not the user's fault, nothing is kept."""
