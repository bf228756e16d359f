"""Pools, targets and the files they come from.

Every row that is read becomes an `Example` of the `Pool` or a `Rejected` row with the rule it broke.
"""
