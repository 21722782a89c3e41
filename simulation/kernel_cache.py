"""Where Numba keeps compiled kernels: a folder per state of the sources.

Numba looks only at the file a kernel stands in; a kernel that inlines one of another file would be taken from the
cache after that file has changed. So the folder's name is a digest of all files that hold kernels.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE / "__pycache__"


def use() -> None:
    """Point Numba there. Has to run before Numba is imported; an operator's NUMBA_CACHE_DIR is left alone."""
    if os.access(HERE, os.W_OK):
        os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / f"kernels-{_digest()}"))


def forget_others() -> None:
    """Delete what was compiled from other states of the sources."""
    for folder in ROOT.glob("kernels-*"):
        if str(folder) != os.environ.get("NUMBA_CACHE_DIR"):
            shutil.rmtree(folder, ignore_errors=True)


def _digest() -> str:
    """Of the files that hold kernels, names and contents; takes a few milliseconds."""
    digest = hashlib.sha256()
    for path in sorted(HERE.rglob("*.py")):
        source = path.read_bytes()
        if b"njit" in source:
            digest.update(path.name.encode() + b"\0" + source)
    return digest.hexdigest()[:16]
