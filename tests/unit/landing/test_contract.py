"""The contract file says what the contract says."""

from __future__ import annotations

from orchestration.landing.contract import contract

REQUIRED = {
    "customers": {"customer_id"},
    "companies": {"company_id"},
    "company_contacts": {"person_id", "company_id"},
    "products": {"product_id"},
    "order_lines": {"order_id", "product_id", "ordered_at", "quantity", "amount"},
    "touchpoints": {"touchpoint_id", "customer_id", "touched_at", "channel"},
    "responses": {"response_id", "customer_id", "responded_at", "kind"},
    "consents": {"customer_id", "channel", "opted_in", "recorded_at"},
    "assignments": {"customer_id", "treatment_id", "arm", "assigned_on"},
    "exchange_rates": {"currency", "valid_from", "rate"},
    "customer_aliases": {"alias_id", "customer_id"},
    "prospects": {"prospect_id"},
}


def test_the_tables_require_the_starred_columns() -> None:
    assert {name: {c.name for c in table.columns if c.required} for name, table in contract().items()} == REQUIRED


def test_whose_an_order_line_is_may_be_left_empty_but_not_left_out() -> None:
    needed = {(table.name, c.name) for table in contract().values() for c in table.columns if c.is_needed}
    assert needed - {(table, column) for table, columns in REQUIRED.items() for column in columns} == {
        ("order_lines", "customer_id")
    }


def test_keys_are_columns_of_their_table() -> None:
    for table in contract().values():
        assert set(table.key) <= {c.name for c in table.columns}


def test_names_mail_addresses_and_phones_are_personal_wherever_they_are() -> None:
    personal = {(t.name, c.name) for t in contract().values() for c in t.columns if c.personal}
    holders = ("customers", "company_contacts", "prospects")
    assert personal == {(table, column) for table in holders for column in ("full_name", "email", "phone")}


def test_closed_lists_are_those_of_the_contract() -> None:
    lists = {(t.name, c.name): c.values for t in contract().values() for c in t.columns if c.values}
    assert lists == {
        ("customers", "kind"): ("person", "company"),
        ("responses", "kind"): ("open", "click", "redeem", "purchase", "unsubscribe"),
        ("assignments", "arm"): ("treated", "holdout"),
    }
