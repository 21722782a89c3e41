"""Figures and names as text, on the command line and on pages that the server renders.

The browser says the same in frontend/src/ui/format.ts and text.ts; tests/samples/display.json holds both to it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from math import floor, log10

UNITS = (("us", 1e3), ("ms", 1e6), ("s", 1e9))
BYTE_UNITS = ("B", "kB", "MB", "GB", "TB")
MINUS = "\u2212"
UNKNOWN = "–"
DISPLAY_LIMIT = 200

# Controls, marks and overrides that reorder text, invisible spaces, lone surrogates. Joiners of scripts stay.
UNSEEN = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff]"
)


def significant(value: float, digits: int = 3) -> str:
    """A magnitude with so many significant digits, but never fewer than its integer digits: 7.63, 220."""
    rounded = float(f"{value:.{digits}g}")
    integer_digits = 1 if rounded < 1 else floor(log10(rounded)) + 1
    return f"{value:.{max(0, digits - integer_digits)}f}"


def duration(ns: int | None) -> str:
    """7635012 -> "7.64 ms"; None (not known) is an en dash."""
    if ns is None:
        return UNKNOWN
    sign, magnitude = (MINUS if ns < 0 else ""), abs(ns)
    if magnitude < 1000:
        return f"{sign}{magnitude} ns"
    texts = ((significant(magnitude / scale), unit) for unit, scale in UNITS)
    # The unit is chosen after rounding, which may carry into the next: 999,999 ns is 1.00 ms.
    text, unit = next(pair for pair in texts if float(pair[0]) < 1000 or pair[1] == "s")
    return f"{sign}{text} {unit}"


def size(value: int | None) -> str:
    """4194304 -> "4.19 MB", as formatBytes; None is an en dash."""
    if value is None:
        return UNKNOWN
    sign, magnitude, unit = (MINUS if value < 0 else ""), abs(value), 0
    while magnitude >= 999.5 and unit < len(BYTE_UNITS) - 1:
        magnitude, unit = magnitude / 1000, unit + 1
    text = significant(magnitude) if unit else str(value).lstrip("-")
    return f"{sign}{text} {BYTE_UNITS[unit]}"


def count(number: int) -> str:
    """40573 -> "40,573"."""
    return f"{number:,}".replace("-", MINUS)


def percent(share: float) -> str:
    """-0.2134 -> "−0.21 %", with its sign unless it rounds to nothing."""
    magnitude = abs(share)
    text = f"{magnitude:,.0f}" if magnitude >= 999.5 else significant(magnitude)
    sign = "" if float(text.replace(",", "")) == 0 else MINUS if share < 0 else "+"
    return f"{sign}{text} %"


def moment(at: datetime | str) -> str:
    """A time, or one as the API writes it -> "23 Nov 2026, 02:58" (UTC; the browser turns it into local time)."""
    at = datetime.fromisoformat(at) if isinstance(at, str) else at
    return f"{at.astimezone(UTC):%-d %b %Y, %H:%M} UTC"


def visible(text: str, limit: int = DISPLAY_LIMIT) -> str:
    """The text with unseen characters by name, cut for display; what is stored stays whole."""
    return UNSEEN.sub(lambda match: named(match[0]), cut(text, limit))


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"


def named(character: str) -> str:
    return f"<U+{ord(character):04X}>"
