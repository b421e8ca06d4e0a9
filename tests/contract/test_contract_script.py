"""`make contract` writes the facts of API v1 from an OpenAPI description, without its sentences."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest

from mock_server.contract.facts import Facts
from scripts.contract import FACTS, facts_of

SPEC: Final = Path(__file__).parents[3] / "shared" / "spec" / "chargebee_api_v1_spec.json"


@pytest.mark.skipif(
    not SPEC.is_file(), reason="Chargebee's description is not beside this checkout"
)
def test_the_committed_facts_are_those_of_chargebees_description() -> None:
    assert facts_of(json.loads(SPEC.read_text("utf-8"))) == FACTS.read_text("utf-8")


def answering(name: str) -> dict[str, Any]:
    answer = {"properties": {name: {}, "card": {}}, "required": [name]}
    return {"200": {"content": {"application/json": {"schema": answer}}}}


SIZE: Final = {
    "type": "object",
    "description": "How large it is.",
    "properties": {
        "width": {"type": "integer", "format": "int64", "minimum": 0},
        "unit": {"type": "string", "enum": ["mm", "cm", "m", "km", "mile"], "default": "m"},
    },
    "required": ["width"],
}
BODY: Final = {
    "type": "object",
    "additionalProperties": True,
    "properties": {
        "email": {"type": "string", "format": "email", "maxLength": 70},
        "on": {"type": "boolean", "default": False},
        "rate": {"type": "number", "format": "double", "minimum": 0.01, "maximum": 100},
        "codes": {"type": "array", "items": {"type": "string", "maxLength": 9, "minLength": 2}},
        "extra": {"type": "object", "additionalProperties": True},
        "size": SIZE,
        "rows": {
            "type": "object",
            "properties": {"id": {"type": "array", "items": {"type": "string"}}},
            "required": ["id"],
        },
    },
    "required": ["email"],
}
EXAMPLE: Final = {
    "paths": {
        "/boxes": {
            "post": {
                "operationId": "create_a_box",
                "parameters": [],
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": BODY}}},
                "responses": answering("box"),
            },
            "get": {
                "operationId": "list_boxes",
                "parameters": [
                    {"in": "query", "name": "limit", "required": False, "schema": {}},
                    {"in": "header", "name": "who", "required": False, "schema": {}},
                    {
                        "in": "query",
                        "name": "since",
                        "required": True,
                        "schema": {"type": "integer", "format": "unix-time"},
                    },
                ],
                "responses": {
                    "200": {
                        "content": {
                            "application/json": {
                                "schema": {
                                    "properties": {
                                        "list": {"items": {"properties": {"box": {}}}},
                                        "next_offset": {},
                                    }
                                }
                            }
                        }
                    }
                },
            },
        }
    },
    "components": {
        "schemas": {
            "400": {"type": "object", "properties": {}},
            "Colour": {"type": "string", "enum": ["red", "green"]},
            "Box": {
                "type": "object",
                "properties": {
                    "colour": {"$ref": "#/components/schemas/Colour"},
                    "unit": {"type": "string", "enum": ["mm", "cm", "m", "km", "mile"]},
                    "size": SIZE,
                    "parts": {
                        "type": "array",
                        "items": {"type": "object", "properties": {"id": {"type": "string"}}},
                    },
                },
                "required": ["colour"],
            },
            "BoxCreatedEvent": {"type": "object", "properties": {}},
        }
    },
}
WRITTEN: Final = """\
# operations
POST /boxes  create_a_box -> box, card?
  email! email70
  on b=false
  rate n:double[0.01..100]
  codes [s9(min 2)]
  extra map
  size @size
  rows[]
    id! s
  *
GET /boxes  list_boxes -> list(box?)
  ?since! ts
# resources
Box:
  colour! red|green
  unit @E_unit
  size @size
  parts[]
    id s
# shapes
@size
  width! i64[0..]
  unit @E_unit="m"
@E_unit
  mm|cm|m|km|mile
# enums
enum Colour: red|green
"""


def test_a_description_becomes_facts() -> None:
    assert facts_of(EXAMPLE) == WRITTEN


def test_what_is_written_can_be_read() -> None:
    read = Facts("v1", WRITTEN)

    assert [field.name for field in read.operations[0].fields][-1] == "rows"
    assert read.resource("box")[1].values == ("mm", "cm", "m", "km", "mile")
