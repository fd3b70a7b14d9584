"""striate check: the data doctor, which looks through a data set without training."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from striate.cli.check_told import as_json, print_checkup
from striate.cli.output import Json, Quiet, print_json
from striate.cli.panels import CI, MENDING, OUTPUT
from striate.errors import UsageError
from striate.units import plural, tally

if TYPE_CHECKING:
    from striate.data.setting_aside import Moved

#: The exit code where findings of a kind were made that was to be none.
FOUND = 3


def command(
    source: Annotated[str, typer.Argument(help="Images, as for train.")],
    task: Annotated[
        str | None, typer.Option(help="What a table's labels are: single-label, multi-label or regression.")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(metavar="COLUMN[,...]", help="The columns of a table that hold the labels or values."),
    ] = None,
    near: Annotated[bool, typer.Option("--near/--no-near", help="Look for near duplicates.")] = True,
    labels: Annotated[
        bool,
        typer.Option(
            "--labels/--no-labels",
            help="Look for wrong labels and odd ones out, by the features of a pretrained network on this machine.",
        ),
    ] = True,
    label_images: Annotated[
        int, typer.Option(min=1, metavar="N", help="Look at the labels of so many images at most.")
    ] = 20_000,
    seed: Annotated[int, typer.Option(help="Decides which of these images, and the parts of cross-validation.")] = 0,
    strict: Annotated[
        bool,
        typer.Option("--strict", help="Leave with exit code 3 where something grave is found.", rich_help_panel=CI),
    ] = False,
    fail_on: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[,...]", help="Leave with exit code 3 where one of these is found.", rich_help_panel=CI
        ),
    ] = None,
    fix: Annotated[
        bool,
        typer.Option(
            "--fix",
            help="Move what is unreadable, a copy or leaked to FOLDER.set-aside; nothing is deleted.",
            rich_help_panel=MENDING,
        ),
    ] = False,
    also: Annotated[
        str | None,
        typer.Option(
            metavar="KIND[,...]", help="With --fix: move findings of these kinds, too.", rich_help_panel=MENDING
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Bring back all that --fix has set aside.", rich_help_panel=MENDING)
    ] = False,
    page: Annotated[
        Path | None, typer.Option(help="Write a page with pictures to this HTML file.", rich_help_panel=OUTPUT)
    ] = None,
    skipped: Annotated[
        Path | None, typer.Option(help="Write the unreadable files to this CSV.", rich_help_panel=OUTPUT)
    ] = None,
    json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Check every image of a data set: what is broken, twice, in two splits, under a wrong label, or odd.

    Exit code 0 whatever is found, unless --strict or --fail-on asks for 3.
    """
    from striate.classifier.checking import check
    from striate.data.finding import check_kinds
    from striate.data.setting_aside import SURE, beside, set_aside, to_set_aside

    failing, moving = check_kinds(fail_on or ""), check_kinds(also or "")
    if also and not fix:
        raise UsageError("--also says what --fix is to move besides; give --fix")
    if undo:
        if fix:
            raise UsageError("--fix sets images aside and --undo brings them back; give one of the two")
        _undo(source, json, quiet)
        return
    if fix:
        beside(source)
        to_set_aside((), moving)
    with _shown(quiet or json) as shown:
        checkup = check(
            source,
            task=task,
            target=target,
            near=near,
            labels=labels,
            label_images=label_images,
            seed=seed,
            shown=shown,
        )
    dataset = checkup.dataset
    if skipped is not None:
        dataset.write_skipped(skipped)
    if page is not None:
        from striate.report.checkup import write_checkup

        write_checkup(page, checkup)
    moved = set_aside(dataset, to_set_aside(checkup.findings, (*SURE, *moving))) if fix else None
    if json:
        print_json(as_json(checkup, moved))
    else:
        print_checkup(checkup)
        for line in _moved_lines(source, moved):
            print(line)
        if page is not None:
            print(f"page       {page}")
    kinds = {*failing, *(entry.kind for entry in checkup.grave if strict)}
    if kinds & set(checkup.counts):
        raise typer.Exit(FOUND)


def _undo(source: str, json: bool, quiet: bool) -> None:
    """Bring back what was set aside."""
    from striate.data.setting_aside import bring_back
    from striate.training.counting import create_counter

    with create_counter("bringing back", quiet or json) as counter:
        moved = bring_back(source, counter)
    if json:
        print_json({"brought_back": list(moved.files), "left": list(moved.left)})
        return
    print(f"{plural(len(moved.files), 'file')} brought back to {source}")
    for line in moved.left:
        print(line)


@contextmanager
def _shown(quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """What shows each step of the check on standard error, one after the other."""
    from striate.training.counting import Counter, create_counter

    steps: dict[str, Counter] = {}

    def shown(step: str, done: int, total: int) -> None:
        if step not in steps:
            for earlier in steps.values():
                earlier.clear()
            steps[step] = create_counter(step, quiet)
        steps[step](done, total)

    try:
        yield shown
    finally:
        for last in steps.values():
            last.clear()


def _moved_lines(source: str, moved: Moved | None) -> Iterator[str]:
    """What was set aside, and how it comes back."""
    if moved is None:
        return
    yield from moved.left
    if not moved.files:
        yield "set aside  nothing"
        return
    yield f"set aside  {plural(len(moved.files), 'file')} in {moved.folder} ({tally(moved.counts)})"
    yield f"           striate check {shlex.quote(source)} --undo brings them back"
