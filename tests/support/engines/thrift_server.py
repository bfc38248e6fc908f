"""Spark's thrift server from the installed pyspark, on this machine only, for as long as a block lasts.

Belongs here: starting and ending the server. Does not belong here: what is run through it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from orchestration.warehouse.engines import check_java
from tests.support.project import ROOT

MAIN_CLASS = "org.apache.spark.sql.hive.thriftserver.HiveThriftServer2"
START_SECONDS = 180
# Statements on small data are planned and compiled far longer than they run: the quick compiler only, and no garbage
# collector that works beside the statements.
JAVA_OPTIONS = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseParallelGC",
    "-XX:MetaspaceSize=512m",
    "-Xms2g",
    "-Djdk.lang.Process.launchMechanism=VFORK",
)

# A task takes longer to send and to set up than to run: as few as there can be, also to list a table's folders.
SMALL_DATA = {
    "spark.sql.adaptive.enabled": "false",
    "spark.sql.codegen.cache.maxEntries": "10000",
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.files.openCostInBytes": "65536",
    "spark.sql.leafNodeDefaultParallelism": "1",
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "100000",
}


@contextmanager
def thrift_server(folder: Path, memory: str = "4g", more: Mapping[str, str] | None = None) -> Iterator[dict[str, str]]:
    """A server with its log in `folder`, whose catalogue ends with it; yields the variables that a refresh needs.

    Args:
        more: settings of Spark beside its own.

    Raises:
        SettingsError: there is no Java that Spark could use.
        AssertionError: the server did not answer; the text is the end of its log.
    """
    import pyspark

    check_java(os.environ)
    folder.mkdir(parents=True, exist_ok=True)
    port = _free_port()
    settings = {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.ui.enabled": "false",
        "spark.sql.warehouse.dir": str(folder / "default"),
        # A server's own settings are not those of a refresh: one that the profile fails to set would be seen.
        "spark.sql.session.timeZone": "Asia/Tokyo",
        "spark.hadoop.hive.server2.thrift.bind.host": "127.0.0.1",
        "spark.hadoop.hive.server2.thrift.port": str(port),
        "spark.hadoop.javax.jdo.option.ConnectionURL": "jdbc:derby:memory:metastore;create=true",
        "spark.driver.extraJavaOptions": " ".join(
            [
                f'"-Dderby.stream.error.file={folder}/derby.log"',
                f'"-Dlog4j2.configurationFile={ROOT}/profiles/spark-log4j2.properties"',
                *JAVA_OPTIONS,
            ]
        ),
        **SMALL_DATA,
        **(more or {}),
    }
    command = [
        str(Path(pyspark.__file__).parent / "bin" / "spark-submit"),
        *("--class", MAIN_CLASS, "--master", "local[2]", "--driver-memory", memory),
        *(part for name, value in settings.items() for part in ("--conf", f"{name}={value}")),
        "spark-internal",
    ]
    log = folder / "server.log"
    environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1"}
    with log.open("wb") as output:
        # A group of its own: spark-submit is a script around the server's process.
        server = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=output, start_new_session=True
        )
        try:
            _wait(server, port, log)
            yield {
                "SPARK_METHOD": "thrift",
                "SPARK_HOST": "127.0.0.1",
                "SPARK_PORT": str(port),
                "SPARK_SHUFFLE_PARTITIONS": "1",
            }
        finally:
            os.killpg(server.pid, signal.SIGTERM)
            try:
                server.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(server.pid, signal.SIGKILL)
                server.wait()


def _wait(server: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.5)
    raise AssertionError(f"the thrift server did not start:\n{log.read_text(errors='replace')[-4000:]}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
