"""Experiments as arrays: who was in which arm, what they spent and cost, and which segment they were in.

Belongs here: reading experiment_members, experiment_segments and sales_margin, once; the test of the arms' sizes.
Does not belong here: effects (outcomes.py), policies (dividend.py). Landed experiments and our own look the same here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from orchestration.accountability.inputs import active_schemes, scheme_name
from orchestration.accountability.sequences import sequential_sample_ratio_p_value
from orchestration.accountability.statistics import Floats, Integers, sample_ratio_p_value

# Outcomes that everyone assigned has, bought or not: a share of what was bought would compare only those who bought.
OUTCOMES = ("orders", "spend")
# Below this p the arms are not in the ratio that was drawn: something other than chance chose, and nothing is compared.
SAMPLE_RATIO_ALARM = 0.001
# Arm of those who are sent nothing.
NONE = "none"
EVERYONE = "all"
# Segment of those whom a scheme does not know.
UNKNOWN = "unknown"
# Arm in which each segment gets its own treatment, in the experiment of a scheme with a uniform arm.
BY_SEGMENT = "by_segment"
# Arm in which every segment gets the scheme's treatment for all, in the same experiment.
UNIFORM = "uniform"
# Experiment of all treatments against none, and its arm.
PROGRAMME = "programme"
# Stated shares of an experiment's arms that sum to less or more than 1 by this are not the shares of its arms.
SHARES_OFF = 0.02


def uniform_experiment(scheme: str) -> str:
    """The experiment of the scheme's uniform arm."""
    return f"{UNIFORM}_{scheme}"


def goes_on(experiment_id: str) -> bool:
    """Whether the experiment takes in members for as long as any come (docs/experiments.md), so that nobody can wait
    for its end."""
    return experiment_id == PROGRAMME or experiment_id.startswith(uniform_experiment(""))


def arm_in_words(experiment_id: str, treatment_id: str) -> str:
    """What an arm is sent, as a sentence calls it: a treatment by its id, what is no treatment in words."""
    if treatment_id == NONE:
        return "nothing"
    if experiment_id == treatment_id == PROGRAMME:
        return "what all schemes send"
    name = scheme_name(experiment_id.removeprefix(uniform_experiment("")))
    if experiment_id.startswith(uniform_experiment("")) and treatment_id == BY_SEGMENT:
        return f"what {name} sends by segment"
    if experiment_id.startswith(uniform_experiment("")) and treatment_id == UNIFORM:
        return f"the treatment of {name} in seeds/uniform_treatments.csv"
    return treatment_id


@dataclass(frozen=True)
class Experiment:
    """Members of one experiment in the order of their ids. Arrays are (n,); money as in the order lines.

    `arms` are treatment ids, `none` first where there is a holdout; `arm` is a member's place among them.
    `stratum` is what the drawn shares depend on: the day of assignment, and what the SQL adds to it.
    `segments` is scheme -> (names, (n,) code of the member's segment, -1 where the scheme says nothing of the member).
    `unknown` is a segment here; `known_segments` leaves it out.
    """

    experiment_id: str
    members: list[str]
    arms: tuple[str, ...]
    arm: Integers
    arm_share: Floats
    stratum: Integers
    observed: Floats
    past_spend: Floats
    past_orders: Floats
    cost: Floats
    outcomes: dict[str, Floats]
    is_closed: bool
    margin_share: float | None
    segments: dict[str, tuple[tuple[str, ...], Integers]]

    @property
    def size(self) -> int:
        return int(self.arm.size)

    @property
    def treatments(self) -> tuple[str, ...]:
        """Arms that are sent something."""
        return tuple(arm for arm in self.arms if arm != NONE)

    def single_arms(self, scheme: str) -> npt.NDArray[np.bool_]:
        """(arms,) whether the arm is one treatment for everybody; what the scheme itself sends by segment is not."""
        own = self.experiment_id == uniform_experiment(scheme)
        return np.asarray([not (own and arm == BY_SEGMENT) for arm in self.arms])

    def known_segments(self, scheme: str) -> tuple[tuple[str, ...], Integers]:
        """Names and codes of the scheme without `unknown`: -1 where the scheme does not know the member."""
        names, codes = self.segments[scheme]
        if UNKNOWN not in names:
            return names, codes
        place = names.index(UNKNOWN)
        left = np.where(codes == place, -1, codes - (codes > place))
        return names[:place] + names[place + 1 :], np.asarray(left, dtype=np.int64)

    @property
    def has_holdout(self) -> bool:
        return NONE in self.arms

    def in_arm(self, treatment_id: str) -> npt.NDArray[np.bool_]:
        """(n,) whether the member is in the arm."""
        if treatment_id not in self.arms:
            return np.zeros(self.size, dtype=bool)
        return np.asarray(self.arm == self.arms.index(treatment_id))

    @cached_property
    def drawn_shares(self) -> tuple[Integers, Floats] | None:
        """(n,) place of the member's stratum, and (strata, arms) shares drawn in it, each stratum's summing to 1.

        None where a share is not stated, or where the shares of all arms do not sum to 1: then the ratio is not known.
        Shares may change in the course of an experiment: each day of assignment counts with its own.
        """
        if np.isnan(self.arm_share).any() or self.size == 0:
            return None
        days, day = np.unique(self.stratum, return_inverse=True)
        shape = (days.size, len(self.arms))
        cells = day * len(self.arms) + self.arm
        counts = np.bincount(cells, minlength=shape[0] * shape[1]).reshape(shape)
        sums = np.bincount(cells, weights=self.arm_share, minlength=shape[0] * shape[1]).reshape(shape)
        stated = sums / np.maximum(counts, 1)
        if len(self.arms) == 1:
            # The members that the share of the only arm leaves over should be in another one.
            return day, np.column_stack([stated, 1 - stated])
        overall = sums.sum(axis=0) / counts.sum(axis=0)
        # An arm that nobody is in has what the others leave over; of several such arms each its part of it.
        there = counts > 0
        rest = np.maximum(0.0, 1 - np.where(there, stated, 0.0).sum(axis=1, keepdims=True))
        missing = np.where(there, 0.0, overall)
        shares = np.where(there, stated, rest * missing / np.maximum(missing.sum(axis=1, keepdims=True), 1e-300))
        complete = (counts > 0).all(axis=1)
        total = (
            float(np.average(shares[complete].sum(axis=1), weights=counts[complete].sum(axis=1)))
            if (complete.any())
            else float(overall.sum())
        )
        if abs(total - 1) > SHARES_OFF:
            return None
        return day, np.asarray(shares / shares.sum(axis=1, keepdims=True))

    @cached_property
    def srm_p_value(self) -> float | None:
        """p of the arms' sizes against the drawn shares, over all arms: chi-squared when closed, else valid at any
        look."""
        if self.drawn_shares is None:
            return None
        day, shares = self.drawn_shares
        expected = shares[day].sum(axis=0)
        counts = np.bincount(self.arm, minlength=expected.size).astype(np.int64)
        if self.is_closed:
            return sample_ratio_p_value(counts, expected)
        return sequential_sample_ratio_p_value(counts, expected / expected.sum())

    @property
    def is_void(self) -> bool:
        return self.srm_p_value is not None and self.srm_p_value < SAMPLE_RATIO_ALARM

    @cached_property
    def values(self) -> Floats | None:
        """(n,) value of a member: spend x margin - cost of what the arm sent. None where no margin is known."""
        if self.margin_share is None:
            return None
        return np.asarray(self.outcomes["spend"] * self.margin_share - self.cost)

    @cached_property
    def propensities(self) -> Floats:
        """(n, arms) chance with which the member could be drawn into each arm; the arms' sizes where no share is
        stated.

        Stated shares are rounded; here those of all arms sum to 1.
        """
        sizes = np.bincount(self.arm, minlength=len(self.arms)) / self.size
        if self.drawn_shares is None:
            return np.tile(sizes, (self.size, 1))
        day, shares = self.drawn_shares
        # An arm that nobody of a stratum can be in gives no weight to anybody, and must not divide by 0.
        return np.maximum(shares[day][:, : len(self.arms)], 1e-6)


def read_experiments(con: duckdb.DuckDBPyConnection) -> list[Experiment]:
    """All experiments, by id."""
    margins = dict(con.execute("select as_of, margin_share from sales_margin").fetchall())
    now = margins[max(margins)] if margins else None
    table = con.execute(
        """
        select
            experiment_id, customer_id, treatment_id, arm_share,
            dense_rank() over (partition by experiment_id order by assigned_on, stratum) as stratum,
            observed_days / (select max(outcome_days) from refresh_settings) as observed,
            past_spend, cast(past_orders as double) as past_orders, cost, spend, cast(orders as double) as orders,
            closes_on, is_closed
        from experiment_members order by experiment_id, customer_id
        """
    ).to_arrow_table()
    segments = _segments(con, set(active_schemes(con)))
    experiments = []
    ids = table.column("experiment_id").combine_chunks().dictionary_encode()
    codes = np.asarray(ids.indices)
    for code, experiment_id in enumerate(ids.dictionary.to_pylist()):
        places = np.flatnonzero(codes == code)
        rows = table.slice(int(places[0]), places.size)
        experiments.append(_experiment(experiment_id, rows, margins, now, segments.get(experiment_id, {})))
    return experiments


def _experiment(
    experiment_id: str,
    rows: pa.Table,
    margins: dict[object, float | None],
    now: float | None,
    segments: dict[str, tuple[tuple[str, ...], Integers]],
) -> Experiment:
    treatments = rows.column("treatment_id").to_pylist()
    arms = tuple(sorted(set(treatments), key=lambda name: (name != NONE, name)))
    place = {name: i for i, name in enumerate(arms)}
    is_closed = bool(rows.column("is_closed")[0].as_py())
    closes_on = rows.column("closes_on")[0].as_py()

    def numbers(name: str) -> Floats:
        return np.asarray(rows.column(name).to_numpy(), dtype=np.float64)

    return Experiment(
        experiment_id,
        rows.column("customer_id").to_pylist(),
        arms,
        np.fromiter((place[name] for name in treatments), dtype=np.int64, count=len(treatments)),
        numbers("arm_share"),
        np.asarray(rows.column("stratum").to_numpy(), dtype=np.int64),
        numbers("observed"),
        numbers("past_spend"),
        numbers("past_orders"),
        numbers("cost"),
        {outcome: numbers(outcome) for outcome in OUTCOMES},
        is_closed,
        margins.get(closes_on, now) if is_closed else now,
        segments,
    )


def _segments(
    con: duckdb.DuckDBPyConnection, active: set[str]
) -> dict[str, dict[str, tuple[tuple[str, ...], Integers]]]:
    """experiment_id -> scheme -> (names in order, (n,) code of each member's segment or -1)."""
    found = con.execute(
        """
        with members as (
            select
                experiment_id, customer_id,
                row_number() over (partition by experiment_id order by customer_id) - 1 as place,
                count(*) over (partition by experiment_id) as size
            from experiment_members
        )
        select
            experiment_id, scheme, segment, any_value(size) as size,
            list(members.place order by members.place) as places
        from experiment_segments as segments
        inner join members using (experiment_id, customer_id)
        group by experiment_id, scheme, segment
        order by experiment_id, scheme, segment
        """
    ).to_arrow_table()
    keys = (found.column(name).to_pylist() for name in ("experiment_id", "scheme", "segment", "size"))
    names: dict[tuple[str, str], list[str]] = {}
    codes: dict[tuple[str, str], Integers] = {}
    for experiment_id, scheme, segment, size, places in zip(*keys, found.column("places"), strict=True):
        if scheme not in active:
            continue
        key = (experiment_id, scheme)
        inside = codes.setdefault(key, np.full(size, -1, dtype=np.int64))
        inside[places.values.to_numpy()] = len(names.setdefault(key, []))
        names[key].append(segment)
    groups: dict[str, dict[str, tuple[tuple[str, ...], Integers]]] = {}
    for (experiment_id, scheme), known in names.items():
        groups.setdefault(experiment_id, {})[scheme] = (tuple(known), codes[experiment_id, scheme])
    return groups
