"""Arguments and options that several verbs share."""

from typing import Annotated

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]
Flow = Annotated[str, typer.Argument(metavar="FLOW", help="A flow, named by its entity: business_partner.")]
AnyFlow = Annotated[
    str | None, typer.Argument(metavar="[FLOW]", help="A flow, named by its entity; all when left out.")
]
System = Annotated[str, typer.Argument(metavar="SYSTEM", help="A system of config/systems.yaml.")]
AnySystem = Annotated[
    str | None, typer.Argument(metavar="[SYSTEM]", help="A system of config/systems.yaml; all when left out.")
]
Entity = Annotated[str, typer.Argument(metavar="ENTITY", help="A native entity: A_BusinessPartner.")]
Reveal = Annotated[bool, typer.Option("--reveal", help="Show personal data instead of its shape.")]
NativeKey = Annotated[str, typer.Argument(metavar="KEY", help="The record's native key in that system.")]
OfRecord = Annotated[
    str, typer.Argument(metavar="RECORD", help="The hub's number ('#12'), or a native key in any system.")
]
