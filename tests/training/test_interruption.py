import os
import signal
import threading
from contextlib import suppress

import pytest

from striate.cli.interrupt import Handler
from striate.training.interruption import Interruption

SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_becomes_a_request_and_the_old_handlers_come_back(number):
    before = [signal.getsignal(each) for each in SIGNALS]
    with Interruption() as stop:
        assert not stop.requested
        os.kill(os.getpid(), number)
        assert stop.requested
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_a_second_signal_interrupts_and_the_old_handlers_come_back():
    before = [signal.getsignal(each) for each in SIGNALS]

    def twice() -> None:
        with Interruption():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        twice()
    assert [signal.getsignal(each) for each in SIGNALS] == before


@pytest.mark.parametrize("raised", [True, False])
def test_an_interrupt_that_was_raised_before_and_swallowed_is_requested(raised):
    handler = Handler()
    before = signal.signal(signal.SIGINT, handler)
    try:
        if raised:
            with suppress(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
        with Interruption() as stop:
            assert stop.requested == raised
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_it_leaves_signals_alone():
    before, seen = signal.getsignal(signal.SIGINT), []

    def work() -> None:
        with Interruption() as stop:
            seen.append((stop.requested, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
