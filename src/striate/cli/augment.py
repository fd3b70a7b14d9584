"""striate augment: what a policy of augmentation does to a picture."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, print_json, print_table
from striate.cli.pairs import pairs
from striate.cli.panels import OUTPUT
from striate.errors import UsageError
from striate.text_tables import Column, Table, clipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.augment import Augment
    from striate.report.contact_sheet import Cell

#: Pixels a side of the pictures of a sheet; versions under the whole policy, and how many in a row.
SIZE, VERSIONS, ACROSS = 160, 8, 4
COLUMNS = (Column("policy", right=False), Column("what it does", right=False, rank=1, least=34, cut=clipped))
PREFIX = "augment."


def command(
    photos: Annotated[
        list[str] | None, typer.Argument(help="A picture; a second one to mix it with, where the policy does.")
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="A policy by name (--list shows them); by default every transform there is.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any strength, such as rotate=15. Given again for another."),
    ] = None,
    names: Annotated[bool, typer.Option("--list", help="List the policies that have a name.")] = False,
    size: Annotated[int, typer.Option(min=16, max=1024, help="Pixels a side of each picture.")] = SIZE,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is drawn.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE.png", help="The sheet; by default augmented.png.", rich_help_panel=OUTPUT),
    ] = None,
    json: Json = False,
) -> None:
    """Write a contact sheet of what a policy does to a picture: each transform at rising strength, then all at once."""
    if names:
        _list(json)
        return
    if not photos:
        raise UsageError("give a picture to augment, or --list for the policies that have a name.")
    if len(photos) > 2:
        raise UsageError(f"{len(photos)} pictures: one is augmented, a second one may be mixed with it.")
    from striate.data.decode import decode
    from striate.files import write_atomically
    from striate.report.contact_sheet import contact_sheet, png

    pictures, chosen = [decode(photo, None) for photo in photos], _policy(policy, set_)
    rows = [*_alone(chosen, pictures, (size, size), seed)]
    if policy or set_:
        rows += _together(chosen, pictures, (size, size), seed)
    target = write_atomically(out or Path("augmented.png"), png(contact_sheet(rows)))
    _tell(target, chosen, pictures, json)


def _list(json: bool) -> None:
    from striate.augment.policies import POLICIES, PURPOSES

    if json:
        print_json(
            {"policies": [{"name": name, "does": PURPOSES[name], **asdict(POLICIES[name])} for name in POLICIES]}
        )
    else:
        print_table(Table(COLUMNS, [[name, PURPOSES[name]] for name in POLICIES]))


def _policy(name: str | None, settings: list[str] | None) -> Augment:
    """The policy that is asked for; where nothing is, every transform at a strength that is plainly seen."""
    from striate.augment import Augment
    from striate.augment.policies import get_policy
    from striate.augment.showing import TELLING
    from striate.training.fields import with_field

    chosen = get_policy(name) if name else Augment() if settings else TELLING
    for field, value in pairs(settings, "--set").items():
        chosen = with_field(chosen, field.removeprefix(PREFIX), value)
    if not chosen.changes_anything:
        raise UsageError("this policy changes nothing: there is nothing to show.")
    return chosen


def _alone(policy: Augment, pictures: Sequence[NDArray], size: tuple[int, int], seed: int) -> Iterator[list[Cell]]:
    """The picture itself, then a row for each transform."""
    from striate.augment import Augment
    from striate.augment.policy import MIXING
    from striate.augment.showing import alone, transforms, versions
    from striate.report.contact_sheet import Cell

    yield [Cell("the picture", versions(Augment(), pictures[:1], size, 1)[0])]
    for name in transforms(policy):
        if name in MIXING and len(pictures) < 2:
            continue
        steps = alone(policy, name)
        yield [
            Cell(words, versions(one, pictures, size, 1, seed + number)[0]) for number, (words, one) in enumerate(steps)
        ]


def _together(policy: Augment, pictures: Sequence[NDArray], size: tuple[int, int], seed: int) -> list[list[Cell]]:
    """Rows of versions under the whole policy."""
    from striate.augment.showing import versions
    from striate.report.contact_sheet import Cell

    made = versions(policy, pictures, size, VERSIONS, seed)
    cells = [Cell(f"all together, {number}", picture) for number, picture in enumerate(made, 1)]
    return [cells[first : first + ACROSS] for first in range(0, len(cells), ACROSS)]


def _tell(target: Path, policy: Augment, pictures: Sequence[NDArray], json: bool) -> None:
    from striate.augment.policy import MIXING
    from striate.augment.showing import skipped, transforms

    left_out = skipped(policy, pictures[0].shape[2])
    alone = [name for name in MIXING if policy.has(name)] if len(pictures) < 2 else []
    if json:
        found: dict[str, Any] = {"sheet": str(target), "transforms": transforms(policy), "policy": asdict(policy)}
        print_json(found | {"skipped": left_out + alone})
        return
    if left_out:
        print(f"note: {', '.join(left_out)} need red, green and blue, and do nothing to this picture")
    if alone:
        print(f"note: {', '.join(alone)} need a second picture: striate augment ONE TWO")
    print(f"written to {target}")
