"""The one folder in which all data lives, TRACEVIEWER_HOME, and the machine it is on."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = ("files", "incoming", "cache", "bells", "broker/messages", "broker/taken", "broker/control")


def open_home() -> Path:
    """The folder, made with all it needs on first use; nobody else may look into it."""
    home = Path(os.environ.get("TRACEVIEWER_HOME") or PROJECT / ".traceviewer").resolve()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def secret_key(home: Path) -> str:
    """The key of this installation. Made once; of two processes that start together, one wins."""
    path = home / "secret_key"
    if not path.exists():
        mine = home / f".secret_key-{secrets.token_hex(8)}"
        mine.touch(mode=0o600)
        mine.write_text(secrets.token_urlsafe(64))
        try:
            os.link(mine, path)
        except FileExistsError:
            pass
        mine.unlink()
    return path.read_text()


def machine_memory_bytes() -> int:
    """What this machine has, or this container may use."""
    has = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        most = Path("/sys/fs/cgroup/memory.max").read_text().strip()
    except OSError:  # no container, or an older kind
        return has
    return min(has, int(most)) if most.isdigit() else has
