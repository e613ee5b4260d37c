"""The package's own names: all of them can be had from it, and no others."""

import pytest

from dlv3 import evaluation, training


@pytest.mark.parametrize("package", [training, evaluation], ids=lambda package: package.__name__)
def test_every_public_name_is_there(package):
    assert all(getattr(package, name) is not None for name in package.__all__)
    assert set(package._HOMES) <= set(package.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'atrous'"):
        _ = package.atrous
