"""striate kernel: slide a kernel over a picture, and show how a pixel came about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from striate.cli.output import Json, print_json, terminal_width
from striate.cli.panels import OUTPUT
from striate.errors import UsageError, unknown
from striate.text_tables import wrapped
from striate.units import plural

if TYPE_CHECKING:
    import numpy as np

#: Formats of the picture to write, by ending.
FORMATS = {".png": "PNG", ".bmp": "BMP", ".tif": "TIFF", ".tiff": "TIFF", ".webp": "WEBP"} | dict.fromkeys(
    (".jpg", ".jpeg"), "JPEG"
)


def command(
    image: Annotated[Path | None, typer.Argument(help="A picture, or an .npy array (H, W, C).", readable=False)] = None,
    kernel: Annotated[
        str,
        typer.Option(help="A name (--list shows them), rows of numbers such as '0 -1 0; -1 5 -1; 0 -1 0', or a file."),
    ] = "",
    border: Annotated[
        str,
        typer.Option(
            help="Beyond the edge: zero, extend, reflect (about the edge pixel), symmetric (with it), wrap; valid: "
            "only where the kernel fits."
        ),
    ] = "reflect",
    convolution: Annotated[
        bool,
        typer.Option(
            "--convolution/--cross-correlation",
            help="Flip the kernel first (true convolution), or slide it as it stands, as networks do.",
        ),
    ] = False,
    grey: Annotated[bool, typer.Option("--grey", help="Make the picture grey first.")] = False,
    signed: Annotated[
        bool | None,
        typer.Option("--signed/--clipped", help="Show zero as mid-grey; by default where the kernel's sum is zero."),
    ] = None,
    gain: Annotated[
        float | None, typer.Option(help="Multiply the result; by default 1, or less where signed values need it.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The picture to write, or .npy for the exact values; by default IMAGE_KERNEL.png here.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    explain: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="X Y",
            help="Print this pixel's arithmetic (column, row); a picture only with --out.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="Print the kernels that have names.", rich_help_panel=OUTPUT)
    ] = False,
    json: Json = False,
) -> None:
    """Filter a picture with an image kernel: sharpen, blur, find edges, or a kernel of your own."""
    from striate.cli import arithmetic
    from striate.layers.image_kernels import KERNELS, image_kernel

    if list_:
        _print_kernels(json)
        return
    if image is None:
        raise UsageError("give a picture: striate kernel photo.jpg --kernel sharpen; --list shows the kernels.")
    if not kernel:
        raise UsageError(f"give a kernel: --kernel sharpen, say; known by name: {', '.join(KERNELS)}.")
    if gain is not None and not 0 < gain < float("inf"):
        raise UsageError(f"--gain {gain:g}: a number above 0 is needed")

    from striate.data.decode import decode
    from striate.layers.filtering import BORDERS, as_picture, explain_pixel, filter_image, signed_gain

    if border not in BORDERS:
        raise unknown("border", border, BORDERS)
    weights = image_kernel(kernel)
    name = kernel if kernel in KERNELS else "kernel"
    if out is not None:
        _check_out(out, image, None)
    pixels = decode(image, 1 if grey else None)
    if out is None and explain is None:
        out = _free_name(f"{image.stem}_{name}", ".png" if pixels.shape[2] in (1, 3) else ".npy")
    if out is not None:
        _check_out(out, image, pixels.shape[2])

    pixel = explain_pixel(pixels, weights, *explain, border, convolution=convolution) if explain else None
    values = filter_image(pixels, weights, border, convolution=convolution)
    signed = abs(float(weights.sum())) < 1e-9 and bool(weights.any()) if signed is None else signed
    gain = (signed_gain(values) if signed else 1.0) if gain is None else gain
    said: dict[str, Any] = {
        "image": str(image),
        "size": list(pixels.shape),
        "kernel": name,
        "rows": weights.tolist(),
        "operation": "convolution" if convolution else "cross-correlation",
        "border": border,
        "result_size": list(values.shape),
        "lowest": float(values.min()),
        "highest": float(values.max()),
        "signed": signed,
        "gain": gain,
        "out": str(out) if out else None,
    }
    if out is not None:
        _write(out, values, as_picture(values, signed, gain))
    if pixel is not None:
        shown = as_picture(pixel.sums, signed, gain)
        said["explained"] = arithmetic.plain(pixel, shown)
    if json:
        print_json(said)
        return
    width = terminal_width()
    print(wrapped(_first_line(said), width, "  "))
    if pixel is not None:
        print(arithmetic.text(pixel, shown, width))
    print(wrapped(_last_line(said), width, "  "))
    if out is not None:
        print(out)


def _print_kernels(json: bool) -> None:
    from striate.cli import arithmetic
    from striate.layers.image_kernels import KERNELS, image_kernel

    kernels = {name: image_kernel(name) for name in KERNELS}
    if json:
        print_json({"kernels": {name: values.tolist() for name, values in kernels.items()}})
    else:
        tables = {name: arithmetic.side_by_side(arithmetic.words(values)) for name, values in kernels.items()}
        print("\n\n".join(f"{name}\n{table}" for name, table in tables.items()))


def _first_line(said: dict[str, Any]) -> str:
    (height, width, channels), rows = said["size"], said["rows"]
    return (
        f"{said['image']}: {width}x{height}, {plural(channels, 'channel')}; {said['kernel']} of "
        f"{plural(len(rows), 'row')}, {plural(len(rows[0]), 'column')}; {said['operation']}, border "
        f"{said['border']}"
    )


def _last_line(said: dict[str, Any]) -> str:
    height, width, _ = said["result_size"]
    scaled = "value" if said["gain"] == 1 else f"{said['gain']:.3g} x value"
    return (
        f"result {width}x{height}, values {said['lowest']:g} to {said['highest']:g}, shown as {scaled}"
        f"{' + 128' * said['signed']}, clipped to 0 to 255"
    )


def _free_name(stem: str, ending: str) -> Path:
    """A file name in the working folder that nothing has yet."""
    path, number = Path(f"{stem}{ending}"), 2
    while path.exists():
        path, number = Path(f"{stem}_{number}{ending}"), number + 1
    return path


def _check_out(out: Path, image: Path, channels: int | None) -> None:
    """Refuse what cannot be written, as soon as it is known. Raises UsageError."""
    ending = out.suffix.lower()
    if ending not in FORMATS and ending != ".npy":
        raise UsageError(f"--out {out}: the ending must be one of {', '.join(FORMATS)}, or .npy for the exact values")
    if out.exists() and image.exists() and out.samefile(image):
        raise UsageError(f"--out {out} is the picture itself, which is never overwritten; give another name")
    if out.is_dir() or not out.parent.is_dir():
        raise UsageError(f"--out {out}: {'is a folder' if out.is_dir() else 'its folder does not exist'}")
    if channels not in (None, 1, 3) and ending != ".npy":
        raise UsageError(
            f"--out {out}: a picture of {channels} channels cannot be shown; write .npy, or make it grey with --grey"
        )


def _write(out: Path, values: np.ndarray, picture: np.ndarray) -> None:
    import numpy as np
    from PIL import Image

    from striate.files import write_atomically

    def save(file: BinaryIO) -> None:
        if out.suffix.lower() == ".npy":
            np.save(file, values)
        else:
            shown = picture[..., 0] if picture.shape[2] == 1 else picture
            Image.fromarray(shown).save(file, FORMATS[out.suffix.lower()])

    write_atomically(out, save)
