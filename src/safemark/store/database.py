"""A database that is open, migrated and private: SQLite by default, PostgreSQL by its address.

What stands in it is not known here.
"""

import os
import shutil
import sqlite3
import tempfile
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

import safemark.migrations
from safemark.errors import StoreError, UsageError
from safemark.secrets import remember, scrubbed
from safemark.store.tables import HEAD

PATIENCE_S = 30
"""How long a locked SQLite file is waited for."""


def default_url() -> str:
    """``SAFEMARK_STORE``, or a SQLite file in the platform's data folder."""
    if url := os.environ.get("SAFEMARK_STORE"):
        return url
    import platformdirs

    return f"sqlite:///{Path(platformdirs.user_data_dir('safemark')) / 'safemark.db'}"


class Database:
    """An open database, its tables up to date.

    Raises:
        UsageError: the address is none, or of a kind that is not supported.
        StoreError: it cannot be opened, or a newer Safemark wrote it.
    """

    def __init__(self, url: str | None = None) -> None:
        self.url = url or default_url()
        if "://" not in self.url:
            self.url = f"sqlite:///{self.url}"
        try:
            self._url = sa.make_url(self.url)
        except (sa.exc.ArgumentError, ValueError) as error:
            raise UsageError(
                f"`{scrubbed(self.url)}` is not a store address",
                "use sqlite:///FILE or postgresql://HOST/DATABASE",
            ) from error
        remember(self._url.password)
        self._file = self._prepared_file()
        self.engine = self._engine()
        try:
            self._migrate()
        except BaseException:
            self.engine.dispose()
            raise

    def _prepared_file(self) -> Path | None:
        if self._url.get_backend_name() != "sqlite":
            return None
        if self._url.database in (None, "", ":memory:"):
            # a connection each, as for any store; SQLite's own memory is one connection's alone
            folder = tempfile.mkdtemp(prefix="safemark-")
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            return Path(folder) / "store.db"
        path = Path(str(self._url.database)).absolute()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            path.chmod(0o600)
        except OSError as error:
            raise StoreError(
                f"the store {path} cannot be written: {error.strerror}",
                "name another with `--store FILE` or SAFEMARK_STORE",
            ) from error
        return path

    def _engine(self) -> Engine:
        backend = self._url.get_backend_name()
        if backend == "sqlite":
            url = self._url.set(drivername="sqlite", database=str(self._file))
            engine = sa.create_engine(url, connect_args={"timeout": PATIENCE_S})
            sa.event.listen(engine, "connect", _prepare_sqlite)
            sa.event.listen(engine, "begin", _begin_sqlite)
            return engine
        if backend == "postgresql":
            url = self._url.set(drivername="postgresql+psycopg")
            try:
                return sa.create_engine(url, connect_args={"connect_timeout": 10})
            except ModuleNotFoundError as error:
                raise StoreError(
                    "PostgreSQL needs the psycopg driver",
                    "pip install 'safemark[postgres]'",
                ) from error
        raise UsageError(
            f"stores of kind `{backend}` are not supported",
            "use sqlite:///FILE or postgresql://HOST/DATABASE",
        )

    def _migrate(self) -> None:
        with self.reading() as connection:
            if sa.inspect(connection).has_table("alembic_version"):
                found = connection.execute(sa.text("SELECT version_num FROM alembic_version"))
                if found.scalar() == HEAD:
                    return
        from alembic import command
        from alembic.config import Config
        from alembic.util.exc import CommandError

        config = Config()
        config.set_main_option("script_location", str(Path(safemark.migrations.__file__).parent))
        with self.writing() as connection:  # one transaction: half a migration is none
            if self._url.get_backend_name() == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7313521)"))
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise StoreError(
                    f"the store was written by a newer Safemark ({error})",
                    "update Safemark, or name another store with `--store`",
                ) from error

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A connection to read on.

        Raises:
            StoreError: the store cannot be read.
        """
        try:
            with self.engine.connect() as connection:
                yield connection
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._failure("read", error) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction: all of it is stored, or none.

        Raises:
            StoreError: the store cannot be written.
        """
        try:
            with self.engine.connect() as idle:
                connection = idle.execution_options(safemark_writes=True)
                with connection.begin():
                    yield connection
        except (sa.exc.DBAPIError, sa.exc.TimeoutError) as error:
            raise self._failure("written", error) from error

    def _failure(self, what: str, error: Exception) -> StoreError:
        said = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        cause = scrubbed(said.splitlines()[0])
        hints = {
            "disk is full": "free some space and repeat the command: it continues",
            "disk I/O error": "is the disk full? free some space and repeat the command",
            "No space left": "free some space and repeat the command: it continues",
            "is locked": "another program holds it; repeat the command when that is done",
            "readonly": "make it writable, or name another with `--store FILE`",
            "not a database": "name another file with `--store FILE`",
            "malformed": "the file is damaged; name another with `--store FILE`",
        }
        hint = next((hint for sign, hint in hints.items() if sign in cause), "")
        return StoreError(
            f"the store {self.shown_url} cannot be {what}: {cause}",
            hint or "what was stored before is kept; `safemark doctor` looks closer",
        )

    @property
    def shown_url(self) -> str:
        """The store's address without its password."""
        if self._file is None:
            return self._url.render_as_string(hide_password=True)
        return str(self._url.database or ":memory:")

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL, and transactions that begin where we say: the driver's own leave DDL outside."""
    connection.isolation_level = None
    _write_ahead(connection)
    for pragma in ("synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _write_ahead(connection: Any) -> None:
    """Turn to write-ahead logging: where several do so at once, SQLite refuses without waiting."""
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > until:
                raise
        else:
            return
        time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes its lock at the beginning: waiting for it later would fail at once."""
    writes = connection.get_execution_options().get("safemark_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
