"""The run folder: where one training lives, with one process writing to it at a time."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from striate.caller import either
from striate.errors import StriateError, UsageError
from striate.files import at_home, explain, portable_name, write_atomically, write_csv
from striate.strict_json import to_json


class RunFolder:
    """A folder with model.safetensors, last.ckpt, metrics.csv, timing.csv, config.json and report.html."""

    def __init__(self, path: str | Path) -> None:
        self.path = at_home(path)
        self._lock: FileLock | None = None
        self._made: list[Path] = []  # the folders that were made for it, the innermost first

    model = property(lambda self: self.path / "model.safetensors")
    checkpoint = property(lambda self: self.path / "last.ckpt")
    metrics = property(lambda self: self.path / "metrics.csv")
    timing = property(lambda self: self.path / "timing.csv")
    config = property(lambda self: self.path / "config.json")
    skipped = property(lambda self: self.path / "skipped.csv")
    advice = property(lambda self: self.path / "advice.json")
    report = property(lambda self: self.path / "report.html")
    events = property(lambda self: self.path / "events")

    @classmethod
    def create(cls, path: str | Path | None, stem: str) -> RunFolder:
        """A new folder, locked: `path`, or else runs/<stem>, runs/<stem>-2, … whichever is free.

        What Windows does not allow in a name is replaced in the stem, on every system, so that folders can be moved.

        Raises:
            UsageError: the folder named exists already and is not empty.
            StriateError: it cannot be made.
        """
        if path is not None:
            run = cls(path)
            run.refuse_existing()
            run._make(exist_ok=True)
            return run
        stem, number = portable_name(stem) or "run", 1
        while True:
            run = cls(Path("runs") / (stem if number == 1 else f"{stem}-{number}"))
            try:
                run._make(exist_ok=False)
            except FileExistsError:
                number += 1
                continue
            return run

    def refuse_existing(self) -> None:
        """Raise UsageError where something lies already that a new run would overwrite."""
        try:
            taken = self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir()))
        except OSError as error:
            raise explain(error, self.path) from error
        if taken:
            on = either(f"--resume {self.path}", f"striate.resume({str(self.path)!r})")
            resumable = f"Go on with it: {on}; or choose" if self.config.is_file() else "Choose"
            raise UsageError(f"{self.path} exists already and is never overwritten. {resumable} {_another()}.")

    @property
    def has_results(self) -> bool:
        """Whether something was trained here: starting anew would overwrite it."""
        return any(path.exists() for path in (self.model, self.metrics, self.timing, self.report))

    def drop_checkpoint(self, why: str) -> None:
        """Remove last.ckpt, and let config.json say that this was meant."""
        self.update_config(checkpoint=f"dropped: {why}")
        self.checkpoint.unlink(missing_ok=True)

    def remove_if_unstarted(self) -> None:
        """Take away again what `create` made when nothing was trained: there is nothing to go on with."""
        if self.checkpoint.exists() or self.model.exists():
            return
        with contextlib.suppress(OSError):  # something else lies in it
            for path in (self.config, self.skipped, self.advice):
                path.unlink(missing_ok=True)
            self._remove_folders()

    def _remove_folders(self) -> None:
        """Take away lock and folders that are this run's, unless something lies in them.

        Raises:
            OSError: something does.
        """
        if self._lock is not None or self._made:
            self.unlock()  # Windows removes no file that is open
            (self.path / ".lock").unlink(missing_ok=True)
        for path in self._made:
            with contextlib.suppress(FileNotFoundError):  # an interrupt came before it was made
                path.rmdir()

    def _make(self, exist_ok: bool) -> None:
        """Make the folder and lock it; an interrupt leaves nothing of it."""
        try:
            self._make_folders(exist_ok)
            self.lock()
        except KeyboardInterrupt:  # a busy disk takes its time to make a folder, so they do come just then
            with contextlib.suppress(OSError):
                self._remove_folders()
            raise

    def _make_folders(self, exist_ok: bool) -> None:
        try:
            self._made = [path for path in (self.path, *self.path.parents) if not path.exists()]
            self.path.mkdir(parents=True, exist_ok=exist_ok)
        except FileExistsError:
            if exist_ok:
                raise UsageError(f"{self.path} is a file; choose {_another()}.") from None
            raise
        except OSError as error:
            raise explain(error, self.path) from error

    @classmethod
    def open(cls, path: str | Path) -> RunFolder:
        """An existing run folder, locked, to go on with.

        Raises:
            UsageError: there is no run there.
        """
        run = cls(path).existing()
        run.lock()
        run._sweep()
        return run

    def _sweep(self) -> None:
        """Remove what a process that was killed while it wrote a file has left of it."""
        written = (self.model, self.checkpoint, self.metrics, self.timing, self.config, self.skipped, self.advice)
        for path in (*written, self.report):
            for half in self.path.glob(f".{path.name}.*"):
                half.unlink(missing_ok=True)

    def existing(self) -> RunFolder:
        """This folder, when a run lies there; raises as `open`."""
        if not self.config.is_file():
            kind = "is no run folder (it has no config.json)" if self.path.exists() else "does not exist"
            raise UsageError(f"{self.path} {kind}. Give the folder that an earlier `striate train` wrote.")
        return self

    def lock(self) -> None:
        """Keep other processes out until this one ends, however it ends (the system drops the lock).

        Raises:
            StriateError: another process is training in this folder, or the folder cannot be written to.
        """
        lock = FileLock(self.path / ".lock")
        try:
            lock.acquire(timeout=self._patience())
        except Timeout:
            raise StriateError(
                f"{self.path}: another process is training in this folder. Wait for it, or choose {_another()}."
            ) from None
        except OSError as error:
            raise explain(error, self.path) from error
        self._lock = lock

    def _patience(self) -> float:
        """Seconds to wait for the lock: the workers of a process that was killed hold it until they notice."""
        with contextlib.suppress(StriateError):
            return 6.0 if self.read_config().get("workers") else 0.0
        return 0.0

    def unlock(self) -> None:
        """Let others in."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def write_config(self, config: dict[str, Any]) -> None:
        """Write config.json."""
        write_atomically(self.config, to_json(config, indent=2) + "\n")

    def write_advice(self, advice: dict[str, Any]) -> None:
        """Write advice.json, the evidence by which it was decided how to train."""
        write_atomically(self.advice, to_json(advice, indent=2) + "\n")

    def read_advice(self) -> dict[str, Any]:
        """Read advice.json; nothing where there is none, or none that can be read: it only tells."""
        try:
            advice = json.loads(self.advice.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return advice if isinstance(advice, dict) else {}

    def read_config(self) -> dict[str, Any]:
        """Read config.json.

        Raises:
            StriateError: it is damaged.
        """
        try:
            config = json.loads(self.config.read_text(encoding="utf-8-sig"))  # an editor may have put a mark before it
            if not isinstance(config, dict):
                raise ValueError("it holds no JSON object")
        except OSError as error:
            raise StriateError(f"{self.config}: cannot be read ({error.strerror}).") from error
        except (ValueError, RecursionError) as error:
            raise StriateError(f"{self.config}: damaged ({error}); this run cannot be resumed.") from error
        return config

    def update_config(self, **fields: Any) -> None:
        """Write config.json anew with these fields set."""
        self.write_config({**self.read_config(), **fields})

    def write_table(self, path: Path, rows: list[dict[str, Any]]) -> None:
        """Write rows as CSV; nothing where there are none."""
        if rows:
            write_csv(path, rows)


def _another() -> str:
    return either("another --run", "another folder to run in")
