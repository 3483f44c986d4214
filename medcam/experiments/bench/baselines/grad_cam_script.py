"""pydicom, MONAI's DenseNet-121, pytorch-grad-cam and matplotlib: a picture per film and finding.

python -m medcam.experiments.bench.baselines.grad_cam_script FOLDER OUT WEIGHTS

The film is read as pydicom's documentation shows (apply_modality_lut, apply_voi_lut), Grad-CAM is called as
pytorch-grad-cam's README shows (one object for all films, one call per finding), and a picture is drawn by imshow and
savefig, 1024 pixels wide. The film is made as small as the picture once, not by imshow for each picture.
"""

import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import torch
from matplotlib import pyplot as plt
from monai.networks.nets import DenseNet121
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.pixels.processing import apply_modality_lut, apply_voi_lut
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch.nn import functional as F

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


def shrink(film: NDArray[np.float32], height: int, width: int) -> torch.Tensor:
    """A smaller film, [1, 1, height, width]."""
    return F.interpolate(torch.from_numpy(film)[None, None], size=(height, width), mode="bilinear", antialias=True)


def prepare(film: NDArray[np.float32]) -> torch.Tensor:
    """The network's input [1, 1, 224, 224]: zero mean and unit variance."""
    small = shrink(film, SIDE, SIDE)
    return (small - small.mean()) / small.std().clamp(min=1e-6)


def draw(film: NDArray[np.float32], heat: NDArray[np.float32], title: str, path: Path) -> None:
    """Film and heat map over it, as a PNG."""
    figure, axes = plt.subplots(figsize=(PICTURE / 100, PICTURE / 100), dpi=100)
    extent = (0, film.shape[1], film.shape[0], 0)
    axes.imshow(film, cmap="gray", extent=extent)
    axes.imshow(heat, cmap="jet", alpha=0.4, extent=extent)
    axes.set_title(title)
    axes.axis("off")
    figure.savefig(path)
    plt.close(figure)


def main(folder: Path, out: Path, weights: Path) -> None:
    """Every DICOM file of a folder."""
    mpl.use("Agg")
    model = DenseNet121(spatial_dims=2, in_channels=1, out_channels=FINDINGS)
    model.load_state_dict(torch.load(weights, weights_only=True))
    model.eval()
    out.mkdir(parents=True, exist_ok=True)
    with GradCAM(model=model, target_layers=[model.class_layers.relu]) as cam:
        for path in sorted(folder.rglob("*.dcm")):
            film = read(path)
            inputs = prepare(film)
            scale = min(1.0, PICTURE / max(film.shape))
            shown = shrink(film, round(scale * film.shape[0]), round(scale * film.shape[1]))[0, 0].numpy()
            for finding in range(FINDINGS):
                heat = cam(input_tensor=inputs, targets=[ClassifierOutputTarget(finding)])[0]
                probability = float(torch.sigmoid(cam.outputs[0, finding]))
                draw(shown, heat, f"finding {finding}: {probability:.2f}", out / f"{path.stem}-{finding}.png")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:4]))
