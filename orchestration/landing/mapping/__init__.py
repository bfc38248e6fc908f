"""Exports as they are, mapped to the landing zone's tables by a file that a person reads and edits.

    files.py     what an export's files hold: CSV in any common dialect, Parquet, workbooks; rows as texts
    model.py     the mapping file: reading it, and what is wrong with it in a sentence
    apply.py     a landing zone written from it, a file for each file of the export
    headers.yml  headers that common systems write, by the contract's columns
    propose.py   a mapping file for a folder nobody has mapped yet

Nothing in an export or a mapping file is executed, and nothing is fetched.
"""
