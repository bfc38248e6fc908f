"""Where the project is, and the error of whatever a person can set wrongly.

Belongs here: what settings and seeds both need. Does not belong here: reading either.
"""

from __future__ import annotations

from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
SHIPPED_SEEDS = PROJECT_DIR / "seeds"


class SettingsError(ValueError):
    """An environment variable has a value that cannot be used; the text names the variable and the value."""
