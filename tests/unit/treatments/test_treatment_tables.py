"""The check on database tables: what a refresh built, and what `make check` reads of a published version."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import duckdb
import pytest

from orchestration.seeds.treatments import COLUMNS, TreatmentsFileError
from orchestration.settings import SHIPPED_SEEDS, Settings
from orchestration.treatments.check import check, check_candidate
from orchestration.treatments.commands import NothingPublishedError, check_edited, main
from orchestration.treatments.distinctness import distinctness_table
from orchestration.treatments.inputs import Rules, load_candidate, load_consents, load_items, project_rules
from tests.support.treatment_seeds import AS_OF, seed_file

# Two schemes of two segments, one of them served by a `*` row; 200 members each, and one who is unknown.
BUILT = """
create table treatment_rows as
select
    columns(*)::varchar,
    cast(null as date) as valid_from,
    cast(null as date) as valid_to
from (values
    ('rich', 'money', 'rich', 'v', 'p', 't', 'mail', 'The best is put aside', '', null, 'Gifts', 'At the door', 'o'),
    ('poor', 'money', 'poor', 'v', 'p', 't', 'sms', 'Frozen prices', '20 % off', null, 'Basics', 'At the till', 'o'),
    ('each', 'interest', '*', 'v', 'p', 't', 'app', 'New in {label}', null, '{label}', 'More', 'Answers', 'o')
) as r(treatment_id, scheme, segment, value_proposition, proof, tone_of_voice, channel, message, offer, offer_item,
       product_adaptation, service_level, owner);
create table treatments as
select * from treatment_rows where segment <> '*'
union all
select
    treatment_rows.* replace (
        'each_' || lower(label) as treatment_id,
        lower(label) as segment,
        'New in ' || label as message,
        label as offer_item
    )
from treatment_rows, (values ('BEEF'), ('TEA')) as l(label)
where segment = '*';
create table template_subsets (treatment_id varchar, pattern varchar);
create table int_excluded_segments (scheme varchar, segment varchar);
create table offer_level as select 'category' as item_level;
create table segment_schemes as select * from (values
    ('money', true, false, 'block'), ('interest', true, true, 'block'), ('asleep', false, false, 'block')
) as r(scheme, is_active, is_data_driven, treatment_check);
create table segment_definitions as select * from (values
    ('money', 'rich'), ('money', 'poor'), ('interest', '*')) as r(scheme, segment);
create table channels as select unnest(['mail', 'sms', 'app']) as channel;
create table segments as select * from (values
    ('money', 'rich', 'Rich', 200::bigint), ('money', 'poor', 'Poor', 200), ('money', 'unknown', 'Unknown', 1),
    ('interest', 'beef', 'BEEF', 200), ('interest', 'tea', 'TEA', 200), ('interest', 'gone', 'GONE', 0)
) as r(scheme, segment, label, members);
create table customer_segments as
select 'money' as scheme, 'c' || i as member_id, if(i < 200, 'rich', 'poor') as segment from range(400) as r(i)
union all
select 'interest' as scheme, 'c' || i as member_id, if(i < 200, 'beef', 'tea') as segment from range(400) as r(i);
create table stg_products as
select * from (values ('1', 'MEAT', 'BEEF'), ('2', 'GROCERY', 'TEA'), ('3', null, null))
    as r(product_id, department, category);
create table int_affinity_items as select * from (values ('category', 'BEEF'), ('product', '1'), ('product', '9'))
    as r(item_level, item);
create table segment_reach (
    scheme varchar, segment varchar, channel varchar, members bigint, reachable_members bigint,
    members_on_record bigint);
"""


@pytest.fixture
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.execute(BUILT)
    return con


def test_a_candidate_with_real_differences_passes(con: duckdb.DuckDBPyConnection) -> None:
    report = check_candidate(con, AS_OF)
    assert report.passed, report.summary()
    assert (report.treatments, report.pairs) == (3, 2)


def test_the_distinctness_table_equals_the_one_made_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    table = distinctness_table(con, AS_OF)
    assert table.drop_columns(["message_similarity"]).to_pylist() == [
        {
            "scheme": "interest",
            "segment_a": "beef",
            "segment_b": "tea",
            "difference": "channel or offer",
            "differing_fields": "message, offer_item",
        },
        {
            "scheme": "money",
            "segment_a": "poor",
            "segment_b": "rich",
            "difference": "both journeys",
            "differing_fields": "channel, message, offer, product_adaptation, service_level",
        },
    ]
    # "new in beef" and "new in tea": 11 + 10 letters, 8 of them in common and in order ("new in " and "e").
    assert table["message_similarity"][0].as_py() == pytest.approx(16 / 21, abs=1e-6)


def test_the_distinctness_table_knows_the_as_of_date(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update treatment_rows set valid_to = date '2017-06-30' where scheme = 'money'")
    levels = distinctness_table(con, date(2017, 6, 30))["difference"].to_pylist()
    later = distinctness_table(con, date(2017, 7, 1))["difference"].to_pylist()
    assert (levels[1], later[1]) == ("both journeys", "nothing")


def test_a_published_table_that_is_not_what_the_rows_say_is_caught(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update treatments set offer = '30 % off' where segment = 'poor'")
    report = check_candidate(con, AS_OF)
    blocking = [finding for finding in report.findings if finding.severity == "block"]
    assert [(finding.scheme, finding.segments) for finding in blocking] == [("money", ("poor",))]


def reach(con: duckdb.DuckDBPyConnection, *rows: tuple[str, str, str, int, int]) -> None:
    """Scheme, segment, channel, members who may be addressed, members with a record; of 200 members."""
    for scheme, segment, channel, reachable, on_record in rows:
        con.execute(
            "insert into segment_reach values (?, ?, ?, 200, ?, ?)", [scheme, segment, channel, reachable, on_record]
        )


def test_reach_is_what_the_models_counted(con: duckdb.DuckDBPyConnection) -> None:
    reach(con, ("money", "rich", "mail", 1, 3), ("money", "rich", "sms", 0, 2), ("interest", "beef", "app", 200, 0))
    consents = load_consents(con)
    assert consents.reachable == {("money", "rich", "mail"): 1, ("interest", "beef", "app"): 200}
    assert consents.channels == {"mail", "sms"}


def test_without_any_record_no_consents_are_on_record(con: duckdb.DuckDBPyConnection) -> None:
    reach(con, ("money", "rich", "mail", 0, 0), ("money", "poor", "sms", 200, 0))
    consents = load_consents(con)
    # Assumed, and so within reach.
    assert consents.reachable == {("money", "poor", "sms"): 200}
    assert not consents.channels
    warnings = [finding for finding in check_candidate(con, AS_OF).findings if finding.severity == "warn"]
    assert [(f.scheme, f.segments) for f in warnings] == [("", ())]


def test_a_channel_out_of_reach_warns_and_names_the_segments_and_the_next_step(con: duckdb.DuckDBPyConnection) -> None:
    reach(con, ("money", "rich", "mail", 200, 200), ("money", "poor", "mail", 200, 200))
    reach(con, ("money", "poor", "sms", 0, 0), ("interest", "beef", "app", 0, 0), ("interest", "tea", "app", 0, 0))
    report = check_candidate(con, AS_OF)
    assert report.passed
    warnings = [finding for finding in report.findings if finding.severity == "warn"]
    assert [(f.scheme, f.segments, f.fields) for f in warnings] == [
        ("interest", ("beef", "tea"), ("channel",)),
        ("money", ("poor",), ("channel",)),
    ]
    assert "no consent to it is on record from anyone" in warnings[0].message
    assert "var assume_consent" in warnings[0].message


def test_a_channel_out_of_reach_blocks_where_the_setting_says_so(con: duckdb.DuckDBPyConnection) -> None:
    reach(con, ("money", "rich", "mail", 200, 200), ("money", "poor", "sms", 0, 1))
    inputs = load_candidate(con, AS_OF, Rules(unreachable_treatments="block"))
    blocking = [finding for finding in check(inputs).findings if finding.severity == "block"]
    assert [(f.scheme, f.segments) for f in blocking] == [("interest", ("beef", "tea")), ("money", ("poor",))]
    assert "none of them has consented" in blocking[1].message


def test_an_assumed_channel_is_compared_in_lower_case(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.yml").write_text("assume_consent: [Mail]")
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.yml"))
    con.execute("update channels set channel = 'SMS' where channel = 'sms'")
    for table in ("treatment_rows", "treatments"):
        con.execute(f"update {table} set channel = 'SMS' where channel = 'sms'")
    reach(con, ("money", "rich", "mail", 200, 0))
    (warned,) = [finding for finding in check_candidate(con, AS_OF).findings if finding.severity == "warn"]
    assert "nothing would be sent by SMS, app;" in warned.message
    (tmp_path / "settings.yml").write_text("assume_consent: [Mail, sms]")
    (warned,) = [finding for finding in check_candidate(con, AS_OF).findings if finding.severity == "warn"]
    assert "nothing would be sent by app;" in warned.message


def test_no_record_at_all_blocks_what_is_not_assumed_where_the_setting_says_so(con: duckdb.DuckDBPyConnection) -> None:
    reach(con, ("money", "rich", "mail", 0, 0), ("money", "poor", "sms", 200, 0))
    con.execute("update segment_schemes set treatment_check = 'warn' where scheme = 'interest'")
    rules = Rules(unreachable_treatments="block", assume_consent=frozenset(["sms"]))
    findings = [finding for finding in check(load_candidate(con, AS_OF, rules)).findings if finding.severity != "info"]
    assert [(f.severity, f.scheme, f.segments) for f in findings] == [
        ("block", "money", ("rich",)),
        ("warn", "interest", ("beef", "tea")),
    ]
    assert "mail cannot reach the 200 members of rich, as no consent to it is on record from anyone" in str(findings[0])


def test_a_setting_that_is_neither_warn_nor_block_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.yml").write_text("unreachable_treatments: stop")
    monkeypatch.setenv("SETTINGS", str(tmp_path / "settings.yml"))
    with pytest.raises(ValueError, match=r"var unreachable_treatments: 'stop' is neither warn .* nor block"):
        project_rules()


def test_a_segment_of_excluded_items_is_left_out_with_a_note(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into int_excluded_segments values ('interest', 'tea'), ('money', 'nobody')")
    con.execute("delete from treatments where segment = 'tea'")
    report = check_candidate(con, AS_OF)
    assert report.passed, report.summary()
    assert report.pairs == 1
    notes = [finding for finding in report.findings if "offer_exclusions" in finding.message]
    assert [(note.severity, note.scheme, note.segments) for note in notes] == [("info", "interest", ("tea",))]
    assert "(200 members)" in notes[0].message
    assert distinctness_table(con, AS_OF).column("scheme").to_pylist() == ["money"]


def test_a_template_for_a_subset_takes_its_segments_from_the_other(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("insert into template_subsets values ('hot', 'TE_')")
    con.execute(
        "insert into treatment_rows select * replace ('hot' as treatment_id) from treatment_rows where segment = '*'"
    )
    con.execute("update treatments set treatment_id = 'hot_tea' where segment = 'tea'")
    report = check_candidate(con, AS_OF)
    assert report.passed, report.summary()
    con.execute("delete from template_subsets")
    assert not check_candidate(con, AS_OF).passed


def test_an_offer_may_be_for_an_item_of_the_level_in_use_or_of_the_one_wanted(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("update offer_level set item_level = 'product'")
    con.execute("update treatment_rows set offer_item = '3' where treatment_id = 'rich'")
    con.execute("update treatments set offer_item = '3' where treatment_id = 'rich'")
    report = check_candidate(con, AS_OF)
    assert report.passed, report.summary()
    # Sold, and not among the products.
    con.execute("update treatment_rows set offer_item = '9' where treatment_id = 'rich'")
    con.execute("update treatments set offer_item = '9' where treatment_id = 'rich'")
    report = check_candidate(con, AS_OF)
    assert report.passed, report.summary()
    con.execute("update treatment_rows set offer_item = 'MEAT' where treatment_id = 'rich'")
    wrong = [finding for finding in check_candidate(con, AS_OF).findings if "offers MEAT" in finding.message]
    assert "which is no category or product of the products" in wrong[0].message


def test_items_are_those_of_the_offer_level(con: duckdb.DuckDBPyConnection) -> None:
    assert load_items(con, "category") == {"BEEF", "TEA"}
    assert load_items(con, "department") == {"MEAT", "GROCERY"}
    assert load_items(con, "product") == {"1", "2", "3", "9"}
    with pytest.raises(ValueError, match="var offer_level: 'aisle' is none of"):
        load_items(con, "aisle")


# ---- make check ------------------------------------------------------------------------------------------------------


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A warehouse with one published version: every segment of the closed lists, and two categories."""
    published = tmp_path / "published"
    published.mkdir()
    con = duckdb.connect(str(published / "segments.duckdb"))
    con.execute(
        f"""
        create table segments as
        select scheme, segment, label, 150::bigint as members
        from read_csv('{SHIPPED_SEEDS / "segment_definitions.csv"}', all_varchar = true)
        where segment <> '*' and scheme in ('rfm', 'life_stage', 'money_effort')
        union all
        select 'category_interest', lower(label), label, 150 from (values ('BEEF'), ('TEA')) as r(label);
        create table customer_segments as select scheme, segment || '1' as member_id, segment from segments;
        create table product_affinities as select 'category' as item_level, 'BEEF' as antecedent;
        """
    )
    con.close()
    (published / "manifest.json").write_text(json.dumps({"as_of": "2018-01-01"}))
    return Settings(None, tmp_path, None, "UTC", "duckdb")


def test_make_check_passes_on_the_repository_seeds(settings: Settings) -> None:
    report = check_edited(SHIPPED_SEEDS, settings)
    assert report.passed, report.summary()
    assert report.as_of == date(2018, 1, 1)
    assert any("consents cannot be seen here" in finding.message for finding in report.findings)


def test_make_check_reads_products_and_consents_of_the_last_build(settings: Settings) -> None:
    settings.build_file.parent.mkdir()
    con = duckdb.connect(str(settings.build_file))
    con.execute(BUILT)
    con.close()
    report = check_edited(SHIPPED_SEEDS, settings)
    assert report.passed, report.summary()
    assert any("no consents are on record" in finding.message for finding in report.findings)


def test_make_check_tells_what_is_wrong_with_an_edited_file(
    settings: Settings,
    write_treatments: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    seeds = write_treatments(lambda rows: rows.pop("money_effort_striving") and None).parent
    for file in ("segment_schemes.csv", "segment_definitions.csv", "channels.csv"):
        (seeds / file).write_bytes(seed_file(file).read_bytes())
    monkeypatch.setenv("WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.delenv("AS_OF", raising=False)
    monkeypatch.delenv("LANDING_DIR", raising=False)
    assert main(seeds) == 1
    assert "block money_effort: no treatment for segment striving (150 members)" in capsys.readouterr().out
    (seeds / "treatments.csv").write_text(",".join(COLUMNS).replace("offer,", "") + "\n")
    assert main(seeds) == 1
    assert "treatments.csv, line 1: column offer is missing" in capsys.readouterr().err


def test_make_check_of_a_shop_says_so_where_it_reads_the_demo(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = settings.published_link.rename(settings.warehouse_dir / "version")
    settings.published_link.symlink_to(folder)
    (folder / "audiences").mkdir()
    (folder / "audiences" / "summary.json").write_text(json.dumps({"is_demo": False}))
    monkeypatch.setenv("WAREHOUSE_DIR", str(settings.warehouse_dir))
    for name in ("AS_OF", "LANDING_DIR", "MAPPING"):
        monkeypatch.delenv(name, raising=False)
    main(SHIPPED_SEEDS)
    assert "is not the demo's, which is read here: give LANDING_DIR" in capsys.readouterr().err
    monkeypatch.setenv("LANDING_DIR", str(settings.warehouse_dir / "version"))
    main(SHIPPED_SEEDS)
    assert "the demo's" not in capsys.readouterr().err


def test_make_check_says_so_when_nothing_is_published(settings: Settings, tmp_path: Path) -> None:
    with pytest.raises(NothingPublishedError, match=r"nothing is published in .* run `make refresh` first"):
        check_edited(SHIPPED_SEEDS, replace(settings, warehouse_dir=tmp_path / "empty"))


def test_a_flag_that_is_none_is_named(settings: Settings, tmp_path: Path) -> None:
    seeds = tmp_path / "seeds"
    seeds.mkdir()
    for file in ("treatments.csv", "segment_schemes.csv", "segment_definitions.csv", "channels.csv"):
        (seeds / file).write_bytes(seed_file(file).read_bytes())
    text = (seeds / "segment_schemes.csv").read_text()
    (seeds / "segment_schemes.csv").write_text(text.replace("true,block,false", "yes,block,false", 1))
    with pytest.raises(TreatmentsFileError, match=r"segment_schemes.csv, line 2, column is_active: 'yes' is not true"):
        check_edited(seeds, settings)
