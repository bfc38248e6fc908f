"""The same warehouse on every engine: known differences in `make test`, whole refreshes in `make test-spark`."""
