"""When a job that failed is tried again, and when it is given up."""

from __future__ import annotations

import random
from dataclasses import dataclass

from medcam.core.errors import InputError, InvalidValueError, MedcamError, ModelError, UsageError

_PERMANENT = (UsageError, InvalidValueError, ModelError, InputError)
"""Errors of the call and of the data: the same call fails in the same way."""


class PermanentError(MedcamError):
    """Wraps an error that another attempt would meet again.

    Args:
        error: What went wrong; its code, message and next step are kept.
    """

    def __init__(self, error: MedcamError) -> None:
        super().__init__(error.message, code=error.code, next_step=error.next_step)

    def __reduce__(self) -> tuple[object, ...]:
        return (PermanentError, (MedcamError(self.message, code=self.code, next_step=self.next_step),))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How failed jobs are tried again.

    Args:
        attempts: Failures after which a job is given up.
        first: Seconds before the second attempt.
        factor: By how much each wait is longer than the one before.
        longest: Seconds that no wait exceeds.
        jitter: Share of a wait that is drawn at random, so that what failed together is not tried again together.
        losses: Workers that may die over a job before it is given up: it may be what kills them.
    """

    attempts: int = 8
    first: float = 2.0
    factor: float = 4.0
    longest: float = 3600.0
    jitter: float = 0.25
    losses: int = 50

    def __post_init__(self) -> None:
        if self.attempts < 1 or self.losses < 1:
            raise InvalidValueError("a job needs at least one attempt")
        if min(self.first, self.longest) < 0 or self.factor < 1 or not 0 <= self.jitter <= 1:
            raise InvalidValueError("waits are not negative and do not get shorter, and jitter is a share")

    def delay(self, failures: int) -> float:
        """Seconds to wait after so many failures, at least one."""
        wait = min(self.longest, self.first * self.factor ** min(failures - 1, 64))
        return wait * (1.0 - self.jitter * random.random())  # noqa: S311  no secret

    def gives_up(self, error: Exception, failures: int) -> bool:
        """Whether a job is given up that failed with an error, for the `failures`th time."""
        return failures >= self.attempts or isinstance(error, (PermanentError, *_PERMANENT))
