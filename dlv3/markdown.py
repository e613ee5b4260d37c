"""Parts of Markdown pages that commands write: tables, and blocks between two markers of a page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table: one line for the head, one for each of `lines`."""
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *lines))


@dataclass(frozen=True)
class Block:
    """A part of a page that a command writes, so that it follows from the records.

    It stands between two comments that a reader does not see; the rest of the page is written by hand.
    """

    name: str
    command: str
    """The command that writes the block, named in its opening marker."""

    @property
    def opening(self) -> str:
        """The marker before the block."""
        return f"<!-- {self.name}: written by {self.command} -->"

    @property
    def closing(self) -> str:
        """The marker after the block."""
        return f"<!-- end of {self.name} -->"

    def placed(self, text: str, page: Path) -> str:
        """Return the page's text with `text` between the markers, in place of what stood there.

        Raises:
            ValueError: the page is not text, or lacks one of the markers.
            OSError: the page cannot be read.
        """
        try:
            written = page.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"{page}: is not a text file (UTF-8); expected a Markdown page") from error
        before, _, rest = written.partition(self.opening)
        _, closing, after = rest.partition(self.closing)
        if not closing:
            raise ValueError(
                f"{page}: has no place for the {self.name}; add the lines {self.opening!r} and {self.closing!r}"
            )
        return f"{before}{self.opening}\n{text}\n{closing}{after}"
