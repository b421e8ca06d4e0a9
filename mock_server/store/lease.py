"""Of the servers that share a database, the one that delivers.

The operating system holds the lock, so it is free the moment its holder dies.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from mock_server.store.database import Database

if TYPE_CHECKING:  # imported with the first delivery: most servers never make one
    from filelock import FileLock


_log = logging.getLogger("chargebee_mock")


class Lease:
    """The right to deliver what is scheduled in a database, which one process at a time has."""

    def __init__(self, database: Database) -> None:
        self._path = database.path
        self._lock: FileLock | None = None
        self.failure: str | None = None
        """Why nobody can take the lease, when this process last tried; None where one can."""

    def held(self) -> bool:
        """Whether this process has the lease, or could take it just now."""
        if self._path is None:  # nobody shares what is in memory
            return True
        from filelock import FileLock, Timeout

        if self._lock is not None and self._lock.is_locked:
            return True
        # Whoever comes by a link to the database finds the same lock.
        kept = Path(self._path).resolve()
        file = f"{kept}.lease"
        try:
            if self._lock is None:
                mode = kept.stat().st_mode & 0o666  # whoever may write the database may deliver
                self._lock = FileLock(file, mode=mode)
            self._lock.acquire(blocking=False)
        except Timeout:
            held, failure = False, None
        except (OSError, NotImplementedError) as error:
            held, failure = False, f"cannot lock {file}: {_reason(error)}"
        else:
            held, failure = True, None
        if failure is not None and failure != self.failure:
            _log.error("nothing is delivered from here: %s", failure)
        self.failure = failure
        return held

    def release(self) -> None:
        """Leave the deliveries to another process."""
        if self._lock is not None:
            self._lock.release()


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
