"""Distribute: journal → system. Reads the journal in blocks, maps, compares, writes, settles.

Every record that is due ends in exactly one state: written, unchanged, filtered, superseded, waiting, retrying, in_doubt,
awaiting_confirmation or dead_letter. The target's place in the journal moves in the transaction that settles the block.
"""

from l2c.distribute.blocks import Distribution
from l2c.distribute.confirmation import settle_confirmed
from l2c.distribute.job import STATE_OF, DistributeJob, Retries

__all__ = ["STATE_OF", "DistributeJob", "Distribution", "Retries", "settle_confirmed"]
