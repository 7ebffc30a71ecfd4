"""Files of maps as `agopconsole maps` writes them, of values that a test knows."""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

LAYERS = ("features.0", "features.3", "features.6")


def some_maps(layers=LAYERS, height=32, width=48):
    """Tensors by name: a photo whose red rises to the right, and of each layer a slope and its opposite."""
    slope = np.linspace(0, 1, width, dtype=np.float32)
    tensors = {"photo": np.stack([np.tile(slope, (height, 1)), *np.full((2, height, width), 0.25, np.float32)])}
    for depth, layer in enumerate(layers):
        size = height >> depth, width >> depth
        down = np.tile(np.linspace(0, 1, size[0], dtype=np.float32)[:, None], (1, size[1]))
        tensors |= {f"nfm.{layer}": down, f"agop.{layer}": 1 - down}
    return tensors


def keep_maps(path, photo, layers=LAYERS):
    """Writes them as the maps of the picture file `photo`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    facts = {"photo": json.dumps(str(Path(photo))), "layers": json.dumps(list(layers))}
    save_file(some_maps(layers), path, facts)
