"""Checks of data at two doors, after staging and before publication, each one a Dagster asset check."""
