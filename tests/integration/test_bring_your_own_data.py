"""docs/bring-your-own-data.md, followed to the letter: files written, commands run, output looked for."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import project

pytestmark = pytest.mark.slow

PAGE = project.ROOT / "docs" / "bring-your-own-data.md"
FILE = re.compile(r"^`(my-data/[^`]+)`\n\n```csv\n(.*?)^```$", re.MULTILINE | re.DOTALL)
STEP = re.compile(r"^```(sh|text)\n(.*?)^```$|in `(my-data/[^`]+)`, replace `([^`]+)` by `([^`]+)`", re.M | re.S)


def page() -> str:
    return PAGE.read_text(encoding="utf-8")


def write_files(folder: Path) -> list[str]:
    """The page's sample files under `folder`; returns their names."""
    names = []
    for name, text in FILE.findall(page()):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        names.append(name)
    return names


def plain(text: str) -> str:
    """One line without the terminal's line breaks and columns."""
    return " ".join(text.split())


def follow(folder: Path) -> list[tuple[str, str]]:
    """Run the page's commands in order, in `folder`; returns (command, output) pairs.

    Raises:
        AssertionError: what the page shows below a command is not in its output.
    """
    (folder / ".dagster").mkdir()
    shutil.copy(project.ROOT / ".dagster_home" / "dagster.yaml", folder / ".dagster")
    warehouse = folder / "warehouse"
    # The shipped seeds, as a newcomer has them.
    own = {"GX_ANALYTICS_ENABLED": "false", "SEEDS_DIR": "", "SEEDS_PATH": ""}
    environment = project.environment(warehouse, folder / "target", own)
    ran: list[tuple[str, str]] = []
    for kind, block, name, old, new in STEP.findall(page()):
        if name:
            text = (folder / name).read_text(encoding="utf-8")
            assert text.count(old) == 1, f"{name} does not hold {old} once"
            (folder / name).write_text(text.replace(old, new), encoding="utf-8")
        elif kind == "sh":
            # The page is followed in the project's folder; here the sample and the warehouse are elsewhere, and the
            # environment is the tests' own.
            command = block.strip().replace("LANDING_DIR=my-data", f"LANDING_DIR={folder}/my-data")
            command = command.replace("make refresh", f"make refresh WAREHOUSE_DIR={warehouse}")
            command = command.replace("'warehouse/", f"'{warehouse}/").replace(".venv/bin/python", sys.executable)
            command = command.replace("make refresh", f"make refresh BIN={Path(sys.executable).parent}", 1)
            command = command.replace("make refresh", f"make -o .venv/.ready refresh DAGSTER_HOME={folder}/.dagster", 1)
            done = subprocess.run(
                ["bash", "-c", command],
                cwd=project.ROOT,
                env={**environment, "COLUMNS": "110"},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=600,
                check=False,
            )
            ran.append((block.strip(), done.stdout))
        else:
            output = plain(ran[-1][1])
            wanted = [plain(block)] if "Not published" in block else [plain(line) for line in block.splitlines()]
            for text in wanted:
                assert text in output, f"not in the output of `{ran[-1][0]}`: {text}\n{ran[-1][1][-3000:]}"
    return ran


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[tuple[str, str]]]:
    folder = tmp_path_factory.mktemp("newcomer")
    assert len(write_files(folder)) == 4
    return folder, follow(folder)


def test_each_command_of_the_page_does_what_the_page_shows(followed: tuple[Path, list[tuple[str, str]]]) -> None:
    commands = [command.split()[0] for command, _ in followed[1]]
    assert commands == ["make", ".venv/bin/python", "make", ".venv/bin/python"]


def test_the_scorecard_is_published(followed: tuple[Path, list[tuple[str, str]]]) -> None:
    assert (followed[0] / "warehouse" / "published" / "report.html").is_file()


def test_no_personal_data_of_the_sample_is_in_what_was_made(followed: tuple[Path, list[tuple[str, str]]]) -> None:
    folder, ran = followed
    mails = [b"anna@example.com", b"chen@example.com"]
    assert any(mails[0] in p.read_bytes() for p in (folder / "my-data").rglob("*.csv"))
    for path in (folder / "warehouse").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert not any(mail in path.read_bytes() for mail in mails), path
    assert not any(mail.decode() in output for mail in mails for _, output in ran)


def test_every_file_that_the_page_links_to_is_there() -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page()):
        assert (PAGE.parent / target).resolve().is_file(), target


def test_the_variables_and_triggers_that_the_page_names_are_the_projects_own() -> None:
    from orchestration.definitions import defs
    from orchestration.defs.alerts import ALERT_WEBHOOK_URL
    from orchestration.defs.retries import FIRST_PAUSE_SECONDS, MAX_RETRIES

    assert ALERT_WEBHOOK_URL in page()
    assert defs.resolve_schedule_def("daily") and defs.resolve_sensor_def("landing_zone")
    pauses = [f"{FIRST_PAUSE_SECONDS * 2**n:.0f}" for n in range(MAX_RETRIES)]
    assert f"{', '.join(pauses[:-1])} and {pauses[-1]} seconds" in plain(page())
