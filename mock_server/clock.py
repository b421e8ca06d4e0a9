"""A site's own time, which tests may stop and move."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds since 1970, UTC: the machine's time plus `offset`, or `frozen_at` while it is set."""

    offset: float = 0.0
    frozen_at: float | None = None

    def now(self) -> float:
        return time.time() + self.offset if self.frozen_at is None else self.frozen_at

    def moved(self, seconds: float) -> Clock:
        """The clock, put forward or back; one that stands still goes on standing still."""
        frozen_at = None if self.frozen_at is None else self.frozen_at + seconds
        return Clock(self.offset + seconds, frozen_at)

    def running(self) -> Clock:
        """The clock, going on from where it stands."""
        return self if self.frozen_at is None else Clock(self.frozen_at - time.time())

    def until(self, moment: float) -> float:
        """Real seconds until `moment`: 0 where it is past, infinite where the clock is frozen."""
        left = moment - self.now()
        if left <= 0:
            return 0.0
        return left if self.frozen_at is None else math.inf
