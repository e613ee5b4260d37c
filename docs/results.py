"""The page of results, parted: an overview, and a page for each group of tables with their figures.

In the repository it is one file. In a browser it would be 35 figures and thousands of cells at once.
"""

import re

# A table's figure, then its name, title and section; the first letter of its name is its group.
_TABLE = re.compile(r"(!\[([TPS])\d+: [^\]]*\]\(figures/([\w-]+)/\w+\.svg\))\n\n\*\*(\w+)\*\* (.*)\n")
_GROUPS = {
    "T": "",
    "P": "Probes: tasks that one mechanism decides",
    "S": "Studies: where rates, ASPP and image pooling pay",
}


def result_pages(text: str) -> dict[str, str]:
    """Part the page of results.

    Args:
        text: data/results/README.md.

    Returns:
        Pages by file name. README.md comes first and leads to the others.
    """
    overview, *sections = re.split(r"\n(?=## )", text)
    pages: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for section in sections:
        # Text, then figure, letter, folder, name, title and text of each table.
        head, *rest = _TABLE.split(section)
        if not rest:
            overview += f"\n{section}"
            continue
        heading, _, about = head.partition("\n")
        for figure, letter, folder, name, title, body in zip(*(iter(rest),) * 6, strict=True):
            stem = folder if letter == "T" else f"{folder}-{_GROUPS[letter].partition(':')[0].lower()}"
            if stem not in pages:
                titles[stem] = _GROUPS[letter] or heading.removeprefix("## ")
                pages[stem] = [f"# {titles[stem]}", about if letter == "T" else ""]
            pages[stem] += [f"## {name}: {title}", figure, body]
    if not pages:
        return {"README.md": text}
    links = "\n".join(f"- [{title}]({stem}.md)" for stem, title in titles.items())
    menu = "\n".join(f"{title.replace('`', '')} <{stem}>" for stem, title in titles.items())
    toctree = f"```{{toctree}}\n:hidden:\n\n{menu}\n```"
    overview += f"\n## Every table and figure\n\n{links}\n\n{toctree}\n"
    parted = {
        stem: "\n\n".join(part.strip() for part in parts if part.strip()) for stem, parts in pages.items()
    }
    return {"README.md": overview} | {f"{stem}.md": f"{parts}\n" for stem, parts in parted.items()}
