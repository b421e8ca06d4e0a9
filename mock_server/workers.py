"""Processes that share one piece of work, and end with the one that started them."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Final, TypeAlias

Work: TypeAlias = Callable[[Callable[[], None]], None]
"""What each process does until SIGTERM. It calls what it is given once it is ready; a
ChildProcessError says in one line why it cannot."""

_READY_WITHIN: Final = 30.0
_STOPS_WITHIN: Final = 10.0
_TRIES: Final = 3
"""How many processes in a row may end before they are ready."""

_spawn = multiprocessing.get_context("spawn")
_log = logging.getLogger("chargebee_mock")


def supervise(work: Work, count: int, announce: Callable[[], None]) -> None:
    """Run that many processes until SIGINT or SIGTERM; one that ends is replaced.

    `announce` is called when all are ready. ChildProcessError, with the reason in one line, where
    they do not come up.
    """
    stopped, stopper = socket.socketpair()
    stopper.setblocking(False)
    signal.set_wakeup_fd(stopper.fileno(), warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)  # what counts is that it wakes
    workers = [_Worker(work) for _ in range(count)]
    try:
        _watch(workers, work, stopped, announce)
    finally:
        _stop(workers, stopped)


class _Worker:
    """One process, and what it reports."""

    def __init__(self, work: Work, failures: int = 0) -> None:
        self.failures = failures
        """How many before it, in a row, have ended before they were ready."""
        self.reports, reported = _spawn.Pipe(duplex=False)
        self.process = _spawn.Process(target=_run, args=[work, reported])
        with _interrupts_held_back():
            self.process.start()
        reported.close()
        self.ready = False
        self.reason: str | None = None
        """Why it cannot do its work, where it knows."""

    def listen(self) -> None:
        """Take in what it has reported."""
        try:
            while self.reports.poll():
                self.reason = self.reports.recv()
                self.ready = self.reason is None
        except EOFError:
            pass

    def end(self) -> str:
        """How it ended."""
        code = self.process.exitcode
        if code is not None and code < 0:
            return f"it was ended by {signal.Signals(-code).name}"
        return f"its exit code is {code}"


def _watch(
    workers: list[_Worker], work: Work, stopped: socket.socket, announce: Callable[[], None]
) -> None:
    """Until there is a signal; ChildProcessError where it is of no use to go on."""
    announced = False
    deadline = time.monotonic() + _READY_WITHIN
    while True:
        ends = [worker.process.sentinel for worker in workers]
        reports = [worker.reports for worker in workers if not worker.ready]
        left = None if announced else max(deadline - time.monotonic(), 0)
        if stopped in wait([stopped, *ends, *reports], left):
            stopped.recv(1)
            return
        for place, worker in enumerate(workers):
            worker.listen()
            if worker.process.is_alive():
                continue
            failures = 0 if worker.ready else worker.failures + 1
            if failures == _TRIES or (worker.reason and not announced):
                raise ChildProcessError(
                    worker.reason or f"server processes end before they are ready: {worker.end()}"
                )
            _log.warning("a server process ended: %s; another takes its place", worker.end())
            workers[place] = _Worker(work, failures)
        if not announced and all(worker.ready for worker in workers):
            announced = True
            announce()
        if not announced and time.monotonic() > deadline:
            raise ChildProcessError(f"a server process was not ready within {_READY_WITHIN:.0f} s")


def _stop(workers: list[_Worker], stopped: socket.socket) -> None:
    """Stop all of them; another signal is passed on, and who does not stop in time is ended."""
    deadline = time.monotonic() + _STOPS_WITHIN
    for worker in workers:
        worker.process.terminate()
    while alive := [worker.process for worker in workers if worker.process.is_alive()]:
        left = deadline - time.monotonic()
        happened = wait([stopped, *(process.sentinel for process in alive)], max(left, 0))
        if stopped in happened:
            stopped.recv(1)
            for process in alive:
                process.terminate()
        elif not happened:
            for process in alive:
                process.kill()
                process.join()


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Processes that are started here do not see Ctrl-C, which a terminal sends to all of a group.

    Whoever started them sees it, and stops them.
    """
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _run(work: Work, reports: Connection) -> None:
    """What a process does."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        work(lambda: reports.send(None))
    except ChildProcessError as error:
        reports.send(str(error))
        sys.exit(1)


def _end_with_parent() -> None:
    """Stop when the process that started this one has ended, however it ended."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(_STOPS_WITHIN)
    os._exit(1)
