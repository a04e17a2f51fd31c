"""Ends by signal as a shell expects them: nothing left behind, and the signal as the cause."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """A signal asks the program to end; raised so that temporary files and transactions go."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def raise_on_signals() -> None:
    """Raise :class:`Interrupted` on SIGINT, SIGTERM and SIGHUP, but for those that are ignored.

    A second signal, of whatever kind, ends the program at once. Processes that are forked
    end by the first.
    """
    os.register_at_fork(after_in_child=_default)
    for number in _ENDING:
        if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
            signal.signal(number, _raise)


def _raise(number: int, frame: FrameType | None) -> NoReturn:
    _default()
    raise Interrupted(number)


def _default() -> None:
    for number in _ENDING:
        if signal.getsignal(number) is _raise:
            signal.signal(number, signal.SIG_DFL)


def die_of(number: int) -> NoReturn:
    """End by the signal itself: a shell's loop goes on after an exit status, and ends by this."""
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    raise SystemExit(128 + number)  # where the signal is blocked
