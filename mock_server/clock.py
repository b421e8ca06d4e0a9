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

    def until(self, moment: float) -> float:
        """Real seconds until `moment`: 0 where it is past, infinite where the clock is frozen."""
        left = moment - self.now()
        if left <= 0:
            return 0.0
        return left if self.frozen_at is None else math.inf
