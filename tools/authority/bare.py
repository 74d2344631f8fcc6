"""Owns the peer of the load trial: FastAPI that does the same input and output as the service, and nothing else.

It reads the body, writes one row for the upload, one for its code and three for its records in one durable transaction,
and hands out the same files.
"""

import sqlite3
from pathlib import Path
from typing import Annotated

import click
import uvicorn
from fastapi import Depends, FastAPI, Request
from starlette.staticfiles import StaticFiles

_TABLES = """
PRAGMA journal_mode = WAL;
CREATE TABLE uploads (id INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE codes (upload INTEGER, code BLOB);
CREATE TABLE records (upload INTEGER, key BLOB, first INTEGER, count INTEGER);
"""


async def _body(request: Request) -> bytes:
    return await request.body()


def make_app(folder: Path) -> FastAPI:
    """An application that keeps bodies in folder/bare.sqlite and serves folder/site."""
    path = folder / "bare.sqlite"
    with sqlite3.connect(path) as database:
        database.executescript(_TABLES)
    database.close()
    app = FastAPI()

    @app.post("/v1/uploads")
    def take(data: Annotated[bytes, Depends(_body)]) -> dict[str, int]:
        database = sqlite3.connect(path, timeout=30, isolation_level=None)
        database.execute("BEGIN IMMEDIATE")
        number = database.execute("INSERT INTO uploads (body) VALUES (?)", (data,)).lastrowid
        database.execute("INSERT INTO codes VALUES (?, ?)", (number, data[:12]))
        database.executemany(
            "INSERT INTO records VALUES (?, ?, ?, ?)", [(number, data[:32], at, 96) for at in range(3)]
        )
        database.execute("COMMIT")
        database.close()
        return {"records": 3}

    app.mount("/lists", StaticFiles(directory=folder / "site"))
    return app


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--port", type=int, required=True)
def main(folder: Path, port: int) -> None:
    """Serve on loopback until interrupted."""
    uvicorn.run(make_app(folder), host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
