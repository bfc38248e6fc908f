"""Companies: the roles of their buying committees that are known, the money behind the gaps. No company is named.

Belongs here: company_committees in, blocks out.
Does not belong here: which contact holds which role (models/marts/companies/); which company it is: that list is the
table, for those who may see it.
"""

from __future__ import annotations

from orchestration.report import words
from orchestration.report.blocks import Block, Column, Page, Part, Prose, Table
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
            Page("companies", "Companies", "Who decides?", [Prose(f"There are fewer than {shop.least} companies.")])
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
            common.label(f"{row['covered']} of {len(roles)}"),
            common.number(row["companies"], bar=row["companies"] / total),
            common.money(row["spend"]),
            common.share(row["readiness"]),
        ]
        for row in told
    ]
    if small:
        rows.append(
            [
                common.label("other numbers of roles"),
                common.members(shop, sum(row["companies"] for row in small)),
                common.money(None),
                common.share(None),
            ]
        )
    blocks: list[Block] = [
        Prose(
            f"A deal stops where one role is not convinced. Of {words.counted(total, 'company', 'companies')}, "
            f"{shop.members(complete) if complete else 'none'} {'knows' if complete in (0, 1) else 'know'} somebody "
            "for each role"
            f"{'' if most else ', and none knows anybody'}.",
            "lead",
        ),
        Part(
            "Roles that are missing",
            [
                Table(
                    "Roles of buying committees",
                    [
                        Column("Role"),
                        Column("Companies where somebody is known", True),
                        Column("and may be written to", True),
                        Column(shop.in_currency("Spend where nobody is known"), True),
                        Column("What is at risk, and what to do", minor=True),
                    ],
                    [
                        [
                            common.label(words.ROLES.get(row["role"], words.identifier(row["role"]))),
                            common.members(shop, row["covered"]),
                            common.members(shop, row["contactable"]),
                            common.money(None if shop.is_few(row["missing"]) else row["spend"]),
                            common.text(row["risk"], "long"),
                        ]
                        for row in roles
                    ],
                )
            ],
            "roles",
        ),
        Part(
            "Companies by how many roles are known",
            [
                Table(
                    "Companies by roles known",
                    [
                        Column("Roles known"),
                        Column("Companies", True),
                        Column(shop.in_currency("Spend"), True),
                        Column("Ready", True),
                    ],
                    rows,
                    more="Which companies these are is in the table company_committees.",
                )
            ],
            "readiness",
        ),
    ]
    return [Page("companies", "Companies", "Who decides at companies, and who is missing?", blocks)]
