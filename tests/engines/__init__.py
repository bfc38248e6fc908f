"""The same warehouse on every engine: known differences, and every published table of whole refreshes."""
