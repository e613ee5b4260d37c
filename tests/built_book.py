"""The web book that the tests look at: built once a session, by the first process that needs it.

A session's processes share a folder. What was built lies there, and so does the reason why something could not be: no
process tries again what failed, because a package registry that does not answer costs minutes.
"""

import subprocess
import sys
from pathlib import Path

from filelock import FileLock

ROOT = Path(__file__).parents[1]


def built(shared: Path) -> Path:
    """The book's folder."""
    out = shared / "book"
    with FileLock(shared / "book.lock"):
        if not out.exists():
            made_live(shared)
            command = [sys.executable, "-m", "docs", "--out", str(out), "--work", str(shared / "book-work")]
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
            (shared / "book.txt").write_text("" if done.returncode == 0 else done.stderr[-4000:])
            out.mkdir(exist_ok=True)
    failed = (shared / "book.txt").read_text()
    assert not failed, failed
    return out


def made_live(shared: Path) -> str:
    """Make what the live page needs, in build/live, where later sessions find it. Returns why it is missing, or ""."""
    from docs.live.files import LIVE, MissingToolError, make

    tried = shared / "live.txt"
    LIVE.parent.mkdir(exist_ok=True)
    with FileLock(LIVE.parent / "live.lock"):
        if not tried.exists():
            try:
                make(LIVE)
                tried.write_text("")
            except MissingToolError as missing:
                tried.write_text(f"SKIPPED: {missing}")
    return tried.read_text()
