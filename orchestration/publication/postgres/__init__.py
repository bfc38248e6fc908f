"""The published version in PostgreSQL too, where PUBLISH_POSTGRES_DSN names a server (docs/postgresql.md).

`server.py`: connecting, secrets, errors in words, one writer at a time. `shape.py`: a version's tables and views as
PostgreSQL has them. `versions.py`: writing a version into a schema of its own, switching the views of the stable
schema, dropping old versions. `people.py`: forgetting a person there. `assets.py`: the step of a refresh.
"""
