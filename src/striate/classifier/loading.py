"""From a path or a name to a classifier."""

from __future__ import annotations

from pathlib import Path

from striate.classifier import values
from striate.classifier.classifier import Classifier
from striate.classifier.pretrained import is_pretrained_name
from striate.files import at_home
from striate.models import Handed, Trust
from striate.models.recognition import fitting_networks
from striate.training.hardware import device_type
from striate.training.model_file import Undescribed, load_model
from striate.weights.files import weights_file


def load(
    path: str | Path,
    *,
    trust: str | Path | None = None,
    model: Handed | None = None,
    device: str = "cpu",
) -> Classifier:
    """Load a classifier from a run folder, or from the .safetensors file that `Classifier.save` wrote.

    Args:
        path: the folder or the file; the name of a pretrained network, see `Classifier.pretrained`; or a file of
            somebody else's weights that fit exactly one network of the catalogue.
        trust: the Python file (or the import path of the module) that makes the network, where it is your own: its
            code is run only where you name it here, and only while it is what it was when the network was trained.
        model: the network itself, or what makes one, where it was handed over when it was trained.
        device: where it is to run: "cpu", "cuda" or "mps", or "auto" for the fastest there is; see `Classifier.to`.

    Raises:
        UsageError: `path` is no path, or the device is unknown.
        StriateError: there is none, it is damaged, it is a pickle, or it does not describe itself; the device is not
            on this machine.
    """
    device = device_type(device)  # refused before anything is read
    if is_pretrained_name(values.place("path", path)):
        return Classifier.pretrained(str(path)).to(device)
    path, file = at_home(path), weights_file(path)
    try:
        return Classifier(*load_model(file, Trust.of(trust, model)), path=path).to(device)
    except Undescribed:
        fitting = fitting_networks(file)
        if len(fitting) != 1:
            raise
    return Classifier.pretrained(fitting[0], file).to(device)
