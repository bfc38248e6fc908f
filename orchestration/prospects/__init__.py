"""Prospects: each one's segment in the scheme chosen for its kind, found from customers who say the same of themselves.

Belongs here: what needs a fitted model over profiles that dbt put into one shape (int_attributes): prospect_segments,
prospect_models, prospect_personas.
Does not belong here: what customers, prospects and personas say (models/intermediate/), rules that need a profile alone
(models/marts/segments/schemes/).

Where there is no prospect, nothing is fitted and scikit-learn is not even imported.
"""

from __future__ import annotations

from orchestration.prospects.tables import prospect_tables

__all__ = ["prospect_tables"]
