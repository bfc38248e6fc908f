"""`make meanings`: the shop's categories with proposals, filled in, and taken back into a seed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.meanings.commands import FILE_NAME, SEED_NAME, allowed_meanings, run
from orchestration.meanings.propose import (
    COLUMNS,
    MEANINGS,
    Category,
    MeaningsError,
    as_csv,
    as_seed,
    proposal,
    read,
    to_fill_in,
    vocabulary,
)
from orchestration.overrides import own_seeds
from orchestration.settings import DEMO_SEEDS, SHIPPED_SEEDS, Settings

ALLOWED = allowed_meanings(SHIPPED_SEEDS)


def shop(folder: Path, seeds: Path | None) -> Settings:
    """A warehouse of which four categories were sold, and one as of another day."""
    settings = Settings(folder, folder / "wh", None, "UTC", "duckdb", own_seeds_dir=seeds)
    settings.build_file.parent.mkdir(parents=True)
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("create table int_as_of_dates as select date '2026-01-01' as as_of, true as is_current")
        con.execute(
            "create table int_customer_categories (as_of date, customer_id varchar, category varchar, spend double)"
        )
        for day, who, category, spend in (
            (date(2026, 1, 1), "a", "Hand tools", 10),
            (date(2026, 1, 1), "b", "HAND TOOLS", 50),
            (date(2026, 1, 1), "a", "Schrauben", 30),
            (date(2026, 1, 1), "a", "Zubehör X", 5),
            (date(2026, 1, 1), "b", None, 900),
            (date(2025, 1, 1), "b", "Long gone", 900),
        ):
            con.execute("insert into int_customer_categories values (?, ?, ?, ?)", [day, who, category, spend])
    return settings


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_vocabulary_proposes_what_the_schemes_have() -> None:
    for word, meanings in vocabulary().items():
        assert word == word.lower() and any(meanings)
        for scheme, value in zip(MEANINGS, meanings, strict=True):
            assert value in ("", *ALLOWED.get(scheme, [value])), word


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("Power Tools & more", "equip_the_work"),
        ("GARDEN TOOLS", "tend_the_garden"),  # of two words the longer one
        ("Schrauben", "repair_and_maintain"),
        ("Stools", ""),  # a word within a word is none
        ("Grains/Cereals", "eat_and_drink"),
        ("", ""),
    ],
)
def test_a_category_is_proposed_what_its_longest_known_word_means(name: str, job: str) -> None:
    assert proposal(name, vocabulary())[0] == job


def test_categories_come_by_spend_with_proposals_marked(tmp_path: Path) -> None:
    said = run(shop(tmp_path, None))
    found = rows(tmp_path / "wh" / "meanings.csv")
    assert list(found[0]) == list(COLUMNS)
    assert [(row["category"], row["spend"], row["spend_share"], row["proposed"]) for row in found] == [
        ("HAND TOOLS", "60.00", "0.6316", "proposed"),
        ("Schrauben", "30.00", "0.3158", "proposed"),
        ("Zubehör X", "5.00", "0.0526", ""),
    ]
    assert "3 categories by spend; 0% of it has a meaning, 2 rows are proposed" in said
    assert "SEEDS_DIR" in said


def test_what_is_filled_in_is_taken_back_and_what_is_still_marked_is_not(tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    settings = shop(tmp_path, seeds)
    run(settings)
    assert not (seeds / SEED_NAME).exists()
    file = seeds / FILE_NAME
    lines = rows(file)
    lines[0] |= {"job_to_be_done": "Hang a shelf", "proposed": ""}
    lines[1] |= {"job_to_be_done": "still thinking"}
    # As a spreadsheet of another country saves it.
    with file.open("w", encoding="cp1252", newline="") as sink:
        writer = csv.DictWriter(sink, COLUMNS, delimiter=";")
        writer.writeheader()
        writer.writerows(lines)
    run(settings)
    assert rows(seeds / SEED_NAME) == [
        {
            "category": "HAND TOOLS",
            "job_to_be_done": "Hang a shelf",
            "purchase_motive": "functional",
            "lifestyle": "thrift",
        }
    ]
    again = rows(file)
    assert [(row["job_to_be_done"], row["proposed"]) for row in again] == [
        ("Hang a shelf", ""),
        ("still thinking", "proposed"),
        ("", ""),
    ]
    # It is a seed of SEEDS_DIR, and the file beside it is none.
    assert list(own_seeds(seeds)) == [SEED_NAME]
    before = (seeds / SEED_NAME).read_bytes(), file.read_bytes()
    run(settings)
    assert ((seeds / SEED_NAME).read_bytes(), file.read_bytes()) == before
    # The last meaning taken away is gone too.
    emptied = [{**line, **dict.fromkeys(MEANINGS, "")} for line in again[:1]]
    with file.open("w", encoding="utf-8", newline="") as sink:
        writer = csv.DictWriter(sink, COLUMNS)
        writer.writeheader()
        writer.writerows([*emptied, *again[1:]])
    assert "0 categories have a meaning" in run(settings)
    assert rows(seeds / SEED_NAME) == [] and rows(file)[0]["job_to_be_done"] == ""


def test_a_category_that_is_no_longer_sold_keeps_its_meaning_and_emptied_cells_take_it_away() -> None:
    decided = {"old": Category("Old", meanings=("a", "", "")), "tea": Category("Tea", meanings=("b", "", ""))}
    written = {"tea": Category("Tea"), "new": Category("New", meanings=("c", "", ""), is_proposed=True)}
    assert list(csv.DictReader(io.StringIO(as_seed(decided, written)))) == [
        {"category": "Old", "job_to_be_done": "a", "purchase_motive": "", "lifestyle": ""}
    ]
    (row,) = to_fill_in([Category("Tea", 3.0)], decided, written)
    assert (row.meanings, row.spend) == (("", "", ""), 3.0)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("category,job_to_be_done,lifestyle\nTea,a,\n", "column purchase_motive is missing"),
        (
            "category,job_to_be_done,purchase_motive,lifestyle\nTea,a,,Helth\n",
            "row 1, column lifestyle: Helth is none of",
        ),
        ("category,job_to_be_done,purchase_motive,lifestyle\nTea,a,,\ntea,b,,\n", "row 2: category tea is there twice"),
        ("category,job_to_be_done,purchase_motive,lifestyle\nTea,a,\n", "row 1: 3 fields, and 4 are needed"),
    ],
)
def test_what_cannot_be_taken_back_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / FILE_NAME
    file.write_text(text, encoding="utf-8")
    with pytest.raises(MeaningsError, match=said):
        read(file, ALLOWED)


def test_a_shop_without_categories_is_told_what_to_land(tmp_path: Path) -> None:
    settings = shop(tmp_path, None)
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("delete from int_customer_categories")
    with pytest.raises(MeaningsError, match="land products with a column category"):
        run(settings)


def test_the_demos_words_are_not_proposed_to_anybody_else() -> None:
    with (DEMO_SEEDS["retail"] / SEED_NAME).open(encoding="utf-8", newline="") as file:
        of_the_demo = {row["job_to_be_done"] for row in csv.DictReader(file)}
    proposed = {meanings[0] for meanings in vocabulary().values()}
    assert of_the_demo & proposed <= {"look_after_myself", ""}
    assert as_csv([replace(Category("x"), spend=0.0)]).splitlines()[1] == "x,0.00,,,,,"
