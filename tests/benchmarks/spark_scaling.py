"""How the three heaviest shapes of query scale on Spark: `python -m tests.benchmarks.spark_scaling 1000000 4000000`.

Belongs here: generated lines (10 a basket, 200 categories), the statements, seconds. Does not belong here: what
follows from them (docs/spark.md). Prints a line a size, number of shuffle partitions and shape: wall and processor
seconds of the whole Java process (driver and executors are one here), so a busy machine changes the first and hardly
the second.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

LINES_A_BASKET = 10
CATEGORIES = 200
PARTITIONS = (2, 8, 32)
SHAPES = {
    "facts by customer and day": """
        select customer_id, day_on, sum(amount) as spend, count(distinct basket) as baskets
        from lines group by customer_id, day_on
    """,
    "baskets and their categories": "select distinct basket, category from lines",
    "pairs of categories": """
        with items as (select distinct basket, category from lines)
        select a.category as antecedent, b.category as consequent, count(*) as n_both
        from items as a inner join items as b on a.basket = b.basket and a.category < b.category
        group by a.category, b.category
    """,
}


def main(sizes: list[int]) -> None:
    """Measure each size, shape and number of partitions once, after a warm-up on the smallest."""
    from pyspark.sql import SparkSession

    with tempfile.TemporaryDirectory() as folder:
        settings = {
            "spark.master": "local[2]",
            "spark.driver.memory": "4g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.local.dir": folder,
            "spark.sql.constraintPropagation.enabled": "false",
        }
        builder = SparkSession.builder
        for name, value in settings.items():
            builder = builder.config(name, value)
        spark = builder.getOrCreate()
        spark.sparkContext.setLogLevel("ERROR")
        java = int(spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid())  # type: ignore[union-attr]
        for size in sizes:
            _write_lines(spark, Path(folder) / str(size), size)
        for number, size in enumerate([sizes[0], *sizes]):
            spark.read.parquet(str(Path(folder) / str(size))).createOrReplaceTempView("lines")
            for partitions in PARTITIONS:
                spark.conf.set("spark.sql.shuffle.partitions", str(partitions))
                for shape, sql in SHAPES.items():
                    began, used = time.monotonic(), _processor_seconds(java)
                    spark.sql(sql).write.format("noop").mode("overwrite").save()
                    wall, processor = time.monotonic() - began, _processor_seconds(java) - used
                    if number:
                        print(
                            f"{size:>12,} lines {partitions:>3} parts {wall:7.1f} s {processor:7.1f} cpu s  {shape}",
                            flush=True,
                        )
        spark.stop()


def _write_lines(spark: Any, folder: Path, size: int) -> None:
    """Lines whose basket, customer, day and category follow from hashes of their number."""
    spark.sql(
        f"""
        select
            id div {LINES_A_BASKET} as basket,
            pmod(xxhash64(id div {LINES_A_BASKET}), {max(size // 500, 1)}) as customer_id,
            date_add(date'2025-01-01', cast(pmod(xxhash64(id div {LINES_A_BASKET}, 1), 365) as int)) as day_on,
            concat('category ', pmod(xxhash64(id), {CATEGORIES})) as category,
            cast(pmod(xxhash64(id, 2), 2000) / 100 as decimal(18, 4)) as amount
        from range({size})
        """
    ).write.parquet(str(folder))


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1:]] or [1_000_000, 4_000_000])
