"""Modules that have moved, under their old names, for one version: the import works, with a DeprecationWarning.

>>> from dlv3.presets import preset
DeprecationWarning: dlv3.presets is now dlv3.config.presets; the old name will be removed in the next version
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

MOVED = {
    "dlv3.presets": "dlv3.config.presets",
    "dlv3.data.config": "dlv3.config.data",
    "dlv3.training.config": "dlv3.config.training",
    "dlv3.evaluation.config": "dlv3.config.evaluation",
    "dlv3.folded": "dlv3.fast.folded",
    "dlv3.inference": "dlv3.fast.served",
    "dlv3.data.cells": "dlv3.data.made.cells",
    "dlv3.data.ground": "dlv3.data.made.ground",
    "dlv3.data.markers": "dlv3.data.made.markers",
    "dlv3.data.scene_crops": "dlv3.data.made.scene_crops",
    "dlv3.data.scenes": "dlv3.data.made.scenes",
    "dlv3.data.shapes": "dlv3.data.made.shapes",
    "dlv3.data.textures": "dlv3.data.made.textures",
    "dlv3.data.download": "dlv3.data.photos.download",
    "dlv3.data.folder": "dlv3.data.photos.folder",
    "dlv3.data.images": "dlv3.data.photos.images",
    "dlv3.data.pairing": "dlv3.data.photos.pairing",
    "dlv3.data.voc": "dlv3.data.photos.voc",
    "dlv3.ablations.configure": "dlv3.ablations.paper.configure",
    "dlv3.ablations.tables": "dlv3.ablations.paper.tables",
    "dlv3.ablations.expectation": "dlv3.ablations.probes.expectation",
    "dlv3.ablations.probe_net": "dlv3.ablations.probes.net",
    "dlv3.ablations.study_features": "dlv3.ablations.studies.features",
    "dlv3.ablations.study_net": "dlv3.ablations.studies.net",
}


class MovedModules(MetaPathFinder, Loader):
    """Find a module under its old name. Python asks this finder last, after its own."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin=MOVED[fullname]) if fullname in MOVED else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module under its new name: both names are one module."""
        new = MOVED[spec.name]
        warnings.warn(
            f"{spec.name} is now {new}; the old name will be removed in the next version",
            DeprecationWarning,
            stacklevel=2,
        )
        module = importlib.import_module(new)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Leave the module as its own import made it: Python has just given it the old name's spec."""
        module.__spec__ = self._spec


def install() -> None:
    """Let the old names be found."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
