"""Being asked to end: the work in hand first, but not for ever."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from l2c.errors import TransientError
from l2c.stopping import settling_first


def test_nothing_happens_unless_asked():
    told: list[int] = []
    with settling_first(lambda counts: told.append(counts["read"])) as tell:
        tell({"read": 1})
    assert told == [1]


def test_asked_it_ends_when_the_work_in_hand_is_told_and_the_handler_of_before_is_back():
    before, told = signal.getsignal(signal.SIGTERM), list[int]()

    def work() -> None:
        with settling_first(lambda counts: told.append(counts["read"])) as tell:
            os.kill(os.getpid(), signal.SIGTERM)
            tell({"read": 7})

    with pytest.raises(TransientError, match=r"stopped as asked \(SIGTERM\)") as caught:
        work()
    assert caught.value.code == "stopped"
    assert told == [7], "the counts are told first"
    assert signal.getsignal(signal.SIGTERM) is before


def test_asked_after_the_last_page_the_signal_is_passed_on_at_the_end():
    """Else a process that does one run after the other would never end."""
    passed, done = list[int](), list[bool]()
    before = signal.signal(signal.SIGTERM, lambda number, _: passed.append(number))
    try:
        with settling_first(None) as tell:
            tell({})
            os.kill(os.getpid(), signal.SIGTERM)
            done.append(not passed)
        assert done == [True], "the work in hand was done first"
        assert passed == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.fault("C3")
def test_work_that_takes_too_long_does_not_keep_the_process_alive():
    program = """
        import sys, time
        from l2c.stopping import settling_first
        with settling_first(None, patience_s=0.3):
            print("at work", flush=True)
            time.sleep(60)
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"at work\n"
    begun = time.monotonic()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == -signal.SIGTERM
    assert time.monotonic() - begun < 10
    process.stdout.close()


def test_in_other_threads_nothing_is_changed():
    before, seen = signal.getsignal(signal.SIGTERM), list[bool]()

    def work() -> None:
        with settling_first(None) as tell:
            tell({})
            seen.append(signal.getsignal(signal.SIGTERM) is before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [True]
