"""From decisions to a list that can be sent, and its memory: assignments kept from refresh to refresh, the export of
the audiences, the check that stands before it, and forgetting a person."""
