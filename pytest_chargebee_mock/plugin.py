"""What pytest loads, in every run of every project in which this is installed.

It imports pytest alone: the rest comes with the first fixture that a test asks for.
"""

from __future__ import annotations

import pytest

if hasattr(pytest, "StashKey"):
    from pytest_chargebee_mock.fixtures import *  # noqa: F403
else:

    def pytest_report_header() -> str:
        """Step aside."""
        return f"chargebee-mock: its fixtures need pytest 7.0, and this is {pytest.__version__}"
