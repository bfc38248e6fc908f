"""The command line: make's targets call it, each command has its function, a wrong call says what there is."""

from __future__ import annotations

import inspect
import re
from importlib import import_module

import pytest

from orchestration.__main__ import COMMANDS, main
from tests.support.project import ROOT


def test_every_command_that_make_calls_is_there_and_nothing_else_is_called() -> None:
    called = re.findall(r"python -m (orchestration\S*)(?: ([\w-]+))?", (ROOT / "Makefile").read_text(encoding="utf-8"))
    assert len(called) > 10
    assert {module for module, _ in called} == {"orchestration"}
    assert {command for _, command in called} <= set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_a_function_that_takes_what_it_is_given(name: str) -> None:
    command = COMMANDS[name]
    parameters = inspect.signature(import_module(f"orchestration.{command.module}").main).parameters
    needed = [p for p in parameters.values() if p.default is p.empty]
    assert len(needed) <= (0 if command.arguments is None else 1)
    assert command.arguments is None or parameters


@pytest.mark.parametrize("arguments", [[], ["refesh"], ["--help"]])
def test_a_wrong_command_lists_those_that_there_are(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert all(f"    {name} " in said for name in COMMANDS)


def test_a_word_too_many_is_no_refresh(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["refresh", "rollback"]) == 2
    assert "python -m orchestration refresh takes no arguments, but was given rollback" in capsys.readouterr().err
