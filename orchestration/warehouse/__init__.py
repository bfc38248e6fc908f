"""The models, as Dagster runs them: the dbt project's manifest, dbt's arguments, the two halves of the build."""
