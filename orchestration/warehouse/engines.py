"""What an engine needs of this machine, looked at before anything runs.

Belongs here: is the engine's adapter installed, is Java there, are its variables usable; each error says what to do.
Does not belong here: what the engine is told (profiles/profiles.yml), reading its tables (handover.py, tables.py).
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

from orchestration.settings import Settings, SettingsError

# Spark 4 runs on 17 and 21.
LEAST_JAVA = 17
METHODS = ("session", "submit", "thrift")
INSTALL_EXTRA = "make refresh DBT_TARGET=spark, or: .venv/bin/python -m pip install -r requirements-spark.lock"
INSTALL_JAVA = "apt-get install openjdk-17-jre-headless, or set JAVA_HOME"

Installed = Callable[[str], bool]


def check_engine(
    settings: Settings, environ: Mapping[str, str], installed: Installed = lambda name: _is_installed(name)
) -> None:
    """Stop where the engine of DBT_TARGET cannot run here.

    Args:
        installed: whether a module can be imported.

    Raises:
        SettingsError: a package or Java is missing, or a variable has a value that cannot be used; the text names it
            and the command that helps.
    """
    if settings.dbt_target != "spark":
        return
    method = environ.get("SPARK_METHOD", "").strip() or "session"
    if method not in METHODS:
        raise SettingsError(f"SPARK_METHOD={method}: one of {', '.join(METHODS)} is needed")
    for name in ("SPARK_PORT", "SPARK_THREADS", "SPARK_SHUFFLE_PARTITIONS"):
        value = environ.get(name, "").strip()
        if value and not (value.isdecimal() and int(value) > 0):
            raise SettingsError(f"{name}={value}: a whole number above 0 is needed")
    needed = ["dbt.adapters.spark", "pyhive" if method == "thrift" else "pyspark"]
    missing = [name for name in needed if not installed(name)]
    if missing:
        raise SettingsError(
            f"DBT_TARGET=spark: {' and '.join(missing)} is not installed. It comes with the extra `spark`: "
            f"{INSTALL_EXTRA}"
        )
    # Over thrift, Spark and its Java are on another machine.
    if method != "thrift":
        check_java(environ)


def java_command(environ: Mapping[str, str]) -> str | None:
    """The Java that Spark will take: that of JAVA_HOME, else the one in PATH; None where there is none."""
    home = environ.get("JAVA_HOME", "").strip()
    if home:
        command = Path(home) / "bin" / "java"
        return str(command) if command.is_file() else None
    return shutil.which("java", path=environ.get("PATH"))


def java_version(text: str) -> int | None:
    """The main version in what `java -version` prints: 17 of `17.0.15`, 8 of `1.8.0_392`; None where it says none."""
    found = re.search(r'version "(\d+)(?:\.(\d+))?', text)
    if found is None:
        return None
    return int(found[2]) if found[1] == "1" and found[2] else int(found[1])


def check_java(environ: Mapping[str, str]) -> None:
    """Stop where the Java that Spark would take is missing or too old.

    Raises:
        SettingsError: the text names what was found and the command that helps.
    """
    command = java_command(environ)
    if command is None:
        home = environ.get("JAVA_HOME", "").strip()
        where = f"JAVA_HOME={home} has no bin/java" if home else "there is no java in PATH, and JAVA_HOME is not set"
        raise SettingsError(f"DBT_TARGET=spark needs Java {LEAST_JAVA} or later: {where}. {INSTALL_JAVA}")
    answer = subprocess.run([command, "-version"], capture_output=True, text=True, check=False)
    version = java_version(answer.stderr + answer.stdout)
    if version is None or version < LEAST_JAVA:
        found = f"is Java {version}" if version else "does not say its version"
        raise SettingsError(f"DBT_TARGET=spark needs Java {LEAST_JAVA} or later: {command} {found}. {INSTALL_JAVA}")


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
