"""The notebook page of docs/bi, block after block, as somebody would paste it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support import project


def test_every_block_of_the_page_runs_in_its_order(
    demo_refresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "warehouse").symlink_to(demo_refresh)
    monkeypatch.chdir(tmp_path)
    page = (project.ROOT / "docs" / "bi" / "notebook.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 5
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "notebook.md", "exec"), names)
    manifest = json.loads((demo_refresh / "published" / "manifest.json").read_text(encoding="utf-8"))
    assert names["version"] == manifest["refresh_id"]
    assert len(names["segments"]) == manifest["tables"]["segments"]["rows"]  # type: ignore[arg-type]
    assert names["history"].num_rows == manifest["tables"]["customer_segment_history"]["rows"]  # type: ignore[attr-defined]
    assert names["tables"]["comment"].notna().all() and len(names["columns"]) == 7  # type: ignore[index,arg-type]
    assert "Champions" in names["chart"].columns  # type: ignore[attr-defined]
