# Copyright (c) 2026 the Tributary authors
# SPDX-License-Identifier: Apache-2.0
"""Opens a model with PyPI safetensors, prints what it holds, and writes it back under another name.

    safetensors_peer.py MODEL COPY
"""

import json
import sys

from safetensors import safe_open
from safetensors.numpy import save_file

with safe_open(sys.argv[1], framework="numpy") as model:
    tensors = {name: model.get_tensor(name) for name in model.keys()}
    metadata = model.metadata()
summary = {
    name: {"shape": list(tensor.shape), "dtype": str(tensor.dtype), "sum": float(tensor.astype("f8").sum())}
    for name, tensor in tensors.items()
}
print(json.dumps({"metadata": metadata, "tensors": summary}, sort_keys=True))
save_file(tensors, sys.argv[2], metadata=metadata)
