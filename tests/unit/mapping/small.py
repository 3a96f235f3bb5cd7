"""Small mappings for tests: one entity, one file, compiled."""

from typing import Any

from l2c.config import Project
from l2c.errors import ConfigError
from l2c.mapping import Env, Mapper, load_mapper

ENTITY = """
entity: thing
fields:
  key: {type: text, length: 10}
  name: {type: text, length: 8, personal: true}
  kind: {type: code, values: [small, large]}
  kinds: {type: code, values: [small, large], list: true}
  on: {type: boolean}
  count: {type: integer}
  price: {type: amount, decimals: 2}
  weight: {type: decimal}
  day: {type: date}
  until: {type: date}
  moment: {type: timestamp}
  country: {type: country}
  currency: {type: currency}
  language: {type: language}
  owner: {type: reference, to: business_partner/customer}
  place: {fields: {city: {type: text, length: 40}, code: {type: text, length: 10}}}
  parts:
    list_by: number
    fields:
      number: {type: text, length: 10}
      name: {type: text, length: 20}
      on: {type: boolean}
      marks: {type: text, length: 10, list: true}
"""
READ = "mapping: sys.thing.read\nfrom: sys/Thing\nto: canonical/thing\nkey: Key\n"
WRITE = "mapping: sys.thing.write\nfrom: canonical/thing\nto: sys/Thing\n"


def made(
    home: Any, text: str, *, direction: str = "read", entity: str = ENTITY, maps: str = "", head: str = ""
) -> Mapper:
    """The mapper of a file's text below the usual head, or another; `maps` is a shared value map named `shared`."""
    files = {
        "mappings/canonical/thing.yaml": entity,
        f"mappings/sys/thing.{direction}.yaml": (head or (READ if direction == "read" else WRITE)) + text,
    }
    if maps:
        files["mappings/value_maps/shared.yaml"] = maps
    for name, content in files.items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return load_mapper(Project(home), f"mappings/sys/thing.{direction}.yaml")


def both(mapper: Mapper, record: dict[str, Any], env: Env | None = None) -> dict[str, Any]:
    """The result, after seeing that the careful form gives what the fast form gives where that one does not give up."""
    env = env or Env()
    careful = mapper.compiled.careful(record, env)
    try:
        fast = mapper.compiled.fast(record, env)
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError, IndexError):
        fast = None
    assert fast is None or fast == careful
    assert mapper.map(record, env) == careful
    return careful.data


def mistakes(home: Any, text: str, **options: Any) -> list[str]:
    """What is wrong with a file, without the place."""
    try:
        made(home, text, **options)
    except ConfigError as error:
        return [line.partition(": ")[2] for line in error.mistakes]
    return []
