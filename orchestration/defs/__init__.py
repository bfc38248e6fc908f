"""What talks to Dagster: assets, checks, the run, schedules, sensors. definitions.py names them all."""
