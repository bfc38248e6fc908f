"""What happens around the models: landing, checks, the account of schemes, publication, the report, the schedule."""
