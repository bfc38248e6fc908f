"""Ready questions: how a file becomes a view, and what is refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orchestration.publication.candidate import CandidateError, write_candidate
from orchestration.publication.ddl import PublishedTable
from orchestration.publication.questions import Question, questions, read_question

SIZES = PublishedTable("sizes", {"segment": "varchar", "members": "bigint"}, primary_key=("segment",))
LARGE = Question("v_large", "Who's large.", {"segment": "The segment."}, "select segment from sizes where members > 1")


def published(folder: Path, question: Question) -> Path:
    with duckdb.connect() as con:
        con.execute("create table sizes as select * from (values ('a', 1), ('b', 2)) as t(segment, members)")
        write_candidate(con, folder, {"sizes": SIZES}, {}, [question])
    return folder / "segments.duckdb"


def test_a_view_is_in_the_file_under_whatever_name_it_is_opened(tmp_path: Path) -> None:
    file = published(tmp_path / "c", LARGE)
    moved = file.rename(tmp_path / "another name.duckdb")
    with duckdb.connect(str(moved), read_only=True) as con:
        assert con.execute("from v_large").fetchall() == [("b",)]
        assert con.execute("select comment from duckdb_views() where view_name = 'v_large'").fetchall() == [
            ("Who's large.",)
        ]
    with duckdb.connect() as con:
        con.execute(f"attach '{moved}' as shop (read_only)")
        assert con.execute("from shop.v_large").fetchall() == [("b",)]


@pytest.mark.parametrize(
    ("question", "said"),
    [
        (Question("v_x", "x", {"segment": "x"}, "select segment from nowhere"), "nowhere"),
        (Question("v_x", "x", {"size": "x"}, "select segment from sizes"), "v_x: its columns are segment"),
    ],
)
def test_a_question_that_cannot_be_asked_makes_no_candidate(tmp_path: Path, question: Question, said: str) -> None:
    with pytest.raises(CandidateError, match=said):
        published(tmp_path / "c", question)


def test_a_file_is_read_as_description_columns_and_select(tmp_path: Path) -> None:
    path = tmp_path / "v_a.sql"
    path.write_text("-- What,\n-- and why.\n--   n: A count.\nselect 1 as n\n")
    assert read_question(path) == Question("v_a", "What, and why.", {"n": "A count."}, "select 1 as n")


@pytest.mark.parametrize(
    ("text", "said"), [("select 1 as n", "no description"), ("-- a\n--   n: A.\n-- b\n", "no column")]
)
def test_a_file_without_words_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "v_a.sql"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_question(path)


def test_all_questions_describe_each_column() -> None:
    assert len(questions()) >= 6
    assert all(question.columns and question.description.endswith(".") for question in questions())
