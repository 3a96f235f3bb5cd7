"""The independent checker, under the name the tests of this folder know it by."""

from benchmarks.rig.standing import Found, addresses_of, check, consumers_of, created_twice, customers_of, may_order

__all__ = ["Found", "addresses_of", "check", "consumers_of", "created_twice", "customers_of", "may_order"]
