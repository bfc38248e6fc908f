"""The project's macros as SQL text for DuckDB, without dbt: for tests against another oracle."""

from __future__ import annotations

import functools
import re
from types import SimpleNamespace
from typing import Any

from jinja2 import Environment

from tests.support.project import ROOT

FILES = ("dates.sql", "text.sql", "numbers.sql", "landing_types.sql", "landing_formats.sql")


@functools.cache
def macros(store_timezone: str = "UTC", **variables: Any) -> Any:
    """All macros of FILES, by name. A macro's `return` must be its only one: here it is what is printed."""
    loaded: dict[str, Any] = {}
    environment = Environment(extensions=["jinja2.ext.do"])
    text = "\n".join((ROOT / "macros" / "engine" / name).read_text(encoding="utf-8") for name in FILES)
    template = environment.from_string(text)
    module = template.make_module(
        {
            "return": lambda value: value,
            "adapter": SimpleNamespace(dispatch=lambda name, _: loaded[f"duckdb__{name}"]),
            "modules": SimpleNamespace(re=re),
            "dbt": SimpleNamespace(type_string=lambda: "varchar"),
            "store_timezone": lambda: store_timezone,
            "var": variables.get,
        }
    )
    loaded.update({name: getattr(module, name) for name in dir(module) if not name.startswith("_")})
    return SimpleNamespace(**loaded)


def dbt_check(name: str) -> str:
    """The SQL of a check of tests/dbt on DuckDB, over tables called as what it refers to; it stops by an error."""
    source = (ROOT / "tests" / "dbt" / f"{name}.sql").read_text(encoding="utf-8")
    return (
        Environment()
        .from_string(source)
        .render(
            config=lambda **_: "",
            ref=lambda table: table,
            text=lambda value: f"cast({value} as varchar)",
            sorted_list=lambda each, by=", ": f"string_agg(distinct {each}, '{by}' order by {each})",
            stop_with=lambda message: f"error({message})",
        )
    )
