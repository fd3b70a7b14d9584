"""A report's content as one HTML file that needs nothing else: no script, no font, no request."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from striate.errors import StriateError
from striate.report import inputs, sections, words
from striate.report.content import ReportContent


def write_report(path: str | Path, content: ReportContent) -> Path:
    """Write the report to `path`, whole or not at all, and return the path.

    Raises:
        StriateError: the file cannot be written, or a picture is no uint8 image.
    """
    path = Path(path)
    page = render(content).encode("utf-8", "replace")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, page)
    except OSError as error:
        raise StriateError(
            f"report: cannot write {path}: {error.strerror or error}; name a folder that can be written to."
        ) from error
    return path


def render(content: ReportContent) -> str:
    """The page as text. The same content gives the same text."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("striate.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for name in ("percent", "count", "short", "plural", "linked"):
        environment.filters[name] = getattr(words, name)
    evaluation = content.evaluation
    return environment.get_template("template.html").render(
        content=content,
        headline=sections.headline(content),
        progress=sections.progress(content),
        classes=sections.classes(evaluation) if evaluation is not None else None,
        confusion=sections.confusion(evaluation) if evaluation is not None else None,
        calibration=sections.calibration(evaluation) if evaluation is not None else None,
        mistakes=sections.mistakes(content),
        augmented=sections.augmented(content),
        cost=sections.cost(content),
        data=inputs.data(content),
        recipe=inputs.recipe(content),
    )


def _replace(path: Path, data: bytes) -> None:
    """Put `data` at `path` through a temporary file beside it, so that a reader sees the old or the new."""
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o666 & ~_umask())  # mkstemp makes files that nobody else can read
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current
