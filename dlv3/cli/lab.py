"""`dlv3 lab`: open the course in JupyterLab, on a working copy of the lessons."""

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import tyro

from dlv3 import __version__, assets
from dlv3.assets.working_copy import update
from dlv3.cli.parsing import parse
from dlv3.printed import say
from dlv3.ranges import Whole

FIRST_LESSON = "00_start_here.ipynb"
_NEEDED = ("jupyterlab", "ipywidgets", "anywidget", "matplotlib")


@dataclass(frozen=True)
class LabArguments:
    """Open the course in JupyterLab: copy the lessons, without outputs, into a folder of yours, and start there.

    Run it again to go on: a lesson that you have changed is never written over. If a newer version of dlv3 has a newer
    lesson, it is put beside yours. A lesson that you deleted is copied again; your other files are left alone.
    Options in JupyterLab's own form (--ServerApp.ip=0.0.0.0), and everything after --, are passed on to JupyterLab.
    """

    folder: Annotated[tyro.conf.Positional[Path], tyro.conf.arg(metavar="DIR")] = Path("dlv3-lessons")
    """The folder of your working copy; it is made if it does not exist."""
    browser: bool = True
    """Open a browser. With --no-browser, open the address that JupyterLab prints."""
    port: Annotated[int, Whole(1, 65_535)] | None = None
    """The port to listen on; left out, 8888 or the next free one."""


def main(argv: Sequence[str]) -> int:
    """Run `dlv3 lab`. Returns the exit status."""
    own, jupyters = own_and_jupyters(argv)
    return lab_command(parse(LabArguments, own, "dlv3 lab"), jupyters)


def own_and_jupyters(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Split what was typed into this command's arguments and those that are passed on to JupyterLab."""
    own, after = list(argv), []
    if "--" in own:
        cut = own.index("--")
        own, after = own[:cut], own[cut + 1 :]
    jupyters = [argument for argument in own if argument[:2] == "--" and argument[2:3].isupper()]
    return [argument for argument in own if argument not in jupyters], jupyters + after


def lab_command(arguments: LabArguments, jupyters: Sequence[str] = ()) -> int:
    """Bring the working copy up to date and run JupyterLab until it is stopped. Returns the exit status.

    Raises:
        ValueError: the course's packages are not installed, or a bad folder or port.
        OSError: the working copy cannot be written.
    """
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        raise ValueError(
            f"dlv3 lab needs {', '.join(missing)}; install the course's packages: pip install 'dlv3[course]'"
        )
    folder = arguments.folder.expanduser().absolute()
    done = update(folder, assets.lessons(), __version__)
    for line in [*done.lines(), f"your lessons are in {folder}"]:
        say(f"dlv3: {line}")
    from jupyterlab.labapp import LabApp

    os.environ["JUPYTER_CONFIG_PATH"] = config_path(os.environ.get("JUPYTER_CONFIG_PATH"))
    options = jupyter_options(folder, browser=arguments.browser, port=arguments.port)
    LabApp.launch_instance([*options, *jupyters])
    return 0


def config_path(before: str | None = None) -> str:
    """Return a value of JUPYTER_CONFIG_PATH that also suppresses the pop-up about news, followed by the old value."""
    return os.pathsep.join([str(assets.jupyter_settings()), *([before] if before else [])])


def jupyter_options(folder: Path, *, browser: bool = True, port: int | None = None) -> list[str]:
    """Return JupyterLab's options for the course: the first lesson, on this machine only, with JupyterLab's token.

    Args:
        folder: the lessons' folder, absolute.
        browser: open a browser.
        port: the only port to listen on; None for JupyterLab's own choice.
    """
    options = [
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.default_url=/lab/tree/{FIRST_LESSON}",
    ]
    if not browser:
        options.append("--no-browser")
    if port is not None:
        options += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    if sys.platform != "win32" and os.geteuid() == 0:
        options.append("--allow-root")
    return options
