"""Companies: the roles of their buying committees that are known, the money behind the gaps. No company is named.

Belongs here: company_committees in, blocks out.
Does not belong here: which contact holds which role (models/marts/companies/); which company it is: that list is the
table, for those who may see it.
"""

from __future__ import annotations

from orchestration.report import words
from orchestration.report.blocks import Block, Column, Page, Part, Prose, Table
from orchestration.report.languages import many, say, term
from orchestration.report.pages import common
from orchestration.report.shop import Shop


def pages(shop: Shop) -> list[Page]:
    """Roles over all companies, and companies by how many roles are known. No page where there is no company."""
    columns = ("company_id", "role", "role_order", "is_covered", "is_contactable", "spend", "readiness", "risk")
    if not shop.db.has("company_committees", *columns):
        return []
    sizes = shop.db.rows(
        """
        select covered, count(*) as companies, sum(spend) as spend, avg(readiness) as readiness
        from (
            select company_id, max(spend) as spend, max(readiness) as readiness,
                count(*) filter (is_covered) as covered
            from company_committees group by company_id
        )
        group by covered order by covered desc
        """
    )
    total = sum(row["companies"] for row in sizes)
    if not total:
        return []
    if shop.is_few(total):
        return [
            Page(
                "companies",
                say("Companies"),
                say("Who decides?"),
                [Prose(many("There are fewer than {n} company.", "There are fewer than {n} companies.", shop.least))],
            )
        ]
    roles = shop.db.rows(
        """
        with uncovered as (
            select role, risk, row_number() over (partition by role order by count(*) desc, risk) as place
            from company_committees where not is_covered group by role, risk
        )
        select role, max(role_order) as role_order, count(*) filter (is_covered) as covered,
            count(*) filter (is_contactable) as contactable, count(*) filter (not is_covered) as missing,
            coalesce(sum(spend) filter (not is_covered), 0) as spend, max(uncovered.risk) as risk
        from company_committees as c left join uncovered using (role)
        where uncovered.place is null or uncovered.place = 1
        group by role order by role_order, role
        """
    )
    most = max(row["covered"] for row in sizes)
    complete = next((row["companies"] for row in sizes if row["covered"] >= len(roles)), 0)
    told, small = shop.merged(sizes, lambda row: float(row["companies"]))
    rows = [
        [
            common.label(say("{some} of {all}", some=row["covered"], all=len(roles))),
            common.number(row["companies"], bar=row["companies"] / total),
            common.money(row["spend"]),
            common.share(row["readiness"]),
        ]
        for row in told
    ]
    if small:
        rows.append(
            [
                common.label(say("other numbers of roles")),
                common.members(shop, sum(row["companies"] for row in small)),
                common.money(None),
                common.share(None),
            ]
        )
    blocks: list[Block] = [
        Prose(lead(shop, total, complete, most), "lead"),
        Part(
            say("Roles that are missing"),
            [
                Table(
                    say("Roles of buying committees"),
                    [
                        Column(say("Role")),
                        Column(say("Companies where somebody is known"), True),
                        Column(say("and may be written to"), True),
                        Column(shop.in_currency(say("Spend where nobody is known")), True),
                        Column(say("What is at risk, and what to do"), minor=True),
                    ],
                    [
                        [
                            common.label(role_name(row["role"])),
                            common.members(shop, row["covered"]),
                            common.members(shop, row["contactable"]),
                            common.money(None if shop.is_few(row["missing"]) else row["spend"]),
                            common.text(words.sentence("risk", row["risk"]), "long"),
                        ]
                        for row in roles
                    ],
                )
            ],
            "roles",
        ),
        Part(
            say("Companies by how many roles are known"),
            [
                Table(
                    say("Companies by roles known"),
                    [
                        Column(say("Roles known")),
                        Column(say("Companies"), True),
                        Column(shop.in_currency(say("Spend")), True),
                        Column(say("Ready"), True, say("roles that may be written to, by weight")),
                    ],
                    rows,
                    more=say(
                        "The table {table} says which companies these are.", table=words.table("company_committees")
                    ),
                )
            ],
            "readiness",
        ),
    ]
    return [Page("companies", say("Companies"), say("Who decides at companies, and who is missing?"), blocks)]


def role_name(role: str) -> str:
    """What people call a role of a buying committee."""
    return term("role", words.ROLES[role]) if role in words.ROLES else words.identifier(role)


def lead(shop: Shop, total: int, complete: int, most: int) -> str:
    """Of how many companies somebody is known for each role."""
    companies = many("{n} company", "{n} companies", total)
    if not most:
        return say(
            "A deal stops where one role is not convinced. Of {companies}, somebody is known for each role at none, "
            "and nobody at all at any.",
            companies=companies,
        )
    if not complete:
        return say(
            "A deal stops where one role is not convinced. Of {companies}, somebody is known for each role at none.",
            companies=companies,
        )
    return many(
        "A deal stops where one role is not convinced. Of {companies}, somebody is known for each role at {some}.",
        "A deal stops where one role is not convinced. Of {companies}, somebody is known for each role at {some}.",
        complete,
        companies=companies,
        some=shop.members(complete),
    )
