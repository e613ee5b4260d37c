"""The findings that the paper is known for: which claims and rows of Tables 2, 3 and 5 stand for them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Headline:
    """A claim of a table, and the row that separates it from the number of parameters."""

    table: str
    better: str
    worse: str
    control: str | None = None
    """A row with at least the better row's parameters and other rates; None where both rows have equally many, or
    where such a row was not run."""


@dataclass(frozen=True)
class Group:
    """Rows that are compared with one plain network."""

    title: str
    table: str
    plain: str
    """The row that the others are compared with."""
    rows: dict[str, str]
    """The rows' labels in a figure, and their names in the table."""


HEADLINES = (
    Headline("T2", "resnet50 block5", "resnet50 block4", "block7, all rates 1"),
    Headline("T2", "resnet50 block7", "resnet50 block4", "block7, all rates 1"),
    Headline("T2", "resnet50 block7", "block7, rate 2 throughout"),
    Headline("T3", "(1, 2, 4) block4", "(1, 1, 1) block4"),
    Headline("T3", "(1, 2, 1) block7", "(1, 1, 1) block7"),
    Headline("T3", "(1, 1, 1) block7", "(2, 2, 2) block7"),
    Headline("T5", "(1, 1, 1)", "(1, 1, 1), no ASPP", "(1, 1, 1), rates 1, 1, 1"),
    Headline("T5", "(1, 2, 4)", "(1, 1, 1)"),
    Headline("T5", "(1, 2, 4), image pooling", "(1, 2, 4)"),
)
LONGER = (
    ("block7 above block4", ("T2", "block7, twice the schedule"), ("T2", "block4, twice the schedule")),
    (
        "ASPP above block4 without it",
        ("T5", "(1, 1, 1), twice the schedule"),
        ("T2", "block4, twice the schedule"),
    ),
    (
        "multi-grid (1, 2, 4) and image pooling above ASPP alone",
        ("T5", "(1, 2, 4), image pooling, twice the schedule"),
        ("T5", "(1, 1, 1), twice the schedule"),
    ),
)
"""Differences at twice the schedule, each between two rows of tables: whether a finding is more than a head start."""
GROUPS = (
    Group(
        "Cascade (Table 2), above block4",
        "T2",
        "resnet50 block4",
        {
            "block5": "resnet50 block5",
            "block6": "resnet50 block6",
            "block7": "resnet50 block7",
            "block7, rate 2 throughout": "block7, rate 2 throughout",
            "block7, all rates 1": "block7, all rates 1",
        },
    ),
    Group(
        "Multi-grid (Table 3), above block4 (1, 1, 1)",
        "T3",
        "(1, 1, 1) block4",
        {f"block4 {grid}": f"{grid} block4" for grid in ((1, 2, 1), (1, 2, 4), (2, 2, 2))},
    ),
    Group(
        "Multi-grid (Table 3), above block7 (1, 1, 1)",
        "T3",
        "(1, 1, 1) block7",
        {f"block7 {grid}": f"{grid} block7" for grid in ((1, 2, 1), (1, 2, 4), (2, 2, 2))},
    ),
    Group(
        "ASPP (Table 5), above block4 without it",
        "T5",
        "(1, 1, 1), no ASPP",
        {
            "ASPP, rates 6, 12, 18": "(1, 1, 1)",
            "with multi-grid (1, 2, 4)": "(1, 2, 4)",
            "and image pooling": "(1, 2, 4), image pooling",
            "ASPP, rates 1, 1, 1": "(1, 1, 1), rates 1, 1, 1",
        },
    ),
)
