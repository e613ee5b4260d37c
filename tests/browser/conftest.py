"""One JupyterLab and one browser for all the browser tests of a session."""

import shutil

import pytest
from labserver import CHROMIUM, NO_CHROMIUM, ROOT, chromium, lab


@pytest.fixture(scope="session")
def browser():
    if CHROMIUM is None:
        pytest.skip(NO_CHROMIUM)
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def notebooks_address(browser, tmp_path_factory):
    """A JupyterLab on a copy of the lessons, with the data beside them as in the repository."""
    repository = tmp_path_factory.mktemp("course") / "repository"
    shutil.copytree(
        ROOT / "notebooks", repository / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints")
    )
    (repository / "data").symlink_to(ROOT / "data")
    with lab(repository) as address:
        yield address


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    yield context.new_page()
    context.close()
