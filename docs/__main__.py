"""`python -m docs --out site`: write the web book.

Lessons and project files are laid out in build/book, then Sphinx reads them. No lesson is run: a page shows the outputs
that are stored in its notebook.
"""

import argparse
import hashlib
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.docutils import docutils_namespace, patch_docutils

from dlv3.assets.working_copy import without_outputs
from dlv3.files import write_atomically
from docs.settings import ROOT, Settings
from docs.staging import stage

_MARK = "objects.inv"


def build(
    out: Path, work: Path, notebooks: Path = ROOT / "notebooks", settings: Settings | None = None
) -> list[Path]:
    """Write the book.

    Args:
        out: the book's folder; an older book in it is written over.
        work: a folder for what the next build can use again.
        notebooks: the folder of the lessons.
        settings: the book's addresses; those of the project where left out.

    Returns:
        The pages of the lessons.

    Raises:
        ValueError: there are no lessons, `out` holds something else than a book, or Sphinx warned.
    """
    if not list(notebooks.glob("*.ipynb")):
        raise ValueError(
            f"notebooks={str(notebooks)!r}: no .ipynb files there; give the folder of the lessons"
        )
    if out.exists() and any(out.iterdir()) and not (out / _MARK).exists():
        raise ValueError(f"out={str(out)!r}: the folder holds something else; give a new or empty one")
    settings = settings or Settings.of_project()
    source, extra, doctrees = work / "source", work / "extra", work / "doctrees"
    _forget_other_code(work)
    names = stage(source, extra, notebooks, settings)
    if warnings := write_pages(source, extra, out, doctrees, settings):
        # A page that was read stays silent the next time.
        shutil.rmtree(doctrees)
        raise ValueError(f"the book has {warnings} warnings, see above; each of them is a mistake in a page")
    for name in names:
        # What a reader downloads is what JupyterLab opens: the lesson, without outputs and so without answers.
        lesson = (notebooks / f"{name}.ipynb").read_text(encoding="utf-8")
        write_atomically(out / "_sources" / "notebooks" / f"{name}.ipynb", without_outputs(lesson))
    return [out / "notebooks" / f"{name}.html" for name in names]


def write_pages(source: Path, extra: Path, out: Path, doctrees: Path, settings: Settings) -> int:
    """Let Sphinx write the pages of a folder that is laid out for it.

    Args:
        source: the folder.
        extra: files that go into the book as they are.
        out: the book's folder.
        doctrees: where Sphinx keeps what it has read.
        settings: the book's addresses.

    Returns:
        The number of warnings, which were printed on stderr.
    """
    overrides = {
        "html_extra_path": [str(extra)],
        "html_baseurl": settings.address,
        "dlv3_settings": (settings.repository, settings.branch, settings.address),
    }
    # Sphinx changes docutils for the whole process, and a second book in it would find these changes.
    with patch_docutils(str(ROOT / "docs")), docutils_namespace():
        app = Sphinx(
            str(source), str(ROOT / "docs"), str(out), str(doctrees), "html",
            confoverrides=overrides, status=None, warning=sys.stderr,
        )  # fmt: skip
        app.build()
    return max(app._warncount, app.statuscode)


def _forget_other_code(work: Path) -> None:
    """Remove what pages were read by other code than the book's today."""
    digest = hashlib.sha256()
    for path in sorted((ROOT / "docs").glob("*.py")):
        digest.update(path.read_bytes())
    stamp = work / "code.txt"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != digest.hexdigest():
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        write_atomically(stamp, digest.hexdigest().encode())


def command_line() -> argparse.ArgumentParser:
    """Return the command's parser."""
    parser = argparse.ArgumentParser(
        prog="python -m docs", description="Write the course, the reference and the results as a web book."
    )
    of_project = Settings.of_project()
    parser.add_argument("--out", type=Path, default=Path("site"), help="the folder to write; default: site")
    parser.add_argument(
        "--notebooks", type=Path, default=ROOT / "notebooks", help="the folder of the lessons"
    )
    parser.add_argument(
        "--work",
        type=Path,
        default=ROOT / "build" / "book",
        help="a folder for what the next build uses again; default: build/book",
    )
    parser.add_argument(
        "--repository",
        default=of_project.repository,
        help="the source's address, for links, Binder and Colab; default: pyproject.toml's",
    )
    parser.add_argument(
        "--address",
        default=of_project.address,
        help="where the book is published, for the sitemap; default: pyproject.toml's",
    )
    parser.add_argument("--fresh", action="store_true", help="use nothing of an earlier build")
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command. Returns the exit status: 0, or 2 where something is wrong with the book or its options."""
    given = command_line().parse_args(argv)
    if given.fresh:
        shutil.rmtree(given.work, ignore_errors=True)
    try:
        pages = build(
            given.out, given.work, given.notebooks,
            Settings(given.repository.rstrip("/"), address=given.address),
        )  # fmt: skip
    except ValueError as error:
        print(f"docs: error: {error}", file=sys.stderr)
        return 2
    print(f"{len(pages)} lessons; open {given.out / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
