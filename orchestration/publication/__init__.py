"""From an audited candidate to the version that everyone reads: one folder a version, one link, switched at once."""
