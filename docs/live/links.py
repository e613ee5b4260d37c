"""Where the lessons lead to the live page, and what to try there."""

from nbformat import NotebookNode
from nbformat.v4 import new_markdown_cell

_TRY = {
    "00_start_here": "The model of this lesson runs in a page: draw shapes or drop a photo, and see its answer.",
    "03_output_stride": "Set the output stride of the trained model yourself, on a scene that you draw.",
    "06_aspp": "Switch ASPP's branches off one by one, change their rates, and see what each of them responds to.",
    "12_inference": "Run the trained model in your browser, from the file that `dlv3 export` writes.",
}


def link_from(stem: str) -> list[NotebookNode]:
    """Return the cell that ends a lesson's page and leads to the live page; none for most lessons."""
    if stem not in _TRY:
        return []
    return [new_markdown_cell(f"{_TRY[stem]} [The model, live](../live.md)", id="made-live")]
