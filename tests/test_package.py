"""What holds for the package as a whole: what it imports, and how it is installed."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import dlv3

ROOT = Path(__file__).parents[1]
NOT_FOR_THE_LIBRARY = (
    "IPython",
    "jupyterlab",
    "jupyter_core",
    "ipywidgets",
    "anywidget",
    "matplotlib",
    "nbformat",
)

# Imports every module but the course's, in an interpreter that cannot import the course's packages.
IMPORT_ALL = f"""
import importlib, pkgutil, sys
class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {NOT_FOR_THE_LIBRARY!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Absent())
import dlv3
names = [m.name for m in pkgutil.walk_packages(dlv3.__path__, "dlv3.", onerror=lambda name: None)]
names = [n for n in names if not n.startswith("dlv3.course") and n != "dlv3.__main__"]
for name in names:
    importlib.import_module(name)
print(len(names))
"""


def run_python(code: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, cwd=ROOT)


def test_importing_the_library_loads_neither_jupyter_nor_matplotlib():
    result = run_python("import sys, dlv3; print(*sorted({n.partition('.')[0] for n in sys.modules}))")
    assert result.returncode == 0, result.stderr
    assert not set(NOT_FOR_THE_LIBRARY) & set(result.stdout.split())


def test_everything_but_the_course_imports_without_the_courses_packages():
    result = run_python(IMPORT_ALL)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 20


def test_lazy_parts_are_there_and_others_are_not():
    assert dlv3.receptive_field.Layer(3).reach == 2
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = dlv3.nothing


def test_version_stands_in_the_package_alone():
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert "version" not in pyproject["project"]
    assert ROOT / pyproject["tool"]["hatch"]["version"]["path"] == Path(dlv3.__file__)
    assert f'__version__ = "{dlv3.__version__}"' in (ROOT / "dlv3" / "__init__.py").read_text()


def test_conda_environment_installs_what_pip_does():
    # environment.yml installs the project itself with the extra that the Makefile installs, so that there is
    # one list of packages. What it states on its own is Python's version.
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    conda = [line.strip().removeprefix("- ") for line in (ROOT / "environment.yml").read_text().splitlines()]
    packages = conda[conda.index("dependencies:") + 1 :]
    assert packages == [f"python{project['requires-python']}", "pip", "pip:", "-e .[dev]"]
    assert "pip install --disable-pip-version-check -e '.[dev]'" in (ROOT / "Makefile").read_text()
    extras = project["optional-dependencies"]
    assert extras["dev"][0] == "dlv3[course,voc,tensorboard,export,peers,book]"


def test_every_dependency_has_a_lower_bound():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["dependencies"] + [
        p for extra in project["optional-dependencies"].values() for p in extra
    ]
    # The project's own extras have none.
    assert [p for p in wanted if ">=" not in p] == [
        "dlv3[export]",
        "dlv3[course]",
        "dlv3[course,voc,tensorboard,export,peers,book]",
    ]


def test_ci_runs_the_readmes_test_command():
    assert "make test" in (ROOT / "README.md").read_text()
    assert (ROOT / ".ci" / "run").read_text().splitlines()[-1] == "make test"
