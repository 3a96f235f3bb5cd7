"""Nouns with verbs of their own."""

from typing import Any

import typer
from typer.core import TyperGroup

LIST = "list"


class Noun(TyperGroup):
    """A group of verbs in which `list` may be left out: `l2c keys FLOW` is `l2c keys list FLOW`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `list` in front of anything that is no verb."""
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = [LIST, *args]
        return super().parse_args(ctx, args)


def noun(app: typer.Typer, name: str, text: str) -> typer.Typer:
    """Add a noun to the command; its verbs are to be added to what is returned."""
    group = typer.Typer(cls=Noun, help=text, no_args_is_help=True, rich_markup_mode=None)
    app.add_typer(group, name=name)
    return group
