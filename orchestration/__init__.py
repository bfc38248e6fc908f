"""What happens around the models: landing, checks, the account of each scheme, publication, the report, the schedule."""
