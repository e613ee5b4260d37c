"""Give the same answers faster: models made ready to serve, and faster gradients for training on a CPU.

`for_inference(model)` returns a faster copy, and `for_training(model)` switches on faster gradients in place. Nothing
here is needed to understand the paper, and of the paper's files only `DeepLabV3.for_inference` calls this package.
"""

from dlv3.fast.served import InferenceModel, for_inference
from dlv3.fast.training_layers import for_training

__all__ = ["InferenceModel", "for_inference", "for_training"]
