"""Mappings: YAML compiled into one function that turns a record of one entity into one of another."""

from l2c.mapping.check import check_flow, check_mapping, elements_problem
from l2c.mapping.conditions import compile_condition
from l2c.mapping.loading import load_bundle, load_mapper, read_mappers, write_mappers
from l2c.mapping.mapper import Element, Env, Mapped, Mapper
from l2c.mapping.payload import decode, digest, encode

__all__ = [
    "Element",
    "Env",
    "Mapped",
    "Mapper",
    "check_flow",
    "check_mapping",
    "compile_condition",
    "decode",
    "digest",
    "elements_problem",
    "encode",
    "load_bundle",
    "load_mapper",
    "read_mappers",
    "write_mappers",
]
