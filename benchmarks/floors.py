"""The floors of our stack: what a FastAPI route costs that does hardly anything.

`python -m benchmarks.floors bare|inserts PORT DATABASE`
"""

from __future__ import annotations

import sqlite3
import sys
from itertools import count
from urllib.parse import parse_qsl

import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel
from pydantic_core import to_json


class Order(BaseModel):
    invoice_id: str
    status: str = "new"


async def _read(request: Request) -> Order:
    return Order.model_validate(dict(parse_qsl((await request.body()).decode())))


def _answer(order: Order, number: int) -> Response:
    shown = {"id": str(number), **order.model_dump(), "object": "order"}
    return Response(to_json({"order": shown}), media_type="application/json")


def bare() -> FastAPI:
    """A route by hand: body, model, answer; nothing is kept."""
    app = FastAPI()
    numbers = count()

    @app.post("/api/v1/orders")
    async def create(request: Request) -> Response:
        return _answer(await _read(request), next(numbers))

    return app


def with_inserts(database: str) -> FastAPI:
    """The same, and three raw INSERTs in one transaction: an order, an event, a webhook."""
    app = FastAPI()
    numbers = count()
    connection = sqlite3.connect(database, isolation_level=None)
    connection.executescript(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
        "CREATE TABLE orders (id TEXT PRIMARY KEY, invoice_id TEXT, status TEXT);"
        "CREATE TABLE events (id TEXT PRIMARY KEY, content TEXT);"
        "CREATE TABLE webhooks (id TEXT PRIMARY KEY, event_id TEXT);"
    )

    @app.post("/api/v1/orders")
    async def create(request: Request) -> Response:
        order = await _read(request)
        answer = _answer(order, next(numbers))
        id = f"o{next(numbers)}"
        connection.execute("BEGIN IMMEDIATE")
        connection.execute(
            "INSERT INTO orders VALUES (?, ?, ?)", (id, order.invoice_id, order.status)
        )
        connection.execute("INSERT INTO events VALUES (?, ?)", (id, bytes(answer.body).decode()))
        connection.execute("INSERT INTO webhooks VALUES (?, ?)", (id, id))
        connection.execute("COMMIT")
        return answer

    return app


if __name__ == "__main__":
    kind, port, database = sys.argv[1:]
    app = bare() if kind == "bare" else with_inserts(database)
    uvicorn.run(app, port=int(port), log_config=None, access_log=False)
