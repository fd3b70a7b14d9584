"""striate augment: what a policy of augmentation does to a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from striate.cli.output import Json, TrustOption, loaded, print_json, print_table
from striate.cli.pairs import pairs
from striate.cli.panels import OUTPUT
from striate.errors import UsageError
from striate.text_tables import Column, Table, clipped

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.augment import Augment

#: Pixels a side of the pictures of a sheet.
SIZE = 160
COLUMNS = (Column("policy", right=False), Column("what it does", right=False, rank=1, least=34, cut=clipped))
PREFIX = "augment."


def command(
    photos: Annotated[
        list[str] | None,
        typer.Argument(
            help="A picture; a second one to mix it with, where the policy does. Or a folder, as for train."
        ),
    ] = None,
    policy: Annotated[
        str | None, typer.Option(help="A policy by name (--list shows them); by default every transform there is.")
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Any strength, such as rotate=15. Given again for another."),
    ] = None,
    names: Annotated[bool, typer.Option("--list", help="List the policies that have a name.")] = False,
    show_input: Annotated[
        str | None,
        typer.Option(
            metavar="RUN|NETWORK",
            help="Show what this network sees of the picture in its place, and what it would by other resize rules.",
        ),
    ] = None,
    size: Annotated[int, typer.Option(min=16, max=1024, help="Pixels a side of each picture.")] = SIZE,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is drawn.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="The sheet; by default augmented.png, images.png or input.png.",
            rich_help_panel=OUTPUT,
        ),
    ] = None,
    trust: TrustOption = None,
    json: Json = False,
) -> None:
    """Write a contact sheet of what a policy does to a picture: each transform at rising strength, then all at once.

    Of a data set it is a grid of its images, as they are or under the policy, which is asked whether it makes classes
    alike.
    """
    if names:
        _list(json)
        return
    if not photos:
        raise UsageError("give a picture to augment, or --list for the policies that have a name.")
    if show_input is not None:
        _show_input(show_input, trust, photos, size, out, json)
        return
    if Path(photos[0]).is_dir():
        _show_data(photos, policy, set_, size, seed, out, json)
        return
    if len(photos) > 2:
        raise UsageError(f"{len(photos)} pictures: one is augmented, a second one may be mixed with it.")
    from striate.data.decode import decode
    from striate.files import write_atomically
    from striate.report.contact_sheet import contact_sheet, png
    from striate.report.policy_sheet import all_together, transforms_alone

    pictures, chosen = [decode(photo, None) for photo in photos], _policy(policy, set_)
    rows = [*transforms_alone(chosen, pictures, (size, size), seed)]
    if policy or set_:
        rows += all_together(chosen, pictures, (size, size), seed)
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


def _show_data(
    sources: Sequence[str],
    policy: str | None,
    settings: list[str] | None,
    size: int,
    seed: int,
    out: Path | None,
    json: bool,
) -> None:
    from striate.augment import Augment
    from striate.data import open_dataset
    from striate.data.targets import SINGLE_LABEL
    from striate.files import write_atomically
    from striate.report.batch_sheet import batch_sheet
    from striate.report.contact_sheet import contact_sheet, png
    from striate.training.label_changes import label_changes

    if len(sources) > 1:
        raise UsageError(f"{len(sources)} sources: give pictures, or one data set.")
    chosen = _policy(policy, settings) if policy or settings else Augment()
    dataset = open_dataset(sources[0], memory_limit=0, val_fraction=0)
    target = write_atomically(out or Path("images.png"), png(contact_sheet(batch_sheet(dataset, chosen, size, seed))))
    changes = label_changes(dataset.train, chosen, seed) if dataset.task == SINGLE_LABEL else []
    if json:
        print_json({"sheet": str(target), "policy": asdict(chosen), "label_changes": [asdict(one) for one in changes]})
        return
    for change in changes:
        print(f"note: {change}")
    print(f"written to {target}")


def _show_input(run: str, trust: str | None, photos: Sequence[str], size: int, out: Path | None, json: bool) -> None:
    from striate.data.decode import decode
    from striate.files import write_atomically
    from striate.report.contact_sheet import contact_sheet, png
    from striate.report.input_sheet import input_sheet
    from striate.training.recipes import Recipe

    if len(photos) > 1:
        raise UsageError(f"{len(photos)} pictures: --show-input shows one.")
    description = loaded(Path(run), None, trust, "cpu").description
    look, policy = description.preprocessing, Recipe.from_dict(description.recipe).augment
    sheet = contact_sheet([*input_sheet(look, policy, decode(photos[0], look.channels), size)])
    target = write_atomically(out or Path("input.png"), png(sheet))
    if json:
        print_json({"sheet": str(target), "preprocessing": look.to_dict(), "policy": asdict(policy)})
        return
    print(f"written to {target}")


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
        print(
            f"note: {_needing(left_out)} red, green and blue, and {'does' if len(left_out) == 1 else 'do'} nothing here"
        )
    if alone:
        print(f"note: {_needing(alone)} a second picture: striate augment ONE TWO")
    print(f"written to {target}")


def _needing(names: Sequence[str]) -> str:
    return f"{', '.join(names)} {'needs' if len(names) == 1 else 'need'}"
