"""From files in a landing zone to one normalised set of Parquet files that every engine reads.

Belongs here: reading files, the demo data, what a file must hold to be read at all. Does not belong here: what a single
value must look like; that is SQL (macros/staging/), so that it is the same on every engine.
"""
