"""The consent check, by hand-made records: what it must refuse, and what it must let pass."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from orchestration.audiences.check import Firms, Limits, Moment, Record, consent_problem, said, violations

SEND_ON = date(2026, 3, 31)
BOUNDS = Limits(contact_cap=2, contact_cap_days=28)
NOBODY: frozenset[tuple[str, str]] = frozenset()


def at(day: int, hour: int = 12) -> Moment:
    return said(datetime(2026, 3, day, hour), date(2026, 3, day), False, True)


def on(day: int, denies: bool = True) -> Moment:
    """Without a time of day, in a zone five hours behind UTC."""
    return said(datetime(2026, 3, day, 5), date(2026, 3, day), True, denies)


def why(record: Record, holdouts: frozenset[tuple[str, str]] = NOBODY, bounds: Limits = BOUNDS) -> list[str]:
    return [v.why for v in violations([("mail", "ann", "t", SEND_ON)], {"ann": record}, holdouts, bounds)]


def consenting(**more: list) -> Record:
    return Record(consents=[("mail", at(1), True)], **more)


def test_a_member_with_consent_may_be_addressed() -> None:
    assert why(consenting()) == []


def test_a_member_without_any_record_may_not() -> None:
    (found,) = violations([("mail", "bob", "t", SEND_ON)], {}, NOBODY, BOUNDS)
    assert found.why == "no consent on record"


def test_consent_for_another_channel_is_none() -> None:
    assert why(Record(consents=[("sms", at(1), True)])) == ["no consent on record"]


def test_the_latest_record_counts_whatever_the_order_of_rows() -> None:
    assert why(Record(consents=[("mail", at(9), False), ("mail", at(2), True)])) == ["refused on 2026-03-09"]
    assert why(Record(consents=[("mail", at(9), True), ("mail", at(2), False)])) == []


def test_of_two_records_at_one_moment_the_one_that_denies_counts() -> None:
    assert why(Record(consents=[("mail", at(2), False), ("mail", at(2), True)])) != []
    assert why(consenting(objections=[("mail", at(1))])) == ["unsubscribed on 2026-03-01"]


def test_what_denies_without_a_time_of_day_is_later_than_every_consent_of_its_day() -> None:
    late = said(datetime(2026, 3, 2, 4, 30), date(2026, 3, 1), False, False)
    for consent in (at(1), late, on(1, denies=False)):
        assert why(Record(consents=[("mail", consent, True), ("mail", on(1), False)])) == ["refused on 2026-03-01"]
        assert why(Record(consents=[("mail", consent, True)], objections=[(None, on(1))])) == [
            "unsubscribed on 2026-03-01"
        ]
    for consent in (at(2, 5), on(2, denies=False)):
        assert why(Record(consents=[("mail", consent, True), ("mail", on(1), False)])) == []
        assert why(Record(consents=[("mail", consent, True)], objections=[(None, on(1))])) == []


def test_a_consent_without_a_time_of_day_is_earlier_than_what_denies_on_its_day() -> None:
    record = Record(consents=[("mail", on(1, denies=False), True)], objections=[("mail", at(1))])
    assert why(record) == ["unsubscribed on 2026-03-01"]


@pytest.mark.parametrize("channel", ["mail", None])
def test_an_objection_to_the_channel_or_to_all_denies(channel: str | None) -> None:
    assert why(consenting(objections=[(channel, at(3))])) == ["unsubscribed on 2026-03-03"]


def test_an_objection_to_another_channel_does_not() -> None:
    assert why(consenting(objections=[("sms", at(3))])) == []


def test_assumed_consent_ends_with_an_objection_or_a_refusal() -> None:
    assumed = frozenset({"mail"})
    assert consent_problem(Record(), "mail", assumed) is None
    assert consent_problem(Record(objections=[(None, at(2))]), "mail", assumed)
    assert consent_problem(Record(consents=[("mail", at(2), False)]), "mail", assumed)
    assert consent_problem(Record(), "sms", assumed)


def test_a_holdout_may_not_be_addressed() -> None:
    assert why(consenting(), frozenset({("ann", "t")})) == ["drawn into the holdout"]
    assert why(consenting(), frozenset({("ann", "other"), ("bob", "t")})) == []


def test_the_cap_counts_the_send_itself_and_only_days_in_the_window() -> None:
    assert why(consenting(touches=[date(2026, 3, 3)])) == []
    assert why(consenting(touches=[date(2026, 3, 3), date(2026, 3, 30)])) == ["2 touches in 28 days, the cap is 2"]
    assert why(consenting(touches=[date(2026, 3, 2), date(2026, 3, 30), SEND_ON])) == []


def test_a_second_treatment_in_one_send_is_refused() -> None:
    rows = [("mail", "ann", "t", SEND_ON), ("mail", "ann", "u", SEND_ON)]
    assert {v.why for v in violations(rows, {"ann": consenting()}, NOBODY, BOUNDS)} == {"2 treatments in one send"}


def test_a_company_is_addressed_through_its_contact_persons_only() -> None:
    consented = consenting()
    firms = Firms(
        companies=frozenset({"firm", "works"}),
        contacts={"pat": "firm", "sue": "works"},
        addressed={("pat", "t"): "firm", ("sue", "t"): "firm"},
    )
    rows = [("mail", member, "t", SEND_ON) for member in ("pat", "sue", "firm")]
    records = dict.fromkeys(("pat", "sue", "firm"), consented)
    found = {v.member_id: v.why for v in violations(rows, records, frozenset(), BOUNDS, firms)}
    assert found == {
        "sue": "not a contact person of the company that the message is for",
        "firm": "a company, which is addressed through its contact persons only",
    }


def test_a_holdout_of_the_company_holds_its_contact_person_back() -> None:
    consented = consenting()
    firms = Firms(frozenset({"firm"}), {"pat": "firm"}, {("pat", "t"): "firm"})
    rows = [("mail", "pat", "t", SEND_ON)]
    held = frozenset({("firm", "t")})
    assert [v.why for v in violations(rows, {"pat": consented}, held, BOUNDS, firms)] == ["drawn into the holdout"]
