"""Forgetting, on hand-made folders: what goes, what must stay, and that the search finds what was missed."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from markupsafe import escape

from orchestration.audiences.commands import main
from orchestration.audiences.forget import forget, ids_of, search, search_export, search_landing
from orchestration.landing.forgotten import keep_out, read_list, remember_to_forget
from orchestration.landing.formats import LandingFormats
from orchestration.landing.land import Reading, land
from orchestration.landing.prepare import prepare
from orchestration.settings import PROJECT_DIR, Settings, read_settings
from orchestration.storage.lock import LockHeld

LONG = "person-0815-long"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    (tmp_path / "landing").mkdir()
    return read_settings({"WAREHOUSE_DIR": str(tmp_path / "warehouse"), "LANDING_DIR": str(tmp_path / "landing")})


def parquet(path: Path, select: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        con.execute(f"copy ({select}) to '{path}' (format parquet)")
    return path


def read(path: Path, columns: str = "*") -> list[tuple]:
    with duckdb.connect() as con:
        return con.execute(f"select {columns} from read_parquet('{path}')").fetchall()


def version(settings: Settings, person: str) -> Path:
    """A version with a table of members, one of products, and a refused row, each naming `person` in its own way."""
    folder = settings.versions_dir / "v1"
    tables = {
        "members": f"select unnest(['a', '{person}', 'z']) as member_id, unnest([1, 2, 3]) as n",
        "products": f"select '{person}' as product_id, 12 as list_price"
        if person == "12"
        else "select 'p' as product_id",
        "quarantine": f"""select 'customers' as source_table, '{{"customer_id":"{person}","x":"12"}}' as raw
            union all select 'products', '{{"product_id":"12","customer_id":null}}'""",
    }
    manifest = {"tables": {}}
    with duckdb.connect() as con:
        folder.mkdir(parents=True)
        con.execute(f"attach '{folder / 'segments.duckdb'}' as db")
        for name, select in tables.items():
            path = parquet(folder / "parquet" / f"{name}.parquet", select)
            key = "member_id" if name == "members" else None
            con.execute(f"create table db.{name} as {select}")
            if key:
                con.execute(f"alter table db.{name} add primary key ({key})")
                con.execute(f"comment on table db.{name} is 'Who it''s about.'")
                con.execute(f"comment on column db.{name}.n is 'A count.'")
                con.execute(f"create view db.v_{name} as select n from {name}")
                con.execute(f"comment on view db.v_{name} is 'How many.'")
            manifest["tables"][name] = {
                "rows": len(read(path)),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    return folder


@pytest.mark.parametrize("person", ["12", LONG])
def test_a_version_loses_the_person_and_keeps_everyone_and_everything_else(settings: Settings, person: str) -> None:
    folder = version(settings, person)
    outcome = forget(settings, person)
    assert outcome.left == []
    assert read(folder / "parquet" / "members.parquet", "member_id") == [("a",), ("z",)]
    assert len(read(folder / "parquet" / "products.parquet")) == 1
    assert read(folder / "parquet" / "quarantine.parquet", "source_table") == [("products",)]
    with duckdb.connect(str(folder / "segments.duckdb"), read_only=True) as con:
        assert con.execute("select member_id from members").fetchall() == [("a",), ("z",)]
        assert con.execute("select count(*) from products").fetchall() == [(1,)]
        assert con.execute("select constraint_type from duckdb_constraints() where table_name = 'members'").fetchall()
        assert con.execute("select comment from duckdb_tables() where table_name = 'members'").fetchall() == [
            ("Who it's about.",)
        ]
        assert con.execute(
            "select comment from duckdb_columns() where column_name = 'n' and comment is not null"
        ).fetchall() == [("A count.",)]
        assert con.execute("select comment from duckdb_views() where view_name = 'v_members'").fetchall() == [
            ("How many.",)
        ]
        assert con.execute("select n from v_members order by n").fetchall() == [(1,), (3,)]
    for name, entry in json.loads((folder / "manifest.json").read_text())["tables"].items():
        path = folder / "parquet" / f"{name}.parquet"
        assert entry == {"rows": len(read(path)), "sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    assert all(p.stat().st_mode & 0o777 == 0o444 for p in folder.rglob("*") if p.is_file())


def test_a_version_without_the_person_is_not_touched(settings: Settings) -> None:
    folder = version(settings, "somebody-else")
    before = {p: (p.read_bytes(), p.stat().st_ino) for p in folder.rglob("*") if p.is_file()}
    forget(settings, LONG)
    assert {p: (p.read_bytes(), p.stat().st_ino) for p in folder.rglob("*") if p.is_file()} == before


def test_the_manifest_is_put_right_after_an_attempt_that_was_stopped_before_it(settings: Settings) -> None:
    folder = version(settings, LONG)
    before = (folder / "manifest.json").read_text()
    forget(settings, LONG)
    (folder / "manifest.json").chmod(0o644)
    (folder / "manifest.json").write_text(before)
    forget(settings, LONG)
    members = folder / "parquet" / "members.parquet"
    entry = json.loads((folder / "manifest.json").read_text())["tables"]["members"]
    assert entry == {"rows": 2, "sha256": hashlib.sha256(members.read_bytes()).hexdigest()}


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("extra.parquet", lambda p: parquet(p, f"select 'note about {LONG}' as anything")),
        ("notes.txt", lambda p: p.write_text(f"called {LONG}.")),
        ("audiences/mail.csv", lambda p: (p.parent.mkdir(), p.write_text(f'"channel","member_id"\n"mail","{LONG}"\n'))),
        (
            "extra.duckdb",
            lambda p: duckdb.connect(str(p)).execute(f"create table t as select '{LONG}' as customer_id").close(),
        ),
    ],
)
def test_the_search_finds_what_forgetting_does_not_know_of(settings: Settings, name: str, write) -> None:  # type: ignore[no-untyped-def]
    settings.warehouse_dir.mkdir()
    write(settings.warehouse_dir / name)
    outcome = forget(settings, LONG)
    assert outcome.left and all(place.startswith(name) for place in outcome.left)


def test_a_short_id_is_searched_where_members_are_named_and_nowhere_else(tmp_path: Path) -> None:
    parquet(tmp_path / "a.parquet", "select '12' as product_id, 12 as quantity, 'buy 12' as message")
    assert search(tmp_path, "12") == ([], 1)
    parquet(tmp_path / "b.parquet", "select '12' as member_id")
    parquet(tmp_path / "c.parquet", """select '{"customer_id": "12"}' as anything""")
    parquet(tmp_path / "d.parquet", "select '112' as member_id")
    assert [place.split(":")[0] for place in search(tmp_path, "12")[0]] == ["b.parquet", "c.parquet"]


def test_a_longer_id_that_holds_the_forgotten_one_is_somebody_else(settings: Settings) -> None:
    folder = version(settings, f"{LONG}-2")
    forget(settings, LONG)
    assert (f"{LONG}-2",) in read(folder / "parquet" / "members.parquet", "member_id")


def test_landed_rows_stay_out_also_when_a_file_is_landed_again(settings: Settings) -> None:
    select = f"select unnest(['a', '{LONG}']) as customer_id, 'customers/x.csv' as source_file"
    file = parquet(settings.landed_dir / "customers" / "1.parquet", select)
    assert keep_out(settings, LandingFormats()) == {}
    remember_to_forget(settings, LONG)
    assert keep_out(settings, LandingFormats()) == {"customers/x.csv": 1}
    assert read(file, "customer_id") == [("a",)]
    assert keep_out(settings, LandingFormats()) == {}
    again = parquet(settings.landed_dir / "customers" / "2.parquet", select)
    assert keep_out(settings, LandingFormats()) == {"customers/x.csv": 1}
    assert read(again, "customer_id") == [("a",)]


def test_landed_rows_stay_out_also_when_the_same_file_is_read_otherwise(settings: Settings) -> None:
    """Another time zone of the stores, another spelling of empty cells: the file is landed anew, by the same name."""
    zone = settings.landing_dir
    assert zone is not None
    (zone / "order_lines").mkdir()
    (zone / "order_lines" / "a.csv").write_text(
        "order_id,customer_id,product_id,ordered_at,quantity,amount\n"
        f"o1,a,p1,2026-01-01,1,2\no2,{LONG},p1,2026-01-01,1,2\n"
    )
    remember_to_forget(settings, LONG)
    for time_zone in ("UTC", "Europe/Berlin"):
        land(zone, settings.landed_dir, reading=Reading(store_timezone=time_zone))
        assert keep_out(settings, LandingFormats()) == {"order_lines/a.csv": 1}
    (file,) = (settings.landed_dir / "order_lines").glob("*.parquet")
    assert read(file, "customer_id") == [("a",)]


AS_READ = LandingFormats(ids={"customers": {"customer_id": ("without_decimals", "without_leading_zeros", "upper")}})


def test_who_is_forgotten_stays_out_however_files_write_the_id(settings: Settings) -> None:
    select = "select unnest(['k7', '007.0', '70', 'K7']) as customer_id, 'x' as source_file"
    file = parquet(settings.landed_dir / "customers" / "1.parquet", select)
    remember_to_forget(settings, "K7")
    assert keep_out(settings, LandingFormats()) == {"x": 1}
    assert read(file, "customer_id") == [("k7",), ("007.0",), ("70",)]
    # Another setting: what was looked through is looked through again.
    assert keep_out(settings, AS_READ) == {"x": 1}
    remember_to_forget(settings, "7")
    assert keep_out(settings, AS_READ) == {"x": 1}
    assert read(file, "customer_id") == [("70",)]


def test_an_id_as_the_export_spells_it_is_forgotten_as_it_is_published(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "own.yml").write_text(
        "landing_formats: {customers: {ids: {customer_id: without_leading_zeros}},"
        " products: {ids: {product_id: lower}}}\n"
    )
    for name, value in (("SETTINGS", tmp_path / "own.yml"), ("ID", "0000K7812")):
        monkeypatch.setenv(name, str(value))
    monkeypatch.setenv("WAREHOUSE_DIR", str(settings.warehouse_dir))
    monkeypatch.setenv("LANDING_DIR", str(settings.landing_dir))
    assert ids_of("0000K7812", LandingFormats(ids={"products": {"product_id": ("lower",)}})) == ("0000K7812",)
    folder = version(settings, "K7812")
    state = parquet(settings.state_dir / "treatment_assignments.parquet", "select unnest(['a', 'K7812']) as member_id")
    assert main(["forget"]) == 0
    assert read(folder / "parquet" / "members.parquet", "member_id") == [("a",), ("z",)]
    assert read(state) == [("a",)]
    assert "K7812" in read_list(settings) and "0000K7812" in read_list(settings)
    said = capsys.readouterr().out
    assert "K7812 was forgotten too: landing_formats reads 0000K7812 so" in said
    assert "K7812 is short" in said and "0000K7812 is short" not in said


def test_an_id_in_decomposed_letters_is_forgotten_as_it_is_published(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    composed, typed = "jos\u00e9", "jose\u0301"
    for name, value in (
        ("ID", typed),
        ("WAREHOUSE_DIR", settings.warehouse_dir),
        ("LANDING_DIR", settings.landing_dir),
    ):
        monkeypatch.setenv(name, str(value))
    folder = version(settings, composed)
    assert main(["forget"]) == 0
    assert read(folder / "parquet" / "members.parquet", "member_id") == [("a",), ("z",)]
    assert composed in read_list(settings) and typed in read_list(settings)
    assert f"{composed} was forgotten too: landing reads {typed} so" in capsys.readouterr().out
    assert ids_of(composed, LandingFormats()) == (composed,)


def test_an_id_that_a_file_of_the_landing_zone_writes_otherwise_is_told(settings: Settings) -> None:
    zone = settings.landing_dir
    assert zone is not None
    (zone / "customers").mkdir(parents=True)
    (zone / "customers" / "a.csv").write_text("customer_id,note\n0070,x\nk7,y\n")
    (zone / "customers" / "b.csv").write_text("customer_id,note\n0070,K7\n")
    parquet(zone / "customers" / "c.parquet", "select 'k7' as customer_id")
    assert search_landing(zone, "K7", LandingFormats()) == []
    assert sorted(search_landing(zone, "K7", AS_READ)) == ["customers/a.csv", "customers/c.parquet"]


def test_a_second_person_on_the_list_is_looked_for_in_files_that_were_clean(settings: Settings) -> None:
    select = f"select unnest(['a', '{LONG}', 'b']) as customer_id, 'x' as source_file"
    file = parquet(settings.landed_dir / "customers" / "1.parquet", select)
    remember_to_forget(settings, LONG)
    keep_out(settings, LandingFormats())
    remember_to_forget(settings, "b")
    assert keep_out(settings, LandingFormats()) == {"x": 1}
    assert read(file, "customer_id") == [("a",)]


def test_a_forgotten_companys_contact_rows_are_landed_no_more(settings: Settings) -> None:
    select = f"select unnest(['p1', 'p2']) as person_id, unnest(['{LONG}', 'c2']) as company_id, 'x' as source_file"
    file = parquet(settings.landed_dir / "company_contacts" / "1.parquet", select)
    remember_to_forget(settings, LONG)
    keep_out(settings, LandingFormats())
    assert read(file, "person_id") == [("p2",)]


def test_the_list_of_the_forgotten_names_nobody(settings: Settings) -> None:
    forgotten = remember_to_forget(settings, LONG)
    assert LONG in forgotten and LONG in read_list(settings) and "a" not in forgotten
    assert LONG not in (settings.state_dir / "forgotten.json").read_text()


def test_the_landing_zone_is_read_and_told_and_never_changed(settings: Settings) -> None:
    zone = settings.landing_dir
    assert zone is not None
    parquet(zone / "touchpoints" / "day=1" / "t.parquet", "select 815.0::double as customer_id")
    (zone / "customers").mkdir()
    (zone / "customers" / "c.csv").write_text("Customer_Id , note\n815,x\n", encoding="utf-8-sig")
    (zone / "products").mkdir()
    (zone / "products" / "p.csv").write_text("product_id\n815\n")
    before = {p: p.read_bytes() for p in zone.rglob("*") if p.is_file()}
    assert sorted(search_landing(zone, "815", LandingFormats())) == ["customers/c.csv", "touchpoints/day=1/t.parquet"]
    assert forget(settings, "815").landing_files == ["customers/c.csv", "touchpoints/day=1/t.parquet"]
    assert {p: p.read_bytes() for p in zone.rglob("*") if p.is_file()} == before


def test_a_folder_of_the_landing_zone_that_cannot_be_listed_may_hold_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "customers").mkdir()

    def denied(path: Path | str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", denied)
    assert search_landing(tmp_path, "K7", LandingFormats()) == [
        f"all of the landing zone, perhaps: {tmp_path / 'customers'} cannot be read (Permission denied)"
    ]


def test_a_log_line_that_named_the_person_no_longer_does(settings: Settings) -> None:
    settings.logs_dir.mkdir(parents=True)
    log = settings.logs_dir / "r.log"
    log.write_text(f"customer {LONG}: SAND is offered\n{LONG}x stays\ncustomer 12: also, 12 rows\n")
    forget(settings, LONG)
    forget(settings, "12")
    assert (
        log.read_text()
        == f"customer [forgotten]: SAND is offered\n{LONG}x stays\ncustomer [forgotten]: also, 12 rows\n"
    )


@pytest.mark.parametrize("person", [LONG, "Smith & Sons 12"])
def test_a_report_of_a_version_that_named_the_person_no_longer_does(settings: Settings, person: str) -> None:
    page = version(settings, "somebody-else") / "report.html"
    page.parent.chmod(0o755)
    page.write_text(f"<li>customer {escape(person)} has 9 of 10 orders</li><p>{LONG}x stays</p>")
    page.chmod(0o444)
    assert forget(settings, person).left == []
    assert page.read_text() == f"<li>customer [forgotten] has 9 of 10 orders</li><p>{LONG}x stays</p>"
    assert page.stat().st_mode & 0o777 == 0o444


def test_the_command_says_which_call_was_wrong(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("LANDING_DIR", "")
    monkeypatch.delenv("ID", raising=False)
    assert main(["forget"]) == 2
    assert "ID=" in capsys.readouterr().err
    monkeypatch.setenv("ID", LONG)
    assert main(["forget"]) == 0
    assert "was found nowhere" in capsys.readouterr().out
    (tmp_path / "own.yml").write_text("landing_formats: {customers: {ids: {customer_id: shouted}}}\n")
    monkeypatch.setenv("SETTINGS", str(tmp_path / "own.yml"))
    assert main(["forget"]) == 2
    assert "landing_formats.customers.ids.customer_id: 'shouted' is not known" in capsys.readouterr().err


@pytest.mark.parametrize("person", ["c12$x", "$(shell echo c12)", "O'Brien", 'a "b" #1', "c12"])
def test_make_hands_an_id_on_as_it_was_typed(person: str) -> None:
    """For `c12$x` make would otherwise forget c12."""
    command = ["make", "--eval", 'probe: ; @printf %s "$$ID"', "probe", f"ID={person}"]
    # The tests are run by make, too.
    outside = {name: value for name, value in os.environ.items() if name not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    done = subprocess.run(command, cwd=PROJECT_DIR, env=outside, capture_output=True, text=True, check=True)
    assert done.stdout == person


def test_while_a_refresh_holds_the_warehouse_nothing_is_forgotten(settings: Settings) -> None:
    folder = version(settings, LONG)
    code = "import sys; from pathlib import Path; from orchestration.storage.lock import refresh_lock\n"
    code += "with refresh_lock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(settings.lock_file)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=PROJECT_DIR) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(LockHeld):
            forget(settings, LONG)
        holder.communicate("")
    assert len(read(folder / "parquet" / "members.parquet")) == 3


def test_a_file_of_the_export_that_cannot_be_looked_at_may_hold_the_person(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "export").mkdir()
    (tmp_path / "mapping.yml").write_text(
        "from: export\ntables: {customers: {file: 2025/customers.csv, columns: {customer_id: id}}}\n"
    )
    is_file = Path.is_file

    def refused(path: Path) -> bool:
        if path.parent.name == "2025":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refused)
    (found,) = search_export(tmp_path / "mapping.yml", LONG, LandingFormats())
    assert found.startswith("2025/customers.csv, perhaps: ") and "Permission denied" in found


MAPPING = """from: export
salt: pepper
tables:
  order_lines:
    file: lines.csv
    columns: {order_id: Order, customer_id: Customer, product_id: Product, ordered_at: At,
      quantity: {constant: "1"}, amount: Amount}
  customers:
    file: "*/people.csv"
    columns: {customer_id: Customer, full_name: Name, email: Mail}
settings:
  landing_formats: {customers: {ids: {customer_id: upper}}}
"""


def test_who_is_forgotten_is_taken_out_of_what_a_mapping_has_made_and_stays_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    person = LONG.upper()
    (tmp_path / "mapping.yml").write_text(MAPPING)
    (tmp_path / "export" / "crm").mkdir(parents=True)
    lines = tmp_path / "export" / "lines.csv"
    # The last row is torn, and names the person somewhere else.
    lines.write_text(f"Order,Customer,Product,At,Amount\n1,{person},p,2026-01-05,2\n2,a,p,2026-01-05,2\n3,x,{person}\n")
    (tmp_path / "export" / "crm" / "people.csv").write_text(
        f'Customer,Name,Mail\n{LONG},Ann Other,ann@example.com\na,"Be\rn",ben@example.com\n'
    )
    (tmp_path / "export" / "clean.csv").write_text("Customer\na\n")
    for name in ("LANDING_DIR", "SETTINGS", "SEEDS_DIR", "SEEDS_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MAPPING", str(tmp_path / "mapping.yml"))
    monkeypatch.setenv("WAREHOUSE_DIR", str(tmp_path / "warehouse"))
    settings = read_settings()

    def written() -> str:
        return "".join(path.read_text() for path in sorted(settings.warehouse_dir.rglob("mapped/*/*.csv")))

    prepare(settings)
    assert person in written() and "ann@example.com" in written()
    for said in ("removed from mapped/customers/crm__people.csv.1.csv: 1", "nothing was there to remove"):
        monkeypatch.setenv("ID", person)
        assert main(["forget"]) == 0
        out = capsys.readouterr().out
        assert said in out
        assert "    crm/people.csv\n    lines.csv\n" in out and str(tmp_path / "mapping.yml") in out
        assert person not in written() and LONG not in written() and "ann@example.com" not in written()
    # A line end inside a cell is still one: what is read here as \n was \r.
    assert '"Be\nn",ben@example.com' in written() and "2,a,p," in written()
    # A later export names the person again.
    lines.write_text(f"Order,Customer,Product,At,Amount\n4,{person},p,2026-02-05,2\n5,b,p,2026-02-05,2\n")
    prepare(settings)
    assert person not in written() and "5,b,p," in written()
    assert [row[0] for row in read(settings.landed_dir / "order_lines" / "*.parquet", "customer_id")] == ["b"]
    # What was looked through is not looked through again.
    monkeypatch.setattr("orchestration.landing.forgotten._take_out_of_csv", None)
    prepare(settings)
