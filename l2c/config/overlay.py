"""Laying one YAML file over another: blocks are merged key by key, anything else (lists too) is replaced."""

from l2c.config.loader import Block


def merge(base: Block, over: Block) -> Block:
    """A new block with the keys of both; places point into the file a value came from."""
    merged = Block(base.mark)
    for key, value in base.items():
        merged.put(key, value, base.keys_at[key], base.values_at[key])
    for key, value in over.items():
        below = merged.get(key)
        together = merge(below, value) if isinstance(below, Block) and isinstance(value, Block) else value
        merged.put(key, together, over.keys_at[key], over.values_at[key])
    return merged
