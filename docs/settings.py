"""Addresses that the book shows, from one place: pyproject.toml, or the command's options."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TITLE = "DeepLabv3, step by step"


@dataclass(frozen=True)
class Settings:
    """What differs from one publication of the book to another.

    Args:
        repository: the source's address, such as "https://github.com/OWNER/NAME"; without it there are no links to
            the source and no buttons for Binder and Colab.
        branch: the branch that they lead to.
        address: the address that the book is published at; without it there is no sitemap, and the card that other
            sites show of a page has no picture.
    """

    repository: str = ""
    branch: str = "main"
    address: str = ""

    @classmethod
    def of_project(cls) -> "Settings":
        """Return the addresses in pyproject.toml: Repository and Documentation of [project.urls]."""
        urls = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["urls"]
        return cls(urls.get("Repository", "").rstrip("/"), address=urls.get("Documentation", ""))

    def __post_init__(self) -> None:
        if self.address and not self.address.endswith("/"):
            object.__setattr__(self, "address", f"{self.address}/")

    def source(self, path: str) -> str:
        """Return the address of a file of the source, or an empty text."""
        return f"{self.repository}/blob/{self.branch}/{path}" if self.repository else ""

    def badges(self, path: str) -> dict[str, str]:
        """Return where a notebook can be run without an installation, by the service's name."""
        owner, _, name = self.repository.rpartition("github.com/")
        if not owner or not name:
            return {}
        return {
            "Binder": f"https://mybinder.org/v2/gh/{name}/{self.branch}?urlpath=lab/tree/{path}",
            "Colab": f"https://colab.research.google.com/github/{name}/blob/{self.branch}/{path}",
        }
