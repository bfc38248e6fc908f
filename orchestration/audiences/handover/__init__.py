"""Audiences leave the house: what a sender needs, handed over to the targets in AUDIENCE_TARGET, and what it says back.

`target.py`: the small class that a target is, and which ones are asked for. `lists.py`: one list a channel and what
changed since the last hand-over, and the memory of it. `folder.py`: a folder, here or anywhere that fsspec knows.
`postgres.py`: tables of a PostgreSQL database. `receipts.py`: receipts taken back as touchpoints. `assets.py`: the step
of a refresh.
docs/hand-over.md is for whoever sends.
"""
