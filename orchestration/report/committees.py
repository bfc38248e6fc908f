"""What the report says about companies: the roles of their buying committees that are known, the money behind the gaps.

Belongs here: company_committees in, plain values for the template out.
Does not belong here: HTML, and which contact holds which role (models/marts/companies/).
"""

from __future__ import annotations

from typing import Any

from orchestration.report import words
from orchestration.report.published import Published

# Companies shown: as many as a sales meeting gets through.
DEALS_SHOWN = 12


def committees(db: Published) -> dict[str, Any] | None:
    """Roles over all companies, and the companies with most money behind a gap, each with its first uncovered role.

    None where there is no company. Money is spend over the RFM window, in the currency of the files.
    """
    if not db.has("company_committees", "company_id", "role", "is_covered", "spend", "readiness", "risk"):
        return None
    (totals,) = db.rows(
        """
        select count(*) as companies, count(*) filter (gaps = 0) as complete,
            coalesce(sum(spend) filter (gaps > 0), 0) as open_spend, count(*) filter (gaps > 0) as gaps
        from (
            select company_id, max(spend) as spend, count(*) filter (not is_covered) as gaps
            from company_committees group by company_id
        )
        """
    )
    if not totals["companies"]:
        return None
    roles = db.rows(
        """
        select role, count(*) filter (is_covered) as covered, count(*) filter (is_contactable) as contactable,
            coalesce(sum(spend) filter (not is_covered), 0) as spend
        from company_committees group by role, role_order order by role_order, role
        """
    )
    deals = db.rows(
        """
        select company_id, spend, readiness, role, risk
        from company_committees
        where not is_covered
        qualify row_number() over (partition by company_id order by role_order, role) = 1
        order by spend desc, readiness, company_id
        limit ?
        """,
        [DEALS_SHOWN],
    )
    return {
        "companies": words.counted(totals["companies"], "company", "companies"),
        "complete": words.count(totals["complete"]),
        "open_spend": words.money(totals["open_spend"]),
        "more": max(0, totals["gaps"] - len(deals)),
        "roles": [
            {
                "role": words.ROLES.get(row["role"], words.clean(row["role"])),
                "covered": words.count(row["covered"]),
                "contactable": words.count(row["contactable"]),
                "spend": words.money(row["spend"]),
            }
            for row in roles
        ],
        "deals": [
            {
                "company": words.clean(row["company_id"]),
                "spend": words.money(row["spend"]),
                "readiness": words.share(row["readiness"]),
                "role": words.ROLES.get(row["role"], words.clean(row["role"])),
                "risk": words.clean(row["risk"]),
            }
            for row in deals
        ],
    }
