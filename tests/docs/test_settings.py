"""One address of the repository gives all links to it; without one there are none."""

from docs.settings import Settings


def test_without_a_repository_there_are_no_links():
    assert Settings().badges("notebooks/00_start_here.ipynb") == {}
    assert Settings().source("LICENSE") == ""


def test_repository_gives_binder_colab_and_source():
    settings = Settings("https://github.com/someone/dlv3")
    links = settings.badges("notebooks/00_start_here.ipynb")
    assert (
        links["Binder"]
        == "https://mybinder.org/v2/gh/someone/dlv3/main?urlpath=lab/tree/notebooks/00_start_here.ipynb"
    )
    assert links["Colab"].endswith("/github/someone/dlv3/blob/main/notebooks/00_start_here.ipynb")
    assert settings.source("LICENSE") == "https://github.com/someone/dlv3/blob/main/LICENSE"
