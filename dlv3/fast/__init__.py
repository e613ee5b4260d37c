"""The same answers sooner: models made ready to serve, and faster gradients for training on a CPU.

`for_inference(model)` returns a faster copy, and `for_training(model)` switches a model's faster gradients on. Nothing
here is needed to understand the paper. `DeepLabV3.for_inference` is the one door from the model to this package.
"""

from dlv3.fast.served import InferenceModel, for_inference
from dlv3.fast.training_layers import for_training

__all__ = ["InferenceModel", "for_inference", "for_training"]
