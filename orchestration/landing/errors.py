"""The one error of this step."""


class LandingError(RuntimeError):
    """The landing zone cannot be used. The text names the file and the column or row, and never holds a value."""
