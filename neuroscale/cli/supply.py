"""``neuroscale supply``: what images, binaries and manifests there are, and making them."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from neuroscale.cli.options import Milestones
from neuroscale.components import demands, install_tools
from neuroscale.milestones import MILESTONES, parse_milestones
from neuroscale.polling import duration
from neuroscale.screen import say, table
from neuroscale.settings import assert_checkout, cache_dir
from neuroscale.supply import Plan, choose
from neuroscale.supply.builder import Builder
from neuroscale.supply.source import SourceSupply, targets

supply = typer.Typer(
    help="Images, binaries and upstream manifests: what there is, and making it.", no_args_is_help=True
)


@supply.command()
def status(
    milestones: Milestones = "all",
    verify: Annotated[bool, typer.Option("--verify", help="Read every stored byte and compare its hash.")] = False,
) -> None:
    """Which parts are built, and whether they are unharmed."""
    assert_checkout()
    builder = Builder()
    _show(
        builder.plan(
            "source", f"kept in {builder.cache}", targets(demands(parse_milestones(milestones))), rehash=verify
        )
    )


@supply.command()
def build(
    milestones: Milestones = "all",
    source: Annotated[
        Literal["auto", "registry", "source"], typer.Option("--supply", help="Where images come from.")
    ] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print what would be done, with times and sizes.")] = False,
    install: Annotated[
        bool,
        typer.Option("--install/--no-install", help="Whether missing Debian packages may be installed."),
    ] = True,
) -> None:
    """Make what is missing; scenarios without a cluster need no more. It can be stopped, and goes on where it was."""
    assert_checkout()
    wanted = parse_milestones(milestones)
    chosen = choose(source, demands(wanted), may_install=install)
    if dry_run:
        _show(chosen.plan(demands(wanted)))
        return
    for line in install_tools(wanted) if install else ():
        say(line)
    say(f"supply: {chosen.name} ({chosen.reason})")
    chosen.build(demands(wanted))
    say(f"all parts of milestones {' '.join(wanted).upper()} are there")


@supply.command()
def prune() -> None:
    """Remove what outdated recipes left, unfinished builds, and Go's caches."""
    removed, size = SourceSupply("asked for").prune(demands(MILESTONES))
    for name in removed:
        say(f"removed {name}")
    say(f"{size / 1e9:.1f} GB freed in {cache_dir()}")


def _show(plan: Plan) -> None:
    say(f"supply: {plan.name} ({plan.reason})")
    parts = table("part", "state", "size", "time to build")
    for part in plan.parts:
        there = part.condition == "present"
        state = f"[green]{part.condition}[/]" if there else f"[yellow]{part.condition}[/] {part.why}"
        parts.add_row(part.name, state, f"{part.size / 1e6:.0f} MB", "" if there else f"about {duration(part.seconds)}")
    say(parts)
    if plan.to_do:
        say(
            f"{len(plan.to_do)} to build, about {duration(plan.seconds)}; "
            f"{plan.needed / 1e9:.1f} GB of disk at the peak, {plan.free / 1e9:.1f} GB free"
        )
    else:
        say(f"nothing to build; {plan.free / 1e9:.1f} GB of disk free")
