"""The rules of the check, on mutations of seeds/treatments.csv: bad ones are named, real differences pass."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orchestration.seeds.treatments import NOTICED
from orchestration.treatments.check import CheckReport, Finding, check
from orchestration.treatments.inputs import Consents, Items, Rules
from tests.support.treatment_seeds import CATEGORIES, Mutation, Row, make_input, seed_file, seed_rows

CheckMutated = Callable[..., CheckReport]
TEXTS = ("value_proposition", "proof", "tone_of_voice", "message", "offer", "product_adaptation", "service_level")
CONTENT = (*TEXTS, "channel", "offer_item")


def blocking(report: CheckReport) -> list[Finding]:
    return [finding for finding in report.findings if finding.severity == "block"]


def only(report: CheckReport) -> Finding:
    findings = blocking(report)
    assert len(findings) == 1, report.summary()
    assert not report.passed
    return findings[0]


def copy(rows: dict[str, Row], source: str, target: str) -> Row:
    """Put the content of one treatment into another; id, scheme, segment, dates and owner stay."""
    rows[target] |= {column: rows[source][column] for column in CONTENT}
    return rows[target]


def test_the_repository_treatments_pass(check_mutated: CheckMutated) -> None:
    report = check_mutated()
    assert report.passed, report.summary()
    sizes = {"rfm": 11, "life_stage": 6, "money_effort": 4, "category_interest": 4, "occasion": 6, "gender": 3}
    sizes |= {"age_band": 6, "location": 3, "socioeconomic": 5, "purchase_motive": 3, "lifestyle": 5}
    sizes |= {"job_to_be_done": 8, "spend_structure": 1}
    sizes |= {"company_size": 3, "process_maturity": 5, "benefit_sought": 3, "buying_role": 4}
    assert report.pairs == sum(n * (n - 1) // 2 for n in sizes.values())


# Of a grocer's trade: none is in what is shipped for everybody.
GROCERS = re.compile(
    r"\b(grocer\w*|milk|bread|coffee|breakfast|lunch|dinner|meals?|foods?|recipes?|cook\w*|wine|cheese|butcher|bak\w+|aisles?|"
    r"menus?|tast\w+|kitchens?|fridges?|snacks?|drinks?|diapers?|shel(f|ves)|trolleys?|sommelier|fish\w*|fruit|eat\w*)\b",
    re.IGNORECASE,
)


def test_the_shipped_treatments_pass_and_speak_of_no_trade() -> None:
    report = check(make_input(seed_file("treatments.csv", is_demo=False), is_demo=False))
    assert report.passed, report.summary()
    assert report.pairs > 150
    for row in seed_rows("treatments.csv", is_demo=False):
        texts = [text for column, text in row.items() if column not in ("treatment_id", "segment")]
        # Of business customers, goods may lie on shelves.
        found = [word[0] for text in texts for word in GROCERS.finditer(text) if row["owner"] != "b2b"]
        assert found == [], row["treatment_id"]
        # A shop's money, sizes and opening hours are its own.
        assert "$" not in " ".join(texts), row["treatment_id"]


# ---- treated alike ---------------------------------------------------------------------------------------------------


def test_an_exact_copy_is_caught(check_mutated: CheckMutated) -> None:
    found = only(check_mutated(lambda rows: copy(rows, "rfm_champions", "rfm_at_risk")))
    assert (found.scheme, found.segments, found.fields) == ("rfm", ("at_risk", "champions"), NOTICED)
    assert found.message.startswith("rfm: at_risk and champions are treated alike")
    assert all(field in found.message for field in NOTICED)


def test_a_copy_to_a_segment_without_members_is_caught(write_treatments: Callable[[Mutation], Path]) -> None:
    given = make_input(write_treatments(lambda rows: copy(rows, "life_stage_couple", "life_stage_student") and None))
    life_stage = given.schemes["life_stage"]
    without = replace(
        life_stage,
        labels={k: v for k, v in life_stage.labels.items() if k != "student"},
        members={k: v for k, v in life_stage.members.items() if k != "student"},
    )
    schemes = {**given.schemes, "life_stage": without}
    found = only(check(replace(given, schemes=schemes)))
    assert (found.scheme, found.segments) == ("life_stage", ("couple", "student"))


def upper(rows: dict[str, Row]) -> None:
    target = copy(rows, "life_stage_family", "life_stage_couple")
    target |= {column: target[column].upper().replace(",", " ;").replace(".", " !") for column in TEXTS}


def greeting(rows: dict[str, Row]) -> None:
    rows["life_stage_family"]["message"] = "Hi, " + rows["life_stage_family"]["message"]
    target = copy(rows, "life_stage_family", "life_stage_couple")
    target["message"] = target["message"].replace("Hi,", "Hello dear neighbour,")


def unseen(rows: dict[str, Row]) -> None:
    copy(rows, "life_stage_family", "life_stage_couple").update(
        value_proposition="Another", proof="Another", tone_of_voice="Another", owner="another", valid_from="2017-01-01"
    )


@pytest.mark.parametrize(
    ("mutation", "fields"),
    [
        (upper, {"message", "offer"}),
        (greeting, {"message"}),
        (unseen, {"owner", "proof", "tone_of_voice", "valid_from", "value_proposition"}),
    ],
)
def test_a_difference_that_no_customer_notices_is_caught(
    check_mutated: CheckMutated, mutation: Callable[[dict[str, Row]], None], fields: set[str]
) -> None:
    found = only(check_mutated(mutation))
    assert found.segments == ("couple", "family")
    assert fields <= set(found.fields)
    assert "wording only" in found.message


def test_other_treatment_ids_alone_make_no_difference(check_mutated: CheckMutated) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        copy(rows, "money_effort_striving", "money_effort_strained")["treatment_id"] = "quite_another"

    assert only(check_mutated(mutation)).segments == ("strained", "striving")


@pytest.mark.parametrize(
    "change",
    [
        {"offer": "Family coupons: $14 back on every basket above $100"},
        {"channel": "sms"},
        {"message": "Friday night is film night: choose the popcorn and we bring the pizza."},
        {"service_level": "Wide lanes only"},
        {"product_adaptation": "Smaller packs"},
    ],
)
def test_a_real_difference_in_one_field_passes(check_mutated: CheckMutated, change: Row) -> None:
    report = check_mutated(lambda rows: copy(rows, "life_stage_family", "life_stage_couple").update(change))
    assert report.passed, report.summary()


def test_a_label_may_stand_beside_any_other_sign(check_mutated: CheckMutated) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        rows["category_interest_each"]["message"] = 'News of your"{label}"-shelf ({label}): {label}, and more.'

    report = check_mutated(mutation)
    assert report.passed, report.summary()


def test_a_template_without_label_in_what_customers_notice_is_caught(check_mutated: CheckMutated) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        row = rows["category_interest_each"]
        row |= {column: row[column].replace("{label}", "it") for column in ("message", "offer", *NOTICED[4:])}
        row["offer_item"] = ""

    findings = blocking(check_mutated(mutation))
    assert len(findings) == 6
    assert findings[0].segments == ("beef", "cheese")


def test_many_alike_pairs_are_told_as_one(check_mutated: CheckMutated) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        for name in [name for name in rows if name.startswith("rfm_") and name != "rfm_champions"]:
            copy(rows, "rfm_champions", name)

    found = only(check_mutated(mutation))
    assert len(found.segments) == 11
    assert "55 pairs among 11 segments" in found.message


# ---- no treatment ----------------------------------------------------------------------------------------------------


def test_a_deleted_treatment_is_caught(check_mutated: CheckMutated) -> None:
    found = only(check_mutated(lambda rows: rows.pop("rfm_cant_lose") and None))
    assert (found.scheme, found.segments, found.fields) == ("rfm", ("cant_lose",), ("segment",))
    assert "150 members" in found.message


def test_an_expired_treatment_is_caught(check_mutated: CheckMutated) -> None:
    found = only(check_mutated(lambda rows: rows["rfm_cant_lose"].update(valid_to="2017-12-31")))
    assert (found.segments, found.fields) == (("cant_lose",), ("valid_from", "valid_to"))
    assert "no treatment valid on 2018-01-01" in found.message


def test_a_treatment_is_valid_on_its_first_and_last_day(check_mutated: CheckMutated) -> None:
    both = {"valid_from": "2018-01-01", "valid_to": "2018-01-01"}
    assert check_mutated(lambda rows: rows["rfm_cant_lose"].update(both)).passed


def test_dates_in_the_wrong_order_are_caught(check_mutated: CheckMutated) -> None:
    wrong = {"valid_from": "2018-02-01", "valid_to": "2017-02-01"}
    findings = blocking(check_mutated(lambda rows: rows["rfm_cant_lose"].update(wrong)))
    assert any("before it begins" in finding.message for finding in findings)


def test_a_deleted_template_is_caught_with_all_its_segments(check_mutated: CheckMutated) -> None:
    found = only(check_mutated(lambda rows: rows.pop("category_interest_each") and None))
    assert set(found.segments) == set(CATEGORIES) - {"unknown"}


# ---- unknown names ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field", "told"),
    [
        ({"scheme": "rmf"}, "scheme", "rmf: no such scheme (did you mean rfm?)"),
        ({"segment": "Champions"}, "segment", "(did you mean champions?)"),
        ({"segment": "*"}, "segment", "whose segments come from the data"),
        ({"channel": "e-mail"}, "channel", "(did you mean email?)"),
        ({"offer_item": "SOFT DRINK"}, "offer_item", "(did you mean SOFT DRINKS?)"),
        ({"message": "Hello {first_name}"}, "message", "{first_name}"),
        ({"message": "Hello {first_name, there you are"}, "message", "{first_name,"),
        ({"offer": "5 % off first_name}"}, "offer", "first_name}"),
        ({"proof": "  "}, "proof", "says nothing in proof"),
        ({"tone_of_voice": "T.B.D."}, "tone_of_voice", "says nothing"),
        ({"channel": ""}, "channel", "says nothing in channel"),
    ],
)
def test_a_name_or_text_that_will_not_do_is_caught(
    check_mutated: CheckMutated, change: Row, field: str, told: str
) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        rows["extra"] = rows["rfm_champions"] | {"treatment_id": "extra"} | change

    found = only(check_mutated(mutation))
    assert field in found.fields
    assert told in found.message
    assert "extra" in found.message


def test_an_id_that_a_template_spells_out_again_is_caught(check_mutated: CheckMutated) -> None:
    found = only(check_mutated(lambda rows: rows["rfm_champions"].update(treatment_id="category_interest_each_beef")))
    assert found.fields == ("treatment_id",)


def test_a_data_driven_segment_without_members_is_idle(check_mutated: CheckMutated) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        rows["extra"] = rows["category_interest_each"] | {
            "treatment_id": "extra",
            "segment": "tobacco",
            "offer_item": "",
        }
        rows["extra"] |= {column: rows["extra"][column].replace("{label}", "tobacco") for column in TEXTS}

    report = check_mutated(mutation)
    assert report.passed, report.summary()
    assert any(f.severity == "info" and f.segments == ("tobacco",) for f in report.findings)


def test_an_item_missing_from_what_was_published_only_warns(check_mutated: CheckMutated) -> None:
    items = Items("category", frozenset(CATEGORIES.values()), is_complete=False)
    report = check_mutated(lambda rows: rows["rfm_champions"].update(offer_item="CAVIAR"), items=items)
    assert report.passed
    assert any(f.severity == "warn" and f.fields == ("offer_item",) for f in report.findings)


# ---- severities ------------------------------------------------------------------------------------------------------


def test_a_scheme_that_warns_does_not_block(check_mutated: CheckMutated) -> None:
    schemes = dict(make_input(seed_file("treatments.csv")).schemes)
    schemes["rfm"] = replace(schemes["rfm"], treatment_check="warn")
    report = check_mutated(lambda rows: copy(rows, "rfm_champions", "rfm_at_risk"), schemes=schemes)
    assert report.passed
    assert any(f.severity == "warn" and f.segments == ("at_risk", "champions") for f in report.findings)


def test_treatments_of_an_inactive_scheme_wait_unchecked(check_mutated: CheckMutated) -> None:
    def mutation(rows: dict[str, Row]) -> None:
        rows["extra"] = rows["rfm_champions"] | {
            "treatment_id": "extra",
            "scheme": "prospect_persona",
            "segment": "tiny",
        }

    schemes = dict(make_input(seed_file("treatments.csv")).schemes)
    schemes["prospect_persona"] = replace(schemes["prospect_persona"], is_active=False)
    report = check_mutated(mutation, schemes=schemes)
    assert report.passed, report.summary()
    assert any(f.severity == "info" and "prospect_persona (1)" in f.message for f in report.findings)


# ---- reach -----------------------------------------------------------------------------------------------------------


def everyone_but(*unreachable: tuple[str, str, str]) -> Consents:
    inputs = make_input(seed_file("treatments.csv"))
    reachable = {
        (scheme.name, segment, channel): 75
        for scheme in inputs.active_schemes
        for segment in scheme.known_segments
        for channel in inputs.channels
        if (scheme.name, segment, channel) not in unreachable
    }
    return Consents(reachable, inputs.channels)


def test_the_share_within_reach_is_told(check_mutated: CheckMutated) -> None:
    report = check_mutated(consents=everyone_but())
    assert report.passed
    told = [f.message for f in report.findings if f.scheme == "rfm" and "phone" in f.message]
    assert told == ["rfm: phone reaches 75 of 150 members (50%) of cant_lose; least in cant_lose (75 of 150)"]


def test_a_treatment_that_reaches_nobody_warns_and_blocks_only_by_the_setting(check_mutated: CheckMutated) -> None:
    consents = everyone_but(("rfm", "cant_lose", "phone"))
    report = check_mutated(consents=consents)
    assert report.passed
    (warned,) = [f for f in report.findings if f.severity == "warn"]
    found = only(check_mutated(consents=consents, rules=Rules(unreachable_treatments="block")))
    for finding in (warned, found):
        assert (finding.scheme, finding.segments, finding.fields) == ("rfm", ("cant_lose",), ("channel",))
        assert re.search("phone cannot reach the 150 members of cant_lose", finding.message)


def test_a_small_segment_out_of_reach_only_warns(check_mutated: CheckMutated) -> None:
    consents = everyone_but(("rfm", "cant_lose", "phone"))
    report = check_mutated(consents=consents, rules=Rules(min_members=151, unreachable_treatments="block"))
    assert report.passed
    assert any(f.severity == "warn" and f.segments == ("cant_lose",) for f in report.findings)


def test_without_any_consents_one_warning_names_the_channels(check_mutated: CheckMutated) -> None:
    warned = [f for f in check_mutated().findings if f.severity == "warn"]
    assert len(warned) == 1
    assert "by app, email, mail, phone, sms, store" in warned[0].message


def test_the_summary_counts_and_names(check_mutated: CheckMutated) -> None:
    summary = check_mutated(lambda rows: copy(rows, "rfm_champions", "rfm_at_risk")).summary()
    assert summary.startswith("treatment check FAILED as of 2018-01-01: ")
    assert "1 blocking" in summary
    assert "at_risk and champions" in summary


def test_every_closed_segment_of_the_active_schemes_has_its_own_treatment() -> None:
    inputs = make_input(seed_file("treatments.csv"))
    served = {(row.scheme, row.segment) for row in inputs.rows}
    for scheme in inputs.active_schemes:
        assert {(scheme.name, segment) for segment in scheme.listed} <= served
    assert all(row.is_valid_on(date(2017, 1, 1)) for row in inputs.rows)


def test_the_treatments_of_inactive_schemes_would_pass_once_switched_on() -> None:
    written = {row.scheme for row in make_input(seed_file("treatments.csv")).rows}
    inputs = make_input(seed_file("treatments.csv"), active=dict.fromkeys(written, True))
    # Schemes whose segments come from the data need some to be served.
    labels = {"location": {"east": "East", "west": "West"}, "spend_structure": {"grocery": "GROCERY", "meat": "MEAT"}}
    schemes = {
        name: replace(
            scheme,
            labels={**scheme.labels, **labels.get(name, {})},
            members=dict.fromkeys([*scheme.labels, *labels.get(name, {})], 150),
        )
        for name, scheme in inputs.schemes.items()
    }
    report = check(replace(inputs, schemes=schemes))
    assert report.passed, report.summary()
    assert len(written) >= 13
    assert not [finding for finding in report.findings if finding.severity == "info"]
