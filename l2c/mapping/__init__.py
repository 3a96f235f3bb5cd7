"""Mappings: YAML compiled into one function that turns a record of one entity into one of another."""

from l2c.mapping.mapper import Env, Mapped, Mapper, load_bundle, load_mapper, read_mapper, write_mappers
from l2c.mapping.payload import decode, digest, encode

__all__ = [
    "Env",
    "Mapped",
    "Mapper",
    "decode",
    "digest",
    "encode",
    "load_bundle",
    "load_mapper",
    "read_mapper",
    "write_mappers",
]
