"""Nobody is addressed who must not be: the audiences held against the staged records, one member at a time, in Python.

Belongs here: a second, independent answer to "may this row be sent?". It shares nothing with the SQL that made the
audiences (contact_permissions, audience_decisions), so that a mistake there is found here.
Does not belong here: choosing audiences.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

import duckdb

# Every blank of Unicode and the byte order mark; a str takes off some signs that are none, and keeps the mark.
_BLANKS = "\t\n\v\f\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u202f\u205f\u3000\ufeff"


def _spelled(channel: str) -> str:
    """A channel as it is compared: without blanks at its ends, in small letters."""
    return channel.strip(_BLANKS).lower()


@dataclass(frozen=True)
class Limits:
    """The vars that bound a send."""

    contact_cap: int
    contact_cap_days: int
    assume_consent: frozenset[str] = frozenset()


class Moment(NamedTuple):
    """When something was said, in the order in which it counts: what denies without a time of day is the last of its
    day."""

    day: date
    is_at_end: bool
    at: datetime


def said(at: datetime, day: date, is_day: bool | None, denies: bool) -> Moment:
    """The moment of a record at `at` (UTC), on the stores' `day`, which alone is known where `is_day`."""
    return Moment(day, bool(is_day) and denies, at)


@dataclass
class Record:
    """What is on record of one member: all consents and objections, and touches before the send date.

    Channels are lower case; None = every channel.
    """

    consents: list[tuple[str, Moment, bool]] = field(default_factory=list)
    objections: list[tuple[str | None, Moment]] = field(default_factory=list)
    touches: list[date] = field(default_factory=list)


@dataclass(frozen=True)
class Firms:
    """Ids of companies, the company of each contact person, and the company that a row of the audiences is for, by its
    (member, treatment)."""

    companies: frozenset[str] = frozenset()
    contacts: Mapping[str, str] = field(default_factory=dict)
    addressed: Mapping[tuple[str, str], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Violation:
    """A row of the audiences that must not be sent, and why."""

    member_id: str
    channel: str
    treatment_id: str
    why: str

    def __str__(self) -> str:
        return f"{self.channel} {self.treatment_id} to {self.member_id}: {self.why}"


def limits(project_vars: Mapping[str, Any]) -> Limits:
    """The limits of dbt_project.yml."""
    return Limits(
        int(project_vars["contact_cap"]),
        int(project_vars["contact_cap_days"]),
        frozenset(_spelled(str(channel)) for channel in project_vars.get("assume_consent") or ()),
    )


def consent_problem(record: Record, channel: str, assume_consent: frozenset[str]) -> str | None:
    """Why a member may not be addressed on a channel; None where they may.

    The history is read forward: each consent, refusal and objection changes the answer; at one moment, what denies
    comes last, and where its day alone is known, at the end of that day.
    """
    events = [(at, 0 if opted_in else 1, opted_in) for on, at, opted_in in record.consents if on == channel]
    events += [(at, 2, False) for on, at in record.objections if on is None or on == channel]
    if not events:
        return None if channel in assume_consent else "no consent on record"
    moment, kind, is_allowed = sorted(events)[-1]
    return None if is_allowed else f"{('', 'refused', 'unsubscribed')[kind]} on {moment.day:%Y-%m-%d}"


def _wrong_addressee(member: str, company: str | None, firms: Firms) -> str | None:
    """Why the member is nobody who may stand for the company; None where they may."""
    if company is not None and firms.contacts.get(member) != company:
        return "not a contact person of the company that the message is for"
    if company is None and member in firms.companies:
        return "a company, which is addressed through its contact persons only"
    return None


def violations(
    rows: Iterable[tuple[str, str, str, date]],
    records: Mapping[str, Record],
    holdouts: frozenset[tuple[str, str]],
    bounds: Limits,
    firms: Firms | None = None,
) -> Iterator[Violation]:
    """Rows that must not be sent: without consent, of a holdout, beyond the cap, a second one to a member, or to
    somebody who is no contact person of the company that it is for.

    Args:
        rows: (channel, member, treatment, send_on) of each row of the audiences.
        records: what is on record, by member.
        holdouts: (member or company, treatment) drawn into a holdout.
        firms: who is a company, who speaks for one, and for which company each row is.
    """
    rows = list(rows)
    firms = firms or Firms()
    sends = Counter(member for _, member, _, _ in rows)
    for channel, member, treatment, send_on in rows:
        company = firms.addressed.get((member, treatment))
        record = records.get(member, Record())
        since = send_on - timedelta(days=bounds.contact_cap_days)
        touches = sum(since <= day < send_on for day in record.touches)
        problems = [
            consent_problem(record, _spelled(channel), bounds.assume_consent),
            "drawn into the holdout" if holdouts & {(member, treatment), (company or "", treatment)} else None,
            _wrong_addressee(member, company, firms),
            f"{touches} touches in {bounds.contact_cap_days} days, the cap is {bounds.contact_cap}"
            if touches + sends[member] > bounds.contact_cap
            else None,
            f"{sends[member]} treatments in one send" if sends[member] > 1 else None,
        ]
        yield from (Violation(member, channel, treatment, why) for why in problems if why)


def check_audiences(con: duckdb.DuckDBPyConnection, bounds: Limits) -> list[Violation]:
    """Every violation in the candidate's audiences.

    Args:
        con: sees the candidate's tables, and the staging tables beneath them, by bare name.
    """
    rows = con.execute("select channel, member_id, treatment_id, send_on from audiences order by all").fetchall()
    if not rows:
        return []
    (as_of,) = {send_on for *_, send_on in rows}
    # Held out of one treatment, of all of them, or of their segment's because they are sent the one for all.
    held = con.execute(
        """
        select member_id, treatment_id from treatment_assignments
        where arm = 'holdout' or (arm = 'uniform' and sends_treatment_id <> treatment_id)
        union all
        select sent.member_id, sent.treatment_id from audiences as sent
        left join segment_schemes as schemes on sent.scheme = schemes.scheme
        where
            sent.member_id in (select member_id from treatment_assignments where arm = 'programme')
            or (
                -- For a company, whoever it is sent to; a contact person's own treatments go by the person's arm.
                sent.company_id in (select member_id from treatment_assignments where arm = 'programme')
                and schemes.audience is distinct from 'company_contact'
            )
        """
    ).fetchall()
    holdouts = frozenset(held) | landed_holdouts(con)
    return list(violations(rows, read_records(con, as_of), holdouts, bounds, read_firms(con)))


def landed_holdouts(con: duckdb.DuckDBPyConnection) -> frozenset[tuple[str, str]]:
    """(member or company, treatment) held out in an experiment run elsewhere, also of a day to come: of each experiment
    the first arm counts.

    A holdout of several treatments says `none`, and is held out of all that the experiment sends to others.
    """
    sent_by: dict[str, set[str]] = defaultdict(set)
    for experiment, treatment in con.execute(
        "select distinct experiment_id, treatment_id from stg_assignments"
        " where arm = 'treated' and experiment_id is not null"
    ).fetchall():
        sent_by[experiment].add(treatment)
    first: dict[tuple[str, str, str], str] = {}
    # Of two arms of one day, `holdout` comes before `treated`.
    for experiment, member, treatment, arm in con.execute(
        "select coalesce(experiment_id, treatment_id), customer_id, treatment_id, arm from stg_assignments"
        " where customer_id in"
        " (select member_id from audiences union select company_id from audiences where company_id is not null)"
        " order by assigned_on, arm"
    ).fetchall():
        for one in sent_by[experiment] if (arm, treatment) == ("holdout", "none") else {treatment}:
            first.setdefault((experiment, member, one), arm)
    return frozenset((member, treatment) for (_, member, treatment), arm in first.items() if arm == "holdout")


def read_firms(con: duckdb.DuckDBPyConnection) -> Firms:
    """Companies by the files that say so, and contact persons as they landed."""
    companies = con.execute(
        "select company_id from stg_companies union select customer_id from stg_customers where kind = 'company'"
    ).fetchall()
    contacts = con.execute("select person_id, company_id from stg_company_contacts").fetchall()
    addressed = con.execute(
        "select member_id, treatment_id, company_id from audiences where company_id is not null"
    ).fetchall()
    return Firms(
        frozenset(company for (company,) in companies),
        dict(contacts),
        {(member, treatment): company for member, treatment, company in addressed},
    )


def read_records(con: duckdb.DuckDBPyConnection, as_of: date) -> dict[str, Record]:
    """What is on record of each member in the audiences; consents and objections of after the as-of date count too."""
    records: dict[str, Record] = defaultdict(Record)
    addressed = "(select member_id from audiences)"
    for member, channel, at, day, is_day, opted_in in con.execute(
        "select customer_id, channel, recorded_at, recorded_on, recorded_at_is_day, opted_in from stg_consents"
        f" where customer_id in {addressed}"
    ).fetchall():
        records[member].consents.append((_spelled(channel), said(at, day, is_day, not opted_in), opted_in))
    touch_channels: dict[tuple[str, str], str] = {}
    for touchpoint, member, channel, day in con.execute(
        f"select touchpoint_id, customer_id, channel, touched_on from stg_touchpoints where customer_id in {addressed}"
    ).fetchall():
        touch_channels[member, touchpoint] = _spelled(channel)
        if day < as_of:
            records[member].touches.append(day)
    for member, touchpoint, at, day, is_day in con.execute(
        "select customer_id, touchpoint_id, responded_at, responded_on, responded_at_is_day from stg_responses"
        f" where kind = 'unsubscribe' and customer_id in {addressed}"
    ).fetchall():
        records[member].objections.append((touch_channels.get((member, touchpoint)), said(at, day, is_day, True)))
    return dict(records)
