"""Warnings in one plain sentence each: what is the matter, and what to do. The names of the checks are for engineers.

Belongs here: the sentence of each check that can warn, and whether its own words may name somebody.
Does not belong here: what is checked and the words with its numbers (orchestration/audit/), where they stand (pages/).
"""

from __future__ import annotations

from orchestration.audit.told import Problem
from orchestration.report import words
from orchestration.report.languages import N_, say

SENTENCES = {
    "amounts_are_plausible": N_("Some amounts are very large: land them in the currency, not in cents."),
    "arms_are_of_the_sizes_that_were_drawn": N_(
        "An experiment has lost customers, so nothing of it is compared: land everybody who was drawn."
    ),
    "category_meanings_cover_spend": N_(
        "Much spend is in categories that mean nothing yet: say what they mean (make meanings)."
    ),
    "contacts_belong_to_a_company": N_("Some contact persons have no company: land the companies that are missing."),
    "customer_ids_meet": N_("Orders and customers spell their ids in two ways: say how they meet (landing_formats)."),
    "customers_have_one_arm_in_an_experiment": N_(
        "Some customers are in two arms of one experiment: correct the table assignments."
    ),
    "job_titles_tell_a_role": N_("Many contact persons have no role: add their job titles to the list of titles."),
    "landing": N_("Something in the landing zone was not read: see what, and whether it is needed."),
    "last_order_day_is_not_alone": N_("The last order lies far behind the one before: correct its date, or set AS_OF."),
    "lines_that_do_not_count_are_few": N_("Many order lines do not count by their status: see which are sales."),
    "no_customer_is_many": N_("One customer has very many orders: see whether it is a till or a guest account."),
    "offers_are_on_the_level_wanted": N_("Offers are finer than wanted: give the products their categories."),
    "optional_values_are_readable": N_("Some values cannot be read and count as empty: see what would read them."),
    "order_numbers_do_not_restart": N_("Order numbers repeat: say what makes an order (order_scope)."),
    "product_ids_meet": N_("Orders and products spell their ids in two ways: say how they meet (landing_formats)."),
    "products_are_in_one_category": N_("Some products are in several categories: give each one."),
    "products_are_known": N_("Some of what was sold is in no product list: land those products with their category."),
    "prospects_are_no_customers": N_("Some prospects are customers already: take them off the list."),
    "prospects_have_a_segment": N_("Too little is known of most prospects to tell their segment: land more of each."),
    "returns_are_the_exception": N_("Most order lines are returns: the sign of amounts or quantities is wrong."),
    "schemes_can_be_taken_as_they_are": N_("Some schemes promise more than they hold: read what is said of each."),
    "schemes_know_their_members": N_(
        "Some ways to segment know hardly anybody: add the data they are read from, or switch them off."
    ),
    "services_are_no_merchandise": N_("Postage, gift cards or fees seem to count as goods: say which are none."),
    "shares_of_an_experiment_make_the_whole": N_(
        "The shares of an experiment do not make a whole: correct share_treated."
    ),
    "touched_customers_are_known": N_("Something was sent to customers nobody knows: land them, or see their ids."),
    "treatments_are_read_again_in_time": N_("Some treatments were to be read again by now: read each with its owner."),
    "treatments_differ_and_reach": N_(
        "Treatments reach nobody, or are the same as others: ask for consent, or change them."
    ),
}

# Checks in whose own words ids of customers, companies, contact persons or prospects may stand: the terminal and
# Dagster's check say them, for whoever corrects the data; the report, which goes from hand to hand, does not.
NAME_SOMEBODY = frozenset(
    (
        "contacts_belong_to_a_company",
        "customer_ids_meet",
        "no_customer_is_many",
        "order_numbers_do_not_restart",
        "prospects_are_no_customers",
    )
)
# Those that name counts, dates, settings, schemes, treatments, experiments, products, files or values of other columns.
NAME_NOBODY = frozenset(
    (
        "amounts_are_plausible",
        "arms_are_of_the_sizes_that_were_drawn",
        "category_meanings_cover_spend",
        "customers_have_one_arm_in_an_experiment",
        "job_titles_tell_a_role",
        "landing",
        "last_order_day_is_not_alone",
        "lines_that_do_not_count_are_few",
        "offers_are_on_the_level_wanted",
        "optional_values_are_readable",
        "product_ids_meet",
        "products_are_in_one_category",
        "products_are_known",
        "prospects_have_a_segment",
        "returns_are_the_exception",
        "schemes_can_be_taken_as_they_are",
        "schemes_know_their_members",
        "services_are_no_merchandise",
        "shares_of_an_experiment_make_the_whole",
        "touched_customers_are_known",
        "treatments_are_read_again_in_time",
        "treatments_differ_and_reach",
    )
)


def check_id(problem: Problem) -> str:
    """The name of the check: `check on table`, or the step that warns."""
    return problem.where.split(" on ")[0]


def may_name_somebody(problem: Problem) -> bool:
    """Whether the check's own words are not for the report."""
    return check_id(problem) in NAME_SOMEBODY


def headline(problem: Problem) -> str:
    """The sentence; of a check that has none here the first of its own, in the language of the tables."""
    known = SENTENCES.get(check_id(problem))
    if known:
        return say(known)
    lines = [line.strip() for line in problem.message.splitlines() if line.strip()]
    return words.published(lines[0] if lines else words.clean(problem.where).replace("_", " "))
