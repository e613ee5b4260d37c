"""One JupyterLab and one browser for all the browser tests of a session."""

import os
import shutil

import nbformat
import pytest
from labserver import CHROMIUM, NO_CHROMIUM, ROOT, chromium, lab

import dlv3
from dlv3 import assets
from dlv3.assets.working_copy import update
from dlv3.course.kit.notebooks import tidied


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        # On a machine whose task is to run these tests, not running them is a failure.
        (pytest.fail if os.environ.get("DLV3_REQUIRE_BROWSER") else pytest.skip)(NO_CHROMIUM)
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def notebooks_address(browser, tmp_path_factory):
    """A JupyterLab on a working copy of the lessons, as a learner gets it: without outputs. In stored/: with them."""
    folder = tmp_path_factory.mktemp("course") / "lessons"
    update(folder, assets.lessons(), dlv3.__version__)
    (folder / "stored").mkdir()
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        shutil.copy(path, folder / "stored")
    nbformat.write(_every_explorer(), folder / "every_explorer.ipynb")
    with lab(folder) as address:
        yield address


def _every_explorer() -> nbformat.NotebookNode:
    """A notebook with each explorer and a question, so that all are tested whatever the lessons use."""
    sources = [
        "from dlv3.course import *",
        "atrous = AtrousExplorer(column=1, row=2)\natrous",
        "field = ReceptiveFieldExplorer(rates=(2, 2))\nfield",
        "steps = OutputStrideLadder()\nsteps",
        "photo = PhotoExplorer()\nphoto",
        "grid = MultiGridExplorer()\ngrid",
        "cascade = CascadeExplorer()\ncascade",
        "costs = PriceExplorer()\ncosts",
        "valid = ValidWeightsExplorer()\nvalid",
        "again = IntervalExplorer()\nagain",
        "world = WorldExplorer()\nworld",
        "resnet = ResNetExplorer(block=4)\nresnet",
        "question = Choice('Which?', ['44', '88'])\nquestion",
        "print('below')",
    ]
    return tidied(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]))


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    # Pages take long to load on a machine that is busy with other tests.
    context.set_default_timeout(120_000)
    yield context.new_page()
    context.close()
