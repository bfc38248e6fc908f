"""The account of each scheme: do its segments behave differently, do we treat them differently, does it pay?

Belongs here: what needs tails of chi-squared and t, permutations or verdicts, over tables that dbt computed by member.
Does not belong here: facts about members (models/marts/outcomes/), comparing treatments (orchestration/treatments).
"""

from orchestration.accountability.inputs import AccountError

__all__ = ["AccountError"]
