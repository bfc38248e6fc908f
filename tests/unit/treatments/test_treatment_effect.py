"""What an edit changes against the published treatments: a small version, and every number counted by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from orchestration.seeds.treatments import COLUMNS
from orchestration.settings import Settings
from orchestration.treatments.edited import check_with_effect, edited_input, open_published
from orchestration.treatments.effect import Effect, Moved, Reach, effects, moved

SCHEMES = """scheme,audience,basis,description,is_active,treatment_check,is_data_driven
money,person,x,x,true,block,false
interest,person,x,x,true,block,true
asleep,person,x,x,false,block,false
"""
DEFINITIONS = """scheme,segment,label,definition,sort_order
money,rich,Rich,x,1
money,poor,Poor,x,2
interest,*,Any,x,1
"""
CHANNELS = "channel,label,description\nmail,Mail,x\nsms,SMS,x\nvisit,Visit,x\n"
WRITTEN = {
    "rich": {"scheme": "money", "segment": "rich", "channel": "mail", "message": "Choose first", "offer": "A tasting"},
    "poor": {"scheme": "money", "segment": "poor", "channel": "mail", "message": "Save much", "offer": "A coupon"},
    "each": {"scheme": "interest", "segment": "*", "channel": "sms", "message": "New in {label}"},
}
BLANK = {
    **dict.fromkeys(COLUMNS, ""),
    **{"value_proposition": "Worth it", "proof": "Shown", "tone_of_voice": "Warm", "owner": "us"},
}
# 5 rich and 3 poor; 3 drink tea and 1 eats beef.
MEMBERS = {"rich": "abcde", "poor": "fgh", "tea": "abf", "beef": "g"}


def write(folder: Path, written: dict[str, dict[str, str]]) -> None:
    import csv

    with (folder / "treatments.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows({**BLANK, "treatment_id": each, **row} for each, row in written.items())


@pytest.fixture
def seeds(tmp_path: Path) -> Path:
    folder = tmp_path / "seeds"
    folder.mkdir()
    write(folder, WRITTEN)
    for name, text in (("segment_schemes", SCHEMES), ("segment_definitions", DEFINITIONS), ("channels", CHANNELS)):
        (folder / f"{name}.csv").write_text(text)
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A version that was published from WRITTEN, and its build.

    By mail: a, b and f may be addressed. By sms: a alone. Of the rich, a and b are sent `rich`, c has not consented to
    mail, d is held out, e gets nothing of the programme. h is sent nothing of `poor`, as another scheme comes first.
    `money` goes before `interest`.
    """
    found = Settings(tmp_path, tmp_path / "wh", None, "UTC", "duckdb")
    published = found.warehouse_dir / "published"
    published.mkdir(parents=True)
    (published / "manifest.json").write_text(json.dumps({"as_of": "2026-01-10", "refresh_id": "r1"}))
    rows = [
        (each, each, row["scheme"], row["segment"], row["channel"], row["message"], row.get("offer"))
        for each, row in WRITTEN.items()
        if row["segment"] != "*"
    ]
    rows += [
        (f"each_{segment}", "each", "interest", segment, "sms", f"New in {label}", None)
        for segment, label in (("tea", "Tea"), ("beef", "Beef"))
    ]
    with duckdb.connect(str(published / "segments.duckdb")) as con:
        con.execute(
            """
            create table treatments (treatment_id varchar, template_id varchar, scheme varchar, segment varchar,
                channel varchar, message varchar, offer varchar, offer_item varchar, product_adaptation varchar,
                service_level varchar, value_proposition varchar, proof varchar, tone_of_voice varchar, valid_from date,
                valid_to date, owner varchar);
            create table segments (scheme varchar, segment varchar, label varchar, members bigint);
            create table customer_segments (scheme varchar, member_id varchar, segment varchar);
            create table product_affinities (item_level varchar, antecedent varchar);
            create table next_best_offers (item_level varchar, item varchar);
            create table treatment_distinctness as select * from (values
                ('money', 'poor', 'rich', 'channel or offer'), ('interest', 'beef', 'tea', 'message')
            ) as t(scheme, segment_a, segment_b, difference);
            create table audience_decisions as
            select *, if(scheme = 'money', 1, 2) as priority, member_id as person_id from (values
                ('money', 'a', 'rich', 'sent'), ('money', 'b', 'rich', 'sent'), ('money', 'c', 'rich', 'no consent'),
                ('money', 'd', 'rich', 'holdout'), ('money', 'e', 'rich', 'programme'),
                ('money', 'f', 'poor', 'sent'), ('money', 'g', 'poor', 'no consent'),
                ('money', 'h', 'poor', 'lower priority'),
                ('interest', 'a', 'each_tea', 'sent'), ('interest', 'b', 'each_tea', 'no consent')
            ) as t(scheme, member_id, treatment_id, outcome);
            """
        )
        con.executemany(
            """
            insert into treatments
            select ?, ?, ?, ?, ?, ?, ?, null, null, null, 'Worth it', 'Shown', 'Warm', null, null, 'us'
            """,
            rows,
        )
        for segment, members in MEMBERS.items():
            scheme = "money" if segment in ("rich", "poor") else "interest"
            con.execute("insert into segments values (?, ?, ?, ?)", [scheme, segment, segment.title(), len(members)])
            for member in members:
                con.execute("insert into customer_segments values (?, ?, ?)", [scheme, member, segment])
    found.build_file.parent.mkdir()
    with duckdb.connect(str(found.build_file)) as con:
        con.execute(
            """
            create table stg_products as select 'TEA' as category;
            create table stg_touchpoints (customer_id varchar, treatment_id varchar, touched_on date);
            create table contact_permissions as select *, member_id as person_id from (values
                ('a', 'mail', true), ('b', 'mail', true), ('c', 'mail', false), ('d', 'mail', false),
                ('f', 'mail', true), ('g', 'mail', false), ('h', 'mail', false),
                ('a', 'sms', true), ('b', 'sms', false), ('c', 'sms', false)
            ) as t(member_id, channel, is_permitted);
            create table segment_reach as select * from (values
                ('money', 'rich', 'mail', 5, 2, 5), ('money', 'poor', 'mail', 3, 1, 3),
                ('money', 'rich', 'sms', 5, 1, 5), ('money', 'poor', 'sms', 3, 0, 3),
                ('interest', 'tea', 'sms', 3, 1, 3), ('interest', 'beef', 'sms', 1, 0, 1)
            ) as t(scheme, segment, channel, members, reachable_members, members_on_record);
            """
        )
    return found


def found(seeds: Path, settings: Settings) -> tuple[dict[str, Effect], list[Moved]]:
    from orchestration.treatments.check import check

    con = open_published(settings)
    inputs = edited_input(seeds, settings, con)
    return {each.template_id: each for each in effects(con, inputs)}, moved(con, check(inputs).compared)


def edited(seeds: Path, **changes: dict[str, str] | None) -> None:
    """WRITTEN with some columns changed; None takes a treatment away."""
    rows = {**WRITTEN, **{each: {**WRITTEN.get(each, {}), **row} for each, row in changes.items() if row is not None}}
    write(seeds, {each: row for each, row in rows.items() if changes.get(each, {}) is not None})


def test_an_untouched_file_changes_nothing(seeds: Path, settings: Settings) -> None:
    assert found(seeds, settings) == ({}, [])
    _, said = check_with_effect(seeds, settings, 80)
    assert said == ["against r1, as of 2026-01-10: no treatment differs"]


def test_another_channel_is_counted_as_audiences_count_it(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"channel": "sms"})
    changed, pairs = found(seeds, settings)
    effect = changed.pop("rich")
    assert not changed
    assert (effect.kind, effect.fields, effect.noticed) == ("changed", ("channel",), ("channel",))
    assert (effect.before, effect.after) == (Reach("mail", 5, 2), Reach("sms", 5, 1))
    # Of a, b and c, who are not held out, a alone may be sent an sms.
    assert (effect.sent_before, effect.sent_after) == (2, 1)
    assert pairs == []


def test_who_is_permitted_on_another_channel_still_meets_priority_cap_and_what_was_sent(
    seeds: Path, settings: Settings
) -> None:
    """`each` by mail, not by sms. a and b are sent `rich` by mail, and f `poor`: their scheme goes first."""
    names = ["new", "busy", "calm", "told", "long_ago", "firm", "twin", "agency"]
    with duckdb.connect(str(settings.warehouse_dir / "published" / "segments.duckdb")) as con:
        con.executemany(
            "insert into audience_decisions values ('interest', ?, 'each_tea', 'no consent', 2, ?)",
            [(name, None if name in ("firm", "twin", "agency") else name) for name in ["f", *names]],
        )
    # b stands for a firm, new for two more.
    persons = {"firm": "b", "twin": "new", "agency": "new"}
    touches: list[tuple[str, str | None, int]] = [("busy", None, day) for day in (1, 2, 3, 28)]
    touches += [("calm", None, day) for day in (1, 2, 3, 29)]
    touches += [("calm", None, 0), ("told", "each_tea", 28), ("long_ago", "each_tea", 29), ("long_ago", "rich", 1)]
    with duckdb.connect(str(settings.build_file)) as con:
        con.executemany(
            "insert into contact_permissions values (?, 'mail', true, ?)",
            [(name, persons.get(name, name)) for name in names],
        )
        con.executemany("insert into stg_touchpoints values (?, ?, date '2026-01-10' - ?::integer)", touches)
    edited(seeds, each={"channel": "mail"})
    effect = found(seeds, settings)[0]["each"]
    # new, once; calm; long_ago.
    assert (effect.sent_before, effect.sent_after, effect.is_at_most) == (1, 3, False)
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("drop table stg_touchpoints")
    effect = found(seeds, settings)[0]["each"]
    # busy and told too, for all that is known.
    assert (effect.sent_after, effect.is_at_most) == (5, True)
    assert "    sent     1 -> at most 5" in check_with_effect(seeds, settings, 80)[1]


def test_a_channel_that_nobody_was_counted_on_is_said_to_be_so(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"channel": "visit"})
    effect = found(seeds, settings)[0]["rich"]
    assert (effect.after, effect.sent_after) == (Reach("visit", 5, None), None)
    report, said = check_with_effect(seeds, settings, 80)
    assert "may send mail to 2 -> visit to a number that the next refresh counts" in "\n".join(said)
    assert [each for each in report.findings if "visit" in each.message and each.severity != "info"] == []
    assert "visit: no treatment used it so far; `make refresh` counts whom it reaches" in report.summary()


def test_a_channel_or_segment_that_there_is_not_reaches_nobody(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"channel": "smoke"}, poor={"segment": "pour"})
    changed, _ = found(seeds, settings)
    assert (changed["rich"].after, changed["rich"].sent_after) == (Reach("smoke", 5, 0), 0)
    assert (changed["poor"].fields, changed["poor"].after) == (("segment",), Reach("mail", 0, 0))
    report, said = check_with_effect(seeds, settings, 80)
    assert "  changed  money / poor: segment" in said
    told = [finding.message for finding in report.findings if finding.severity == "block"]
    (channel,) = [message for message in told if "(line 2) of segment rich names channel smoke" in message]
    assert channel.endswith("does not list (did you mean sms?); it lists mail, sms, visit")
    (segment,) = [message for message in told if "(line 3) names segment pour" in message]
    assert segment.endswith("which the scheme does not have (did you mean poor?); it has poor, rich")


def test_other_words_reach_the_same_members_and_move_their_pairs(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"message": "Save much!", "offer": "A coupon", "owner": "them"}, each={"message": "All {label}"})
    changed, pairs = found(seeds, settings)
    assert (changed["rich"].fields, changed["rich"].noticed) == (("message", "offer", "owner"), ("message", "offer"))
    assert (changed["rich"].sent_before, changed["rich"].sent_after) == (2, 2)
    each = changed["each"]
    assert (each.segments, each.example.message) == (("beef", "tea"), "All Beef")
    assert (each.before, each.after, each.sent_after) == (Reach("sms", 4, 1), Reach("sms", 4, 1), 1)
    assert pairs == [Moved("money", "poor", "rich", "channel or offer", "wording only")]


def test_what_is_added_removed_or_ends(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"valid_to": "2026-01-09"}, poor=None, rich_sms={**WRITTEN["rich"], "channel": "sms"})
    changed, pairs = found(seeds, settings)
    assert {each: effect.kind for each, effect in changed.items()} == {
        "rich": "changed",
        "poor": "removed",
        "rich_sms": "added",
    }
    assert (changed["rich"].after, changed["rich"].sent_after, changed["rich"].noticed) == (None, 0, ())
    assert (changed["poor"].sent_before, changed["poor"].sent_after) == (1, 0)
    assert (changed["rich_sms"].before, changed["rich_sms"].after) == (None, Reach("sms", 5, 1))
    # Who of them is drawn to get it is not known before the next refresh.
    assert changed["rich_sms"].sent_after is None
    # Without a treatment, `poor` still differs in channel, message and offer.
    assert pairs == []


def test_a_row_of_ones_own_takes_its_segment_from_the_template(seeds: Path, settings: Settings) -> None:
    edited(seeds, tea={"scheme": "interest", "segment": "tea", "channel": "sms", "message": "Tea time"})
    changed, _ = found(seeds, settings)
    assert (changed["each"].fields, changed["each"].segments) == (("segment",), ("beef",))
    assert (changed["each"].before, changed["each"].after) == (Reach("sms", 4, 1), Reach("sms", 1, 0))
    assert (changed["tea"].kind, changed["tea"].after) == ("added", Reach("sms", 3, 1))


def test_it_is_said_in_lines_that_fit_a_terminal(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"message": "A very long message " * 20, "offer": "A coupon"}, poor=None)
    _, said = check_with_effect(seeds, settings, 80)
    assert max(map(len, said)) <= 80
    assert said[0] == "against r1, as of 2026-01-10: of the treatments, 1 changed, 1 removed"
    assert "  changed  money / rich: message, offer" in said
    assert "    reaches  5 members of rich" in said
    assert "    sent     2" in said and "    sent     1 -> 0" in said
    edited(seeds, rich={"message": "Save much", "offer": "A coupon"}, each={"message": "New today"})
    _, said = check_with_effect(seeds, settings, 80)
    assert said[-6:] == [
        "  pairs of segments of interest told apart otherwise: 1",
        "    beef / tea: message -> nothing",
        "",
        "  pairs of segments of money told apart otherwise: 1",
        "    poor / rich: channel or offer -> nothing",
        "",
    ]


def test_without_the_build_it_says_what_only_a_refresh_can_count(seeds: Path, settings: Settings) -> None:
    settings.build_file.unlink()
    edited(seeds, rich={"channel": "sms"})
    effect = found(seeds, settings)[0]["rich"]
    assert (effect.before, effect.after) == (Reach("mail", 5, None), Reach("sms", 5, None))
    assert (effect.sent_before, effect.sent_after) == (2, None)


def test_without_the_build_segments_of_excluded_items_stay_without_a_treatment(seeds: Path, settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_dir / "published" / "segments.duckdb")) as con:
        con.execute("insert into segments values ('interest', 'gin', 'Gin', 2), ('interest', 'unknown', 'Unknown', 2)")
    with duckdb.connect(str(settings.build_file)) as con:
        con.execute("create table int_excluded_segments as select 'interest' as scheme, 'gin' as segment")
    built = found(seeds, settings)
    settings.build_file.unlink()
    assert found(seeds, settings) == built == ({}, [])
    assert any("no `*` row serves gin" in str(each) for each in check_with_effect(seeds, settings, 80)[0].findings)
    # A row that serves some segments only leaves others without a treatment for a reason of its own.
    (seeds / "template_subsets.csv").write_text("treatment_id,pattern,reason\neach,%e%,x\n")
    assert not any("no `*` row" in str(each) for each in check_with_effect(seeds, settings, 80)[0].findings)


def test_a_version_without_treatments_is_not_compared(seeds: Path, settings: Settings) -> None:
    with duckdb.connect(str(settings.warehouse_dir / "published" / "segments.duckdb")) as con:
        con.execute("drop table treatments")
    assert check_with_effect(seeds, settings, 80)[1] == ["the published version holds no treatments to compare with"]


def test_a_slip_in_a_service_level_is_noted_and_another_number_is_none(seeds: Path, settings: Settings) -> None:
    edited(seeds, rich={"service_level": "A named person answers"}, poor={"service_level": "A named persn answers"})
    report, _ = check_with_effect(seeds, settings, 80)
    (note,) = [finding for finding in report.findings if finding.fields == ("service_level",)]
    assert (note.severity, note.segments) == ("info", ("poor",)) and "'A named person answers'" in note.message
    edited(seeds, rich={"service_level": "Answers within 2 hours"}, poor={"service_level": "Answers within 4 hours"})
    report, _ = check_with_effect(seeds, settings, 80)
    assert not [finding for finding in report.findings if finding.fields == ("service_level",)]


def test_a_treatment_past_its_review_date_is_named_with_its_owner(seeds: Path, settings: Settings) -> None:
    edited(
        seeds,
        rich={"review_on": "2026-01-09"},
        poor={"review_on": "2026-01-10"},
        each={"review_on": "2025-01-01", "owner": ""},
    )
    report, _ = check_with_effect(seeds, settings, 80)
    due = [finding for finding in report.findings if finding.fields == ("review_on",)]
    assert [(each.severity, each.scheme, each.segments) for each in due] == [
        ("warn", "interest", ("*",)),
        ("warn", "money", ("rich",)),
    ]
    assert "treatment rich (line 2) of segment rich was to be read again by 2026-01-09 (owner: us)" in due[1].message
    assert "(it has no owner)" in due[0].message
    # What has ended needs no reader; another day is another answer.
    edited(seeds, rich={"review_on": "2026-01-01", "valid_to": "2026-01-09"})
    report, _ = check_with_effect(seeds, settings, 80)
    assert not [finding for finding in report.findings if finding.fields == ("review_on",)]
    assert replace(settings, as_of=None) == settings
