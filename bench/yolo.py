"""Ultralytics' `yolo classify predict`, which `predict_folder.py` compares: its networks and its command.

Nothing is fetched: weights are random, which costs what trained ones do. Beside its own smallest classifier stands
MobileNet v2, of torchvision's layers, which its `TorchVision` module takes in: as many multiply-adds as striate's. Each
is used as saved, in PyTorch, and as `yolo export format=openvino` makes it, which is what its manual advises for CPUs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SIDE, BATCH = 224, 32
MOBILENET = """
nc: 1000
backbone:
  - [-1, 1, TorchVision, [320, mobilenet_v2, null, True, 2]]
head:
  - [-1, 1, Classify, [nc]]
"""


def prepare(folder: Path) -> dict[str, dict[str, object]]:
    """Make the networks' files; by contestant the file and its multiply-adds. Runs where ultralytics is installed."""
    from ultralytics import YOLO

    import striate

    (folder / "mobilenet_v2.yaml").write_text(MOBILENET)
    found = {}
    for name, described in (("yolo11n-cls", "yolo11n-cls.yaml"), ("mobilenet_v2", str(folder / "mobilenet_v2.yaml"))):
        network = YOLO(described, task="classify", verbose=False)
        multiply_adds = striate.summary(network.model, (3, SIDE, SIDE)).multiply_adds
        network.save(folder / f"{name}.pt")
        exported = YOLO(folder / f"{name}.pt").export(format="openvino", imgsz=SIDE, batch=BATCH, dynamic=True)
        for way, file in (("PyTorch", folder / f"{name}.pt"), ("OpenVINO", exported)):
            found[f"yolo, {name}, {way}"] = {"file": str(file), "multiply_adds": multiply_adds}
    return found


def environment(folder: Path) -> dict[str, str]:
    """In which it asks the network for nothing, installs nothing and leaves no settings behind."""
    return {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}


def predict(python: str, file: str, folder: Path, out: Path) -> int:
    """Classify every JPEG below a folder, as its manual says; how many files of classes it wrote.

    It writes a file for each picture, its five classes; annotated copies of the pictures, which it makes unless told
    otherwise, it does not make.
    """
    words = [f"model={file}", f"source={folder}/**/*.jpg", f"imgsz={SIDE}", f"batch={BATCH}", "save=False"]
    words += ["save_txt=True", "save_conf=True", "verbose=False", f"project={out.parent}", f"name={out.name}"]
    command = [str(Path(python).with_name("yolo")), "classify", "predict", *words]
    done = subprocess.run(command, env={**os.environ, **environment(out.parent)}, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"yolo failed with exit code {done.returncode}: {done.stderr[-2000:]}")
    return len(list((out / "labels").iterdir()))


if __name__ == "__main__":
    print(json.dumps(prepare(Path(sys.argv[1]))))
