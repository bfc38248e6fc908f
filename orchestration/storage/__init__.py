"""Files, locks and folders that a refresh must not leave half-way, and what is remembered between refreshes."""
