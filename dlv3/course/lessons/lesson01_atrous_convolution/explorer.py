"""The atrous explorer: which input samples one output of a convolution reads."""

import traitlets as t

from dlv3 import atrous
from dlv3.course.kit.explorer import Explorer


class AtrousExplorer(Explorer):
    """One convolution with its kernel size, rate, stride, padding and input size; point at an output to see its taps.

    Args:
        kernel_size: 1 to 7 taps along an axis.
        rate: 1 to 12.
        stride: 1 to 4.
        padding: 0 to 12 zeros at each end.
        size: 3 to 100 input samples along an axis.
        dims: 2 for an image, 1 for a signal.
        row, column: the output to look at; in one dimension only the column counts.

    Raises:
        traitlets.TraitError: a value is out of its range, the effective kernel does not fit into the padded input,
            or the output does not exist.
    """

    script = "atrous"

    dims = t.Enum((2, 1), default_value=2).tag(sync=True, state=True)
    kernel_size = t.Int(3, min=1, max=7).tag(sync=True, state=True)
    rate = t.Int(2, min=1, max=12).tag(sync=True, state=True)
    stride = t.Int(1, min=1, max=4).tag(sync=True, state=True)
    padding = t.Int(0, min=0, max=12).tag(sync=True, state=True)
    size = t.Int(15, min=3, max=100).tag(sync=True, state=True)
    row = t.Int(0, min=0).tag(sync=True, state=True)
    column = t.Int(0, min=0).tag(sync=True, state=True)

    @t.validate("kernel_size", "rate", "stride", "padding", "size", "row", "column")
    def _possible(self, proposal: t.Bunch) -> int:
        shape = {name: getattr(self, name) for name in ("size", "kernel_size", "rate", "stride", "padding")}
        name = proposal["trait"].name
        try:
            outputs = atrous.output_size(**shape | ({name: proposal["value"]} if name in shape else {}))
        except ValueError as error:
            raise t.TraitError(str(error)) from None
        if name in ("row", "column") and proposal["value"] >= outputs:
            raise t.TraitError(
                f"{name}={proposal['value']}: the output has {outputs} samples, 0 to {outputs - 1}"
            )
        value: int = proposal["value"]
        return value

    @property
    def effective_kernel_size(self) -> int:
        """Side of the window that one output spans, in input samples."""
        return atrous.effective_kernel_size(self.kernel_size, self.rate)

    @property
    def output_size(self) -> int:
        """Outputs along an axis."""
        return atrous.output_size(self.size, self.kernel_size, self.rate, self.stride, self.padding)

    @property
    def weights(self) -> int:
        """Weights of the filter; they do not depend on the rate."""
        return int(self.kernel_size**self.dims)

    @property
    def taps(self) -> list[int]:
        """Input columns that the chosen output reads; below 0 and from `size` on they lie on the padding."""
        first = self.column * self.stride - self.padding
        return [first + tap * self.rate for tap in range(self.kernel_size)]
