"""The report: one page for marketers, made from the published tables alone, that needs nothing else to be read."""

from orchestration.report.page import write_report

__all__ = ["write_report"]
