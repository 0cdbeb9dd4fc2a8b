import os
import signal
import threading

import pytest

from m3dsynth_dataset.interruption import between_steps


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_raises_a_flag_and_nothing_else(number):
    with between_steps() as stopping:
        assert not stopping()
        os.kill(os.getpid(), number)
        assert stopping()


def test_the_second_ctrl_c_interrupts():
    with between_steps():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_afterwards_signals_are_what_they_were():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with between_steps():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_in_another_thread_there_is_no_flag():
    seen = []

    def work():
        with between_steps() as stopping:
            seen.append(stopping())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
