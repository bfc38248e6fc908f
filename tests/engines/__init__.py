"""The same warehouse on every engine: small landing zones in `make test`, the demo and thrift in `make test-spark`."""
