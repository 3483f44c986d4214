"""pydicom, MONAI's DenseNet-121, torchcam and Pillow: a picture per film and finding.

python -m medcam.experiments.bench.baselines.torchcam_script FOLDER OUT WEIGHTS

The film is read as pydicom's documentation shows, CAM and overlay_mask are called as torchcam's documentation shows:
one forward pass under inference_mode, the maps of all findings from it, and an overlay of 1024 pixels for each.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from monai.networks.nets import DenseNet121
from numpy.typing import NDArray
from PIL import Image
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from torch.nn import functional as F
from torchcam.methods import CAM
from torchcam.utils import overlay_mask

FINDINGS = 14
SIDE, PICTURE = 224, 1024


def read(path: Path) -> NDArray[np.float32]:
    """A film as float32 [height, width], 0 to 1, white is dense."""
    dataset = dcmread(path)
    film = apply_voi_lut(apply_modality_lut(dataset.pixel_array, dataset), dataset).astype(np.float32)
    if dataset.PhotometricInterpretation == "MONOCHROME1":
        film = film.max() - film
    low, high = film.min(), film.max()
    return np.asarray((film - low) / max(high - low, 1e-6), dtype=np.float32)


def prepare(film: NDArray[np.float32]) -> torch.Tensor:
    """The network's input [1, 1, 224, 224]: zero mean and unit variance."""
    small = F.interpolate(torch.from_numpy(film)[None, None], size=(SIDE, SIDE), mode="bilinear", antialias=True)
    return (small - small.mean()) / small.std().clamp(min=1e-6)


def main(folder: Path, out: Path, weights: Path) -> None:
    """Every DICOM file of a folder."""
    model = DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS)
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    out.mkdir(parents=True, exist_ok=True)
    with CAM(model, "class_layers.relu", "class_layers.out") as extract:
        for path in sorted(folder.rglob("*.dcm")):
            film = read(path)
            picture = Image.fromarray((255 * film).astype(np.uint8))
            picture.thumbnail((PICTURE, PICTURE))
            with torch.inference_mode():
                model(prepare(film))
                heats = [extract(class_idx=finding)[0][0].numpy() for finding in range(FINDINGS)]
            for finding, heat in enumerate(heats):
                overlay = overlay_mask(picture, Image.fromarray(heat), alpha=0.6)
                overlay.save(out / f"{path.stem}-{finding}.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
