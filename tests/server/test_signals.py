"""SIGINT and SIGTERM at any moment of a wait for them, in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

# A thread sends each signal a little later than the one before it, so that they fall on every step
# of the wait: before it, on the way into the system's call, and in it. A lost one fails by the
# limit of 20 seconds, a deadlock by the dump.
AT_ANY_MOMENT = """
import faulthandler, os, queue, signal, sys, threading, time
from boto_rolesanywhere.server.signals import ending_signals

faulthandler.dump_traceback_later(60, exit=True)
wanted = queue.SimpleQueue()

def send():
    while (moment := wanted.get()) is not None:
        end = time.perf_counter() + moment
        while time.perf_counter() < end:
            pass
        os.kill(os.getpid(), signal.SIGTERM if moment % 2e-6 < 1e-6 else signal.SIGINT)

thread = threading.Thread(target=send)
thread.start()
sys.setswitchinterval(1e-6)
came = 0
for number in range(3000):
    with ending_signals() as ended:
        wanted.put(number % 100 * 1e-6)
        came += ended(20) and ended(0)
wanted.put(None)
thread.join()
print(came)
"""

AFTERWARDS = """
import signal
from boto_rolesanywhere.server.signals import ending_signals

before = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
with ending_signals() as ended:
    print(ended(0))
    signal.raise_signal(signal.SIGINT)
    print(ended(0), ended(None))
print([signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)] == before)
print(signal.set_wakeup_fd(-1))
"""


IGNORED = """
import signal
from boto_rolesanywhere.server.signals import ending_signals

signal.signal(signal.SIGINT, signal.SIG_IGN)
with ending_signals() as ended:
    signal.raise_signal(signal.SIGINT)
    print(ended(0))
    signal.raise_signal(signal.SIGTERM)
    print(ended(0))
print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)
"""


def printed(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill ends a process there")
def test_no_signal_is_lost_whenever_it_comes() -> None:
    assert printed(AT_ANY_MOMENT) == "3000\n"


def test_it_tells_whether_one_came_and_leaves_all_as_it_was() -> None:
    assert printed(AFTERWARDS) == "False\nTrue True\nTrue\n-1\n"


def test_what_is_ignored_stays_so() -> None:
    assert printed(IGNORED) == "False\nTrue\nTrue\n"
