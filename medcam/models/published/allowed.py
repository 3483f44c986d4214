"""Every name that a checkpoint may use, as whole (module, name) pairs. Nothing else is read, whatever its prefix is.

Dotted names are walked attribute by attribute by the standard unpickler, so that a rule by prefix lets
`torch.nn.modules.module` / `inspect.builtins.open` through. Here a name is compared, and never looked up.
"""

from __future__ import annotations

import torch

from medcam.core.inert_pickle import Name


def _names(module: str, names: str) -> set[Name]:
    return {Name(module, name) for name in names.split()}


MODULES: frozenset[Name] = frozenset(
    _names("torchxrayvision.models", "DenseNet _DenseBlock _DenseLayer _Transition ResNet")
    | _names("torchvision.models.densenet", "DenseNet _DenseBlock _DenseLayer _Transition")
    | _names("torchvision.models.resnet", "ResNet BasicBlock Bottleneck")
    | _names("torch.nn.modules.container", "Sequential ModuleList ModuleDict")
    | _names("torch.nn.modules.conv", "Conv2d")
    | _names("torch.nn.modules.batchnorm", "BatchNorm1d BatchNorm2d")
    | _names("torch.nn.modules.activation", "ReLU ReLU6 LeakyReLU ELU GELU SiLU Tanh Sigmoid Softmax")
    | _names("torch.nn.modules.pooling", "MaxPool2d AvgPool2d AdaptiveAvgPool2d AdaptiveMaxPool2d")
    | _names("torch.nn.modules.linear", "Linear Identity")
    | _names("torch.nn.modules.dropout", "Dropout Dropout2d")
    | _names("torch.nn.modules.flatten", "Flatten")
    | _names("torch.nn.modules.upsampling", "Upsample UpsamplingBilinear2d")
    | _names("torch.nn.parallel.data_parallel", "DataParallel")
)
"""Classes of modules. An inert stand-in keeps their attributes."""

TENSOR, TENSOR_V1 = Name("torch._utils", "_rebuild_tensor_v2"), Name("torch._utils", "_rebuild_tensor")
PARAMETER = Name("torch._utils", "_rebuild_parameter")
OLD_BACKEND = Name("torch.nn.backends.thnn", "_get_thnn_function_backend")
FUNCTIONS: frozenset[Name] = frozenset((TENSOR, TENSOR_V1, PARAMETER, OLD_BACKEND))
"""Functions that a checkpoint may name: how tensors are built, and an attribute that modules had before PyTorch 1.2."""

ORDERED_DICT, SIZE = Name("collections", "OrderedDict"), Name("torch", "Size")
SETS = frozenset((Name("__builtin__", "set"), Name("builtins", "set")))
CONTAINERS: frozenset[Name] = frozenset((ORDERED_DICT, SIZE)) | SETS

_TYPES = {
    "Float": torch.float32,
    "Double": torch.float64,
    "Half": torch.float16,
    "BFloat16": torch.bfloat16,
    "Long": torch.int64,
    "Int": torch.int32,
    "Short": torch.int16,
    "Char": torch.int8,
    "Byte": torch.uint8,
    "Bool": torch.bool,
}
STORAGES: dict[Name, torch.dtype] = {
    Name(module, f"{word}Storage"): kind for module in ("torch", "torch.cuda") for word, kind in _TYPES.items()
}
"""Types of storages; those of a GPU are read into main memory like the others."""

NAMES: frozenset[Name] = MODULES | FUNCTIONS | CONTAINERS | frozenset(STORAGES)
