"""SETTINGS and SEEDS_DIR: what users keep outside the checkout."""

from __future__ import annotations

import csv
import errno
import io
import json
import shlex
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orchestration.overrides import (
    completed_seed,
    describe,
    edited_schemes,
    former_names_used,
    mapped_vars,
    own_seeds,
    own_vars,
    prepare_seeds,
    shipped_vars,
    vars_arguments,
    with_edited_treatments,
    with_other_schemes,
)
from orchestration.settings import DEMO_MARKER, DEMO_SEEDS, SHIPPED_SEEDS, Settings, SettingsError, read_settings
from orchestration.warehouse.project import project_vars

SHIPPED = {
    "behaviour_window_days": 365,
    "history_grid": "month",
    "assume_consent": [],
    "order_scope": ["order_id", "customer_id"],
    "as_of": "",
    "dominant_share": 0.4,
}


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "settings.yml"
    path.write_text(text, encoding="utf-8")
    return path


def seeds_of(folder: Path, **files: str) -> Path:
    seeds = folder / "my seeds"
    seeds.mkdir()
    for name, text in files.items():
        (seeds / f"{name}.csv").write_text(text, encoding="utf-8")
    return seeds


@pytest.mark.parametrize(
    "text",
    ["behaviour_window_days: 730\n", "vars:\n  behaviour_window_days: 730\n", "\ufeffbehaviour_window_days: 730"],
)
def test_a_file_of_settings_gives_the_vars_that_it_names(tmp_path: Path, text: str) -> None:
    assert own_vars(settings_file(tmp_path, text), SHIPPED) == {"behaviour_window_days": 730}


def test_a_setting_by_its_former_name_is_read_and_said(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "# ours\nrfm_window_days: 730\n")
    assert own_vars(path, SHIPPED) == {"behaviour_window_days": 730}
    (said,) = former_names_used(read_settings({"SETTINGS": str(path)}))
    assert said.startswith(f"SETTINGS={path}: rfm_window_days is called behaviour_window_days now")
    with pytest.raises(SettingsError, match="rfm_window_days is the former name of behaviour_window_days"):
        own_vars(settings_file(tmp_path, "rfm_window_days: 730\nbehaviour_window_days: 365\n"), SHIPPED)


@pytest.mark.parametrize("text", ["order_id, customer_id, day", "[order_id, customer_id, day]"])
def test_a_list_may_be_words_with_commas_between_them(tmp_path: Path, text: str) -> None:
    found = own_vars(settings_file(tmp_path, f"order_scope: {text}\n"), SHIPPED)
    assert found == {"order_scope": ["order_id", "customer_id", "day"]}


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_an_empty_file_and_no_file_change_nothing(tmp_path: Path, text: str) -> None:
    assert own_vars(settings_file(tmp_path, text), SHIPPED) == {}
    assert own_vars(None, SHIPPED) == {}
    assert vars_arguments({}) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rfm_window_day: 730", "no setting rfm_window_day (did you mean behaviour_window_days?)"),
        ("behaviour_window_days: a year", "behaviour_window_days is a text; a number is needed"),
        ("behaviour_window_days: yes", "behaviour_window_days is yes or no; a number is needed"),
        ("assume_consent: 3", "assume_consent is a number; a list is needed"),
        ("a: [1", "not YAML"),
        ("as_of: 2026-02-30", "holds a date that there is not (day"),
        ("- behaviour_window_days", "a line for each setting"),
    ],
)
def test_what_no_setting_is_called_or_can_be_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsError, match=r"SETTINGS=.*settings.yml") as refused:
        own_vars(settings_file(tmp_path, text), SHIPPED)
    assert said in str(refused.value)


def test_a_whole_number_may_stand_for_a_share_and_any_value_for_what_is_off(tmp_path: Path) -> None:
    found = own_vars(settings_file(tmp_path, "dominant_share: 1\nas_of: 2026-01-01\n"), SHIPPED)
    assert found["dominant_share"] == 1
    assert '"as_of": "2026-01-01"' in vars_arguments(found)[1]


def test_python_reads_the_vars_that_hold(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "keep_versions: 9\n")
    settings = Settings(None, tmp_path, None, "UTC", "duckdb", settings_file=path)
    assert project_vars(settings)["keep_versions"] == 9
    assert project_vars(settings)["contact_cap"] == shipped_vars()["contact_cap"]


def test_a_seed_replaces_the_shipped_one_of_its_name_and_no_other(tmp_path: Path) -> None:
    seeds = seeds_of(tmp_path, channels="channel,label,description\npigeon,Pigeon,By air.\n")
    settings = Settings(tmp_path, tmp_path / "wh", None, "UTC", "duckdb", own_seeds_dir=seeds)
    prepare_seeds(settings)
    assert "pigeon" in (settings.seeds_dir / "channels.csv").read_text()
    others = {path.name for path in SHIPPED_SEEDS.iterdir() if path.suffix in (".csv", ".yml")} - {"channels.csv"}
    for name in others:
        assert (settings.seeds_dir / name).read_bytes() == (SHIPPED_SEEDS / name).read_bytes()
    (seeds / "channels.csv").unlink()
    (settings.seeds_dir / "left_over.csv").write_text("x\n")
    prepare_seeds(settings)
    assert (settings.seeds_dir / "channels.csv").read_bytes() == (SHIPPED_SEEDS / "channels.csv").read_bytes()
    assert not (settings.seeds_dir / "left_over.csv").exists()


def test_without_seeds_of_ones_own_the_shipped_folder_is_read(tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path / "wh", None, "UTC", "duckdb")
    prepare_seeds(settings)
    assert settings.seeds_path == "seeds"
    assert not (tmp_path / "wh").exists()


def seed_in(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_demo_brings_the_seeds_of_its_trade_and_seeds_dir_goes_before_them(tmp_path: Path) -> None:
    demo = DEMO_SEEDS["retail"]
    settings = Settings(None, tmp_path / "wh", None, "UTC", "duckdb")
    prepare_seeds(settings)
    assert (settings.seeds_dir / "treatments.csv").read_bytes() == (demo / "treatments.csv").read_bytes()
    assert (settings.seeds_dir / "spellings.csv").read_bytes() == (SHIPPED_SEEDS / "spellings.csv").read_bytes()
    assert f"treatments.csv  from {demo / 'treatments.csv'}" in describe(settings)
    own = seeds_of(tmp_path, reviewed_treatments="reviewed_by,reviewed_on\nAda,2026-01-01\n")
    prepare_seeds(settings := replace(settings, own_seeds_dir=own))
    assert seed_in(settings.seeds_dir, "reviewed_treatments") == [{"reviewed_by": "Ada", "reviewed_on": "2026-01-01"}]
    assert (settings.seeds_dir / "treatments.csv").read_bytes() == (demo / "treatments.csv").read_bytes()


def test_nobody_has_read_the_shipped_treatments_and_nothing_sold_has_a_meaning() -> None:
    assert seed_in(SHIPPED_SEEDS, "reviewed_treatments") == seed_in(SHIPPED_SEEDS, "category_meanings") == []


def test_what_is_noted_of_the_shipped_treatments_is_true() -> None:
    """After a change of seeds/treatments.csv that ships: `python -m orchestration settings shipped`."""
    assert edited_schemes((SHIPPED_SEEDS / "treatments.csv").read_text(encoding="utf-8")) == set()


def test_treatments_of_a_scheme_that_was_edited_in_the_checkout_go_before_the_demos(tmp_path: Path) -> None:
    shipped = (SHIPPED_SEEDS / "treatments.csv").read_text(encoding="utf-8")
    demo = (DEMO_SEEDS["retail"] / "treatments.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(io.StringIO(shipped)))
    header, *lines = shipped.splitlines(keepends=True)
    assert edited_schemes(header + "".join(reversed(lines)).replace("\n", "\r\n")) == set()
    rows[0]["message"] = rows[1]["message"]
    sink = io.StringIO()
    writer = csv.DictWriter(sink, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    assert rows[0]["scheme"] == "rfm" and edited_schemes(sink.getvalue()) == {"rfm"}
    held = list(csv.DictReader(io.StringIO(with_edited_treatments(demo, sink.getvalue(), {"rfm"}))))
    assert [row for row in held if row["scheme"] == "rfm"] == [row for row in rows if row["scheme"] == "rfm"]
    others = [row for row in csv.DictReader(io.StringIO(demo)) if row["scheme"] != "rfm"]
    assert [row for row in held if row["scheme"] != "rfm"] == others
    # A scheme without any row has none in the demo either; a torn file is read as it is, and refused for that.
    gone = header + "".join(line for line in lines if not line.startswith("rfm_"))
    assert "rfm" in edited_schemes(gone) and "rfm_" not in with_edited_treatments(demo, gone, edited_schemes(gone))
    torn = shipped + "one,rfm\n"
    assert with_edited_treatments(demo, torn, edited_schemes(torn)) == torn


def test_a_scheme_that_is_added_to_the_checkout_is_there_in_the_demo_too() -> None:
    shipped = 'scheme,segment,label\nrfm,best,Best\nnew,a,"A, or so"\n'
    assert with_other_schemes("scheme,segment,label\nrfm,top,Top\n", shipped) == (
        'scheme,segment,label\nrfm,top,Top\nnew,a,"A, or so"\n'
    )
    assert with_other_schemes("category,job\nTEA,wake\n", "category,job\n") == "category,job\nTEA,wake\n"


def test_a_file_that_replaces_no_seed_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"treatment.csv replaces no seed \(did you mean treatments.csv\?\)"):
        own_seeds(seeds_of(tmp_path, treatment="a\n1\n"))


def test_columns_that_are_missing_or_unknown_are_named(tmp_path: Path) -> None:
    shipped = SHIPPED_SEEDS / "channels.csv"
    lacking = tmp_path / "lacking.csv"
    lacking.write_text("channel,label\nweb,Web\n")
    with pytest.raises(SettingsError, match=r"column description is missing; the shipped channels.csv has it"):
        completed_seed(lacking, shipped)
    unknown = tmp_path / "unknown.csv"
    unknown.write_text("channel,labels,description\nweb,Web,Web\n")
    with pytest.raises(SettingsError, match=r"no column labels \(did you mean label\?\)"):
        completed_seed(unknown, shipped)


def test_a_column_that_may_be_empty_may_be_left_out(tmp_path: Path) -> None:
    shipped = tmp_path / "shipped.csv"
    shipped.write_text("name,note\na,\nb,said\n")
    own = tmp_path / "own.csv"
    own.write_text('name\n"c, d"\n')
    assert list(csv.DictReader(io.StringIO(completed_seed(own, shipped)))) == [{"name": "c, d", "note": ""}]


def test_what_holds_is_said_with_where_it_comes_from(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "contact_cap: 2\n")
    seeds = seeds_of(tmp_path, channels="channel,label,description\nweb,Web,Web.\n")
    settings = Settings(tmp_path, tmp_path / "wh", None, "UTC", "duckdb", path, seeds)
    text = describe(settings)
    (line,) = [line for line in text.splitlines() if line.strip().startswith("contact_cap ")]
    assert line.split() == ["contact_cap", "2", "from", str(path), "(shipped:", "4)"]
    assert f"channels.csv  from {seeds / 'channels.csv'}" in text
    assert "--vars '{\"contact_cap\": 2}'" in text


def test_what_a_variable_says_is_said_to_hold_by_it(tmp_path: Path) -> None:
    def said(environ: dict[str, str]) -> dict[str, str]:
        environ = {"WAREHOUSE_DIR": str(tmp_path / "wh"), **environ}
        text = describe(read_settings(environ), environ=environ)
        pairs = (line.split(maxsplit=1) for line in text.splitlines() if line.startswith("  "))
        names = ("as_of", "store_timezone", "reporting_currency", "memory_limit")
        return {name: value for name, value in pairs if name in names}

    assert said({}) == {
        "as_of": '""  from dbt_project.yml',
        "store_timezone": '"America/New_York"  from the demo',
        "reporting_currency": '""  from dbt_project.yml',
        "memory_limit": '"60%"  from dbt_project.yml',
    }
    variables = {"AS_OF": "2026-11-01", "STORE_TIMEZONE": "Europe/Berlin", "REPORTING_CURRENCY": "eur"}
    assert said({**variables, "MEMORY_LIMIT": "8GB"}) == {
        "as_of": '"2026-11-01"  from the environment variable AS_OF',
        "store_timezone": '"Europe/Berlin"  from the environment variable STORE_TIMEZONE',
        "reporting_currency": '"EUR"  from the environment variable REPORTING_CURRENCY',
        "memory_limit": '"8GB"  from the environment variable MEMORY_LIMIT',
    }
    assert said({"LANDING_DIR": str(tmp_path)})["store_timezone"] == '"UTC"  from the default'
    path = settings_file(tmp_path, "as_of: 2026-11-01\nmemory_limit: 40%\n")
    # The same in both is no contradiction; of the memory, the variable goes first.
    found = said({"SETTINGS": str(path), "AS_OF": "2026-11-01", "MEMORY_LIMIT": "8GB"})
    assert found["as_of"] == f'"2026-11-01"  from {path} (shipped: "")'
    assert found["memory_limit"] == '"8GB"  from the environment variable MEMORY_LIMIT'
    assert said({"SETTINGS": str(path)})["memory_limit"] == f'"40%"  from {path} (shipped: "60%")'


def test_dbt_by_hand_is_told_in_words_that_a_shell_takes(tmp_path: Path) -> None:
    path = settings_file(tmp_path, 'evidence_sentence: "You\'ve bought {item}"\n')
    settings = Settings(
        tmp_path, tmp_path / "my wh", None, "UTC", "duckdb", path, seeds_dir_aside=tmp_path / "my seeds"
    )
    line = describe(settings).splitlines()[-1]
    seeds, *words = shlex.split(line)
    assert seeds == f"SEEDS_PATH={settings.seeds_path}"
    assert words[-2] == "--vars" and json.loads(words[-1]) == {"evidence_sentence": "You've bought {item}"}


@pytest.mark.parametrize("name", ["SETTINGS", "MAPPING"])
def test_dbt_by_hand_is_told_also_where_a_file_says_nothing(tmp_path: Path, name: str) -> None:
    zone = {} if name == "MAPPING" else {"LANDING_DIR": str(tmp_path)}
    environ = {**zone, name: own_files(tmp_path, "", "")[name]}
    assert "  SEEDS_PATH=seeds dbt build" in describe(read_settings(environ), environ=environ)
    assert "SEEDS_PATH=" not in describe(read_settings({"LANDING_DIR": str(tmp_path)}), environ={})


def test_the_environment_names_both_and_a_missing_one_is_refused(tmp_path: Path) -> None:
    path, seeds = settings_file(tmp_path, ""), seeds_of(tmp_path)
    settings = read_settings({"SETTINGS": str(path), "SEEDS_DIR": str(seeds)})
    assert (settings.settings_file, settings.own_seeds_dir) == (path, seeds)
    with pytest.raises(SettingsError, match=r"SETTINGS=.*nowhere.yml: no such file"):
        read_settings({"SETTINGS": str(tmp_path / "nowhere.yml")})
    with pytest.raises(SettingsError, match=r"SEEDS_DIR=.*nowhere: no such folder"):
        read_settings({"SEEDS_DIR": str(tmp_path / "nowhere")})


@pytest.mark.parametrize(
    ("variable", "name"),
    [
        ("SEEDS_DIR", "seeds"),
        ("SEEDS_DIR", "seeds_by_hand"),
        ("SEEDS_DIR", "mapped"),
        ("LANDING_DIR", "landed"),
        ("LANDING_DIR", "landed/order_lines"),
        ("LANDING_DIR", "build"),
        ("LANDING_DIR", "demo/mine"),
        ("LANDING_DIR", "mapped/mine"),
    ],
)
def test_a_folder_that_a_refresh_clears_is_no_place_for_a_users_files(tmp_path: Path, variable: str, name: str) -> None:
    (tmp_path / name).mkdir(parents=True)
    with pytest.raises(SettingsError, match=rf"^{variable}=.*: {tmp_path}/{name.split('/')[0]} is a folder of WAREH"):
        read_settings({"WAREHOUSE_DIR": str(tmp_path), variable: str(tmp_path / name)})
    assert read_settings({"WAREHOUSE_DIR": str(tmp_path / "wh"), variable: str(tmp_path / name)})


@pytest.mark.parametrize("variable", ["SETTINGS", "MAPPING"])
def test_nor_of_a_file_that_a_user_names(tmp_path: Path, variable: str) -> None:
    (tmp_path / "wh" / "seeds").mkdir(parents=True)
    path = tmp_path / "wh" / "seeds" / "own.yml"
    path.write_text("{}\n")
    with pytest.raises(SettingsError, match=rf"^{variable}=.*own.yml: {tmp_path}/wh/seeds is a folder of WAREH"):
        read_settings({"WAREHOUSE_DIR": str(tmp_path / "wh"), variable: str(path)})


@pytest.mark.parametrize("name", ["demo/export", "mapped/export", "mapped"])
def test_nor_of_the_export_that_a_mapping_reads(tmp_path: Path, name: str) -> None:
    (tmp_path / "wh" / name).mkdir(parents=True)
    path = tmp_path / "mapping.yml"
    path.write_text(f"from: wh/{name}\ntables: {{}}\n")
    with pytest.raises(SettingsError, match=rf"^MAPPING={path}, from=.*{name}: .* is a folder of WAREHOUSE_DIR"):
        read_settings({"WAREHOUSE_DIR": str(tmp_path / "wh"), "MAPPING": str(path)})
    assert read_settings({"WAREHOUSE_DIR": str(tmp_path / "far"), "MAPPING": str(path)}).mapping_file == path


def test_a_users_files_in_the_demos_folder_are_not_taken_for_the_demo(tmp_path: Path) -> None:
    (tmp_path / "demo" / "order_lines").mkdir(parents=True)
    there = {"WAREHOUSE_DIR": str(tmp_path), "LANDING_DIR": str(tmp_path / "demo")}
    with pytest.raises(SettingsError, match=rf"^LANDING_DIR=.*: {tmp_path}/demo is a folder of WAREHOUSE_DIR"):
        read_settings(there)
    (tmp_path / "demo" / DEMO_MARKER).write_text("1 0.0")
    assert read_settings(there).landing_dir == tmp_path / "demo"


def test_such_a_folder_is_known_behind_a_link(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "wh").mkdir()
    (tmp_path / "wh" / "landed").symlink_to(tmp_path / "far")
    with pytest.raises(SettingsError, match="is a folder of WAREHOUSE_DIR"):
        read_settings({"WAREHOUSE_DIR": str(tmp_path / "wh"), "LANDING_DIR": str(tmp_path / "far")})


@pytest.mark.parametrize("name", ["demo", "mapped", "landing", "my-seeds"])
def test_what_a_refresh_hands_its_children_and_folders_of_another_name_may_lie_there(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    settings = read_settings({"WAREHOUSE_DIR": str(tmp_path), "LANDING_DIR": str(tmp_path / name)})
    assert read_settings(settings.environment()).landing_dir == tmp_path / name


@pytest.mark.parametrize("name", ["shop [1]", "shop*", "shop?", "a/{shop}/b", "shop]"])
def test_a_warehouse_folder_whose_path_would_be_a_pattern_is_refused_by_the_sign(tmp_path: Path, name: str) -> None:
    sign = next(sign for sign in "[]*?{}" if sign in name)
    with pytest.raises(SettingsError) as error:
        read_settings({"WAREHOUSE_DIR": str(tmp_path / name)})
    assert str(error.value).startswith(f"WAREHOUSE_DIR={tmp_path / name}: the path has a {sign}, which")


@pytest.mark.parametrize("name", ["my shop", "магазин", "l'été (1), 50 %"])
def test_a_warehouse_folder_of_any_other_name_is_taken(tmp_path: Path, name: str) -> None:
    assert read_settings({"WAREHOUSE_DIR": str(tmp_path / name)}).warehouse_dir == tmp_path / name


@pytest.mark.parametrize("variable", ["LANDING_DIR", "SETTINGS", "MAPPING", "SEEDS_DIR"])
def test_a_place_where_this_user_may_not_look_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    place = tmp_path / "closed" / "place"

    def refusing(kind: Callable[[Path], bool]) -> Callable[[Path], bool]:
        def asked(path: Path) -> bool:
            if path == place:
                raise PermissionError(errno.EACCES, "Permission denied", str(path))
            return kind(path)

        return asked

    for name in ("is_dir", "is_file"):
        monkeypatch.setattr(Path, name, refusing(getattr(Path, name)))
    with pytest.raises(SettingsError, match=rf"^{variable}={place}: cannot be looked at \(Permission denied\)$"):
        read_settings({"WAREHOUSE_DIR": str(tmp_path / "wh"), variable: str(place)})


def test_a_mapping_that_this_user_may_not_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> str:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(SettingsError, match=rf"^MAPPING={tmp_path}/m.yml: cannot be read \(Permission denied\)$"):
        mapped_vars(tmp_path / "m.yml", SHIPPED)


def test_a_folder_of_seeds_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_: Path) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "iterdir", refused)
    with pytest.raises(SettingsError, match=rf"^SEEDS_DIR={tmp_path}: cannot be listed \(Permission denied\)$"):
        own_seeds(tmp_path)


# ---- what a variable and a setting both say -------------------------------------------------------------------------

ALSO = [
    ("AS_OF", "as_of", "2026-01-31", "2026-02-01"),
    ("STORE_TIMEZONE", "store_timezone", "Europe/Berlin", "UTC"),
    ("REPORTING_CURRENCY", "reporting_currency", "EUR", "USD"),
]


def own_files(folder: Path, of_settings: str, of_mapping: str) -> dict[str, str]:
    """SETTINGS and MAPPING, with a line each."""
    (folder / "mapping.yml").write_text(f"from: .\nsettings: {{{of_mapping}}}\ntables: {{}}\n", encoding="utf-8")
    return {"SETTINGS": str(settings_file(folder, of_settings)), "MAPPING": str(folder / "mapping.yml")}


@pytest.mark.parametrize(("variable", "name", "one", "other"), ALSO)
def test_what_a_setting_alone_says_is_the_environments_too(
    tmp_path: Path, variable: str, name: str, one: str, other: str
) -> None:
    for says in (
        (f"{name}: {one}", f"{name}: {other}"),
        (f"vars: {{{name}: {one}}}", ""),
        ("", f"{name}: {one}"),
    ):
        files = own_files(tmp_path, *says)
        assert read_settings(files).environment()[variable] == one
        # The same in both is no contradiction; dbt's children are told so.
        assert read_settings({**files, variable: one}).environment()[variable] == one
    files = own_files(tmp_path, f"{name}: ''", f"{name}: {other}")
    assert read_settings({**files, variable: one}).environment()[variable] == one


@pytest.mark.parametrize(("variable", "name", "one", "other"), ALSO)
def test_a_variable_and_a_setting_that_differ_are_both_named(
    tmp_path: Path, variable: str, name: str, one: str, other: str
) -> None:
    for says, place in (
        ((f"{name}: {other}", ""), f"SETTINGS={tmp_path / 'settings.yml'}"),
        (("", f"{name}: {other}"), f"MAPPING={tmp_path / 'mapping.yml'}"),
    ):
        files = own_files(tmp_path, *says)
        with pytest.raises(SettingsError) as refused:
            read_settings({**files, variable: one})
        assert str(refused.value).startswith(f"{variable}={one}, and {place}, {name}: {other}: these are two")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("as_of: 31.01.2026", "as_of: 31.01.2026: not an ISO date"),
        ("as_of: 20260131", "as_of: 20260131: not an ISO date"),
        ("store_timezone: Berlin", "store_timezone: Berlin: not a time zone"),
        ("reporting_currency: euros", "reporting_currency: euros: not the three letters"),
    ],
)
def test_such_a_setting_is_judged_as_the_variable_is(tmp_path: Path, text: str, said: str) -> None:
    path = settings_file(tmp_path, text)
    with pytest.raises(SettingsError) as refused:
        read_settings({"SETTINGS": str(path)})
    assert str(refused.value).startswith(f"SETTINGS={path}, {said}")


def test_a_file_of_settings_that_cannot_be_read_is_said_where_it_is_obeyed(tmp_path: Path) -> None:
    for text in ("a: [1", "- as_of", "as_of: 2026-02-30"):
        settings = read_settings({"SETTINGS": str(settings_file(tmp_path, text))})
        with pytest.raises(SettingsError, match=r"SETTINGS=.*settings.yml"):
            project_vars(settings)


# ---- beside a refresh that runs -------------------------------------------------------------------------------------


def test_what_is_called_while_a_refresh_runs_leaves_its_seeds_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import fcntl

    from orchestration import overrides, refresh
    from orchestration.meanings import commands as meanings
    from orchestration.treatments import commands as check
    from orchestration.treatments import desk

    seeds = seeds_of(tmp_path, channels="channel,label,description\nweb,Web,Web.\n")
    for name in ("AS_OF", "SETTINGS", "MAPPING", "ALERT_WEBHOOK_URL", "DBT_TARGET", "PUBLISH_POSTGRES_DSN", "FROM"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "zone").mkdir()
    for name, value in {"LANDING_DIR": "zone", "WAREHOUSE_DIR": "wh", "SEEDS_DIR": seeds.name}.items():
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setenv("FILE", str(tmp_path / "out.xlsx"))
    monkeypatch.setattr(refresh.disk, "check_room", lambda *_: None)
    settings = read_settings()
    prepare_seeds(settings)
    kept = settings.seeds_dir / "channels.csv"
    before = kept.read_bytes()
    shipped = (SHIPPED_SEEDS / "channels.csv").read_text(encoding="utf-8")
    (seeds / "channels.csv").write_text(shipped + "pigeon,Pigeon,Pigeon.\n", encoding="utf-8")
    with settings.lock_file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert refresh.main() == refresh.IN_USE
        assert check.main() == 1 and "nothing is published" in capsys.readouterr().err
        assert meanings.main() == 1
        assert desk.main() == 0 and (tmp_path / "out.xlsx").is_file()
        assert overrides.main([]) == 0
        assert kept.read_bytes() == before
    by_hand = settings.warehouse_dir / overrides.SEEDS_BY_HAND
    assert "pigeon" in (by_hand / "channels.csv").read_text() and by_hand.name in capsys.readouterr().out
    # With the lock, a refresh takes what holds now; what cannot be used is said as before.
    monkeypatch.setattr(refresh, "run", lambda *_, **__: refresh.PUBLISHED)
    assert refresh.main() == refresh.PUBLISHED
    assert b"pigeon" in kept.read_bytes()
    (seeds / "channels.csv").write_text("chanel\nweb\n")
    assert refresh.main() == refresh.BAD_ENVIRONMENT
    assert "there is no column chanel" in capsys.readouterr().err
