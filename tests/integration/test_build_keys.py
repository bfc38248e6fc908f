"""Build keys: which kept tables a change of the project concerns, and what a run does with a table of another key.

The oracle is dbt's manifest: what is made from what, and which macros call which, as dbt itself has found.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from orchestration.settings import ALREADY_LANDED
from tests.support import growing_zone, project

pytestmark = pytest.mark.slow

OWN = "segments_in_use"
SOURCES = "models/staging/_landing__sources.yml"


@dataclass(frozen=True)
class Edit:
    """In the file at `path`, `old` becomes `new`; without `old`, `new` comes after what is there, if any."""

    path: str
    new: str
    old: str = ""


@dataclass(frozen=True)
class Copy:
    """A copy of the dbt project that a test may edit. dbt parses what has been edited, and remembers the rest."""

    folder: Path

    def keys(self, *arguments: str, **variables: str) -> dict[str, str]:
        """The build key of each kept table, by its name."""
        keys: dict[str, str] = self.ask("build_keys()", *arguments, **variables)
        return {name: keys[unique_id] for unique_id, name in kept_tables(self.manifest()).items()}

    def ask(self, expression: str, *arguments: str, before: str = "", **variables: str) -> Any:
        """What a Jinja expression is, as JSON, after the statements `before`."""
        warehouse = self.folder.parent / "warehouse"
        (warehouse / "build").mkdir(parents=True, exist_ok=True)
        question = "{% if execute %}" + before + "{{ tojson(" + expression + ") }}{% endif %}"
        done = subprocess.run(
            [sys.executable, "-m", "dbt.cli.main", "--quiet", "compile", "--inline", question, *arguments],
            cwd=self.folder,
            env={
                **project.environment(warehouse, self.folder.parent / "target", variables),
                "SEEDS_DIR": "",
                "SEEDS_PATH": "",
                "DBT_PROJECT_DIR": str(self.folder),
                "DBT_PROFILES_DIR": str(self.folder / "profiles"),
                "PYTHONPATH": str(project.ROOT),
                ALREADY_LANDED: "1",
            },
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def manifest(self) -> dict[str, Any]:
        """As of the last question."""
        path = self.folder.parent / "target" / "manifest.json"
        return dict(json.loads(path.read_text(encoding="utf-8")))

    @contextmanager
    def edited(self, *edits: Edit) -> Iterator[None]:
        saved = {}
        try:
            for edit in edits:
                path = self.folder / edit.path
                text = path.read_text(encoding="utf-8") if path.is_file() else None
                saved.setdefault(path, text)
                if edit.old:
                    assert text is not None and text.count(edit.old) == 1, edit
                    path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
                else:
                    path.write_text((text or "") + edit.new, encoding="utf-8")
            yield
        finally:
            for path, text in saved.items():
                if text is None:
                    path.unlink()
                else:
                    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    folder = tmp_path_factory.mktemp("keys") / "project"
    for name in ("macros", "models", "seeds", "profiles", "tests/dbt"):
        shutil.copytree(project.ROOT / name, folder / name)
    shutil.copy(project.ROOT / "dbt_project.yml", folder)
    return Copy(folder)


@pytest.fixture(scope="module")
def before(copy: Copy) -> dict[str, str]:
    return copy.keys()


def kept_tables(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Unique id to name."""
    return {
        unique_id: node["name"]
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["config"]["materialized"] == "kept"
    }


def made_from(manifest: Mapping[str, Any], *names: str) -> set[str]:
    """Names of the kept tables that are one of these models, seeds and sources, or are made from one."""
    kinds = ("model", "seed", "source")
    waiting = [each for each in manifest["child_map"] if each.split(".")[0] in kinds and each.split(".")[-1] in names]
    assert {each.split(".")[-1] for each in waiting} == set(names)
    found: set[str] = set()
    while waiting:
        unique_id = waiting.pop()
        found.add(unique_id)
        waiting += [child for child in manifest["child_map"].get(unique_id, []) if child not in found]
    return {name for unique_id, name in kept_tables(manifest).items() if unique_id in found}


def concerned(copy: Copy, before: Mapping[str, str], *edits: Edit, arguments: tuple[str, ...] = ()) -> set[str]:
    """The kept tables whose key an edit, or some edits together, change."""
    with copy.edited(*edits):
        after = copy.keys(*arguments)
    return {name for name, key in before.items() if after.get(name) != key}


# ---- what a key covers ----------------------------------------------------------------------------------------------


def test_keys_repeat_and_each_table_has_its_own(copy: Copy, before: dict[str, str], tmp_path: Path) -> None:
    """Wherever the warehouse is."""
    (tmp_path / "build").mkdir()
    assert copy.keys(WAREHOUSE_DIR=str(tmp_path)) == before
    assert len(before) > 25 and len(set(before.values())) == len(before)


def test_what_no_kept_table_is_made_of_concerns_none(copy: Copy, before: dict[str, str]) -> None:
    edits = [
        Edit("dbt_project.yml", 'as_of: "2026-01-31"', old='as_of: ""'),
        Edit("dbt_project.yml", "history_grid: week", old="history_grid: month"),
        Edit("dbt_project.yml", "contact_cap: 5", old="contact_cap: 4"),
        Edit("dbt_project.yml", "# 365: one year", old="# 365: a year"),
        Edit("seeds/treatments.csv", "You hear of it first", old="You hear of everything first"),
        Edit("seeds/personas.csv", "Late fifties", old="Early fifties"),
        Edit("models/marts/segments/segments.sql", "\n-- said otherwise\n"),
        Edit("macros/engine/hashing.sql", "\n{# said otherwise #}\n"),
        Edit("macros/new.sql", "{% macro new() %}{% endmacro %}"),
        Edit("macros/engine/dates.sql", "spark__iso_weekday(day, more='')", old="spark__iso_weekday(day)"),
    ]
    assert concerned(copy, before, *edits) == set()


def test_a_rule_concerns_its_scheme_and_the_memberships(copy: Copy, before: dict[str, str]) -> None:
    """A row of a seed, a var, the select of a scheme, and a scheme that is new."""
    text = (copy.folder / "models/marts/segments/schemes/gender.sql").read_text(encoding="utf-8")
    new = text.replace("scheme__gender(", "scheme__gender_again(").replace("ref('gender')", "ref('gender_again')")
    edits = [
        Edit("seeds/rfm_grid.csv", "1,1,any,at_risk", old="1,1,any,hibernating"),
        Edit("dbt_project.yml", "interest_min_baskets: 4", old="interest_min_baskets: 3"),
        Edit("models/marts/segments/schemes/gender.sql", "\n-- said otherwise\n"),
        Edit("models/marts/segments/schemes/gender_again.sql", new),
    ]
    found = concerned(copy, before, *edits, arguments=("--no-partial-parse",))
    assert found == {"rfm", "category_interest", "gender", "int_memberships", "int_membership_moves"}


def test_a_var_of_a_macro_concerns_all_that_call_it(copy: Copy, before: dict[str, str]) -> None:
    """Given on the command line, where it goes before that of the project."""
    found = concerned(copy, before, arguments=("--vars", "{sequence_days: 29, as_of: '2026-01-31'}"))
    assert found == {"int_sequence_bits", "int_past_sequences"}


def test_a_file_concerns_all_that_is_made_from_it(copy: Copy, before: dict[str, str]) -> None:
    edits = [
        Edit("seeds/occasion_rules.csv", "stock_up,21,", old="stock_up,20,"),
        Edit("models/intermediate/profiles/int_profiles.sql", "\n-- said otherwise\n"),
    ]
    found = concerned(copy, before, *edits)
    assert found == made_from(copy.manifest(), "occasion_rules", "int_profiles")
    assert {"occasion", "age_band"} <= found and not {"rfm", "int_baskets"} & found


def test_a_row_of_a_seed_that_dbt_finds_too_large_to_hash_concerns_what_is_made_from_it(copy: Copy) -> None:
    """Beyond 1 MiB, dbt's own checksum of a seed is its path."""
    large = Edit("seeds/occasion_rules.csv", '900,any,1,,1,7,0,23,"A row like many others"\n' * 30_000)
    with copy.edited(large):
        before = copy.keys()
        found = concerned(copy, before, Edit(large.path, "stock_up,21,", old="stock_up,20,"))
    assert found == made_from(copy.manifest(), "occasion_rules")


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(
            Edit(
                "macros/engine/landing_rows.sql", "duckdb__row_hash(columns, more='')", old="duckdb__row_hash(columns)"
            ),
            id="a macro of this engine",
        ),
        pytest.param(Edit("dbt_project.yml", "+tags: [sources]", old="+tags: [staging]"), id="a configuration"),
    ],
)
def test_what_lies_at_the_bottom_concerns_all_that_is_made_of_orders(
    copy: Copy, before: dict[str, str], edit: Edit
) -> None:
    assert concerned(copy, before, edit) >= made_from(copy.manifest(), "base_order_lines")


def test_a_column_of_the_landing_zone_concerns_what_is_made_of_its_table(copy: Copy, before: dict[str, str]) -> None:
    column = 'description: "{}"\n            data_type: varchar\n            config: {{ meta: {{ type: {} }} }}'.format
    described = "Local date of registration."
    edit = Edit(SOURCES, column(described, "text"), old=column(described, "date"))
    found = concerned(copy, before, edit)
    assert found == made_from(copy.manifest(), "customers") and "base_order_lines" not in found


def test_the_time_zone_concerns_all(copy: Copy, before: dict[str, str]) -> None:
    after = copy.keys(STORE_TIMEZONE="Europe/Berlin")
    assert {name for name in before if before[name] != after[name]} == set(before)


def test_all_macros_that_dbt_knows_to_be_called_are_covered(copy: Copy) -> None:
    """dbt notes which macros a model called while it was parsed, and which ones each of those calls."""
    reached = copy.ask(
        "found",
        before="""
            {%- set macros = own_macros() -%}{%- set found = {} -%}
            {%- for id, node in graph.nodes.items() if node.resource_type == 'model' -%}
                {%- do found.update({id: macros_reached(node.raw_code, macros)}) -%}
            {%- endfor -%}
        """,
    )
    manifest = copy.manifest()
    missing = {
        (unique_id, macro)
        for unique_id, names in reached.items()
        for macro in macros_called(manifest, unique_id)
        if macro.split(".")[1] == OWN and macro.split(".")[2] not in names
    }
    # Those of the other engine decide nothing here.
    assert {pair for pair in missing if not pair[1].split(".")[2].startswith("spark__")} == set()
    assert sum(map(len, reached.values())) > 500


def macros_called(manifest: Mapping[str, Any], unique_id: str) -> set[str]:
    """Unique ids of the macros that a node calls, or that those call, and so on."""
    waiting, found = list(manifest["nodes"][unique_id]["depends_on"]["macros"]), set()
    while waiting:
        macro = waiting.pop()
        if macro not in found:
            found.add(macro)
            waiting += manifest["macros"][macro]["depends_on"]["macros"]
    return found


def test_only_the_model_of_the_dates_reads_what_no_key_covers(copy: Copy) -> None:
    reads = re.compile(r"as_of_setting|history_grid'|reads_demo|env_var\(")
    manifest = copy.manifest()
    readers = {
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and reads.search(node["raw_code"]) and made_from(manifest, node["name"])
    }
    assert readers == {"int_as_of_dates"}


def test_another_test_of_a_table_makes_what_has_passed_untested(copy: Copy) -> None:
    """And so does another text of one of the project's own tests; the rows stay."""
    question = "[tested_key('int_memberships'), tested_key('int_rfm_scores'), tested_key('int_profiles')]"
    before = copy.ask(question)
    profiles = "What each member says of themselves, in the words of the rules, as of each date."
    columns = "    columns: [{ name: kind, data_tests: [not_null: { config: { where: untested } }] }]\n"
    edits = [
        Edit("macros/tests/memberships.sql", "members_complete(model, more='')", old="members_complete(model)"),
        Edit("models/intermediate/profiles/int_profiles.yml", f'{profiles}"\n{columns}', old=f'{profiles}"\n'),
    ]
    with copy.edited(*edits):
        after = copy.ask(question)
    assert [key != other for key, other in zip(after, before, strict=True)] == [True, False, True]


# ---- what a run does with them --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def landing_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return growing_zone.write_zone(tmp_path_factory.mktemp("zone"), growing_zone.Zone(customers=6, days=40))


def test_a_table_made_from_another_one_of_an_older_key_is_made_again(landing_dir: Path, tmp_path: Path) -> None:
    """spend_structure is kept, and reads sums that are not: first of a year, then of a week."""
    chain = ("--select", "+spend_structure", "--exclude-resource-type", "test", "unit_test")
    week = ("--vars", "{behaviour_window_days: 7}")

    def run(*arguments: str) -> project.Build:
        return project.dbt(
            ["build", *arguments], tmp_path / "warehouse", tmp_path / "target", LANDING_DIR=str(landing_dir)
        )

    built = run(*chain)
    a_year = built.contents("spend_structure")
    # By itself it finds the sums of a year, and says what they say.
    run("--select", "spend_structure", *week)
    assert "model.segments_in_use.spend_structure" not in noted(built)
    run("--select", "int_customer_categories", "--exclude-resource-type", "test", "unit_test", *week)
    assert "model.segments_in_use.spend_structure" not in noted(built)
    run(*chain, *week)
    a_week = built.contents("spend_structure")
    assert a_week != a_year
    fresh = project.dbt(["build", *chain, *week], tmp_path / "fresh", tmp_path / "target", LANDING_DIR=str(landing_dir))
    assert fresh.contents("spend_structure") == a_week
    assert noted(fresh) == noted(built)


def noted(built: project.Build) -> dict[str, str]:
    return built.mapping("select table_name, build_key from build_keys")
