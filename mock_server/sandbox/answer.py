"""Answers of /_mock that show resources: they are JSON already, and are not validated again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import Response
from pydantic_core import to_json


def shown(body: Mapping[str, Any]) -> Response:
    return Response(to_json(body), media_type="application/json")
