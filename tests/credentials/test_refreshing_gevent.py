"""Credentials under gevent, whose greenlets take the place of threads, of locks and of sleep."""

from __future__ import annotations

from refreshing_world import run

RENEWALS = """
from gevent import monkey
monkey.patch_all()
import sys
sys.path[:0] = sys.argv[1:]
import gevent
from refreshing_world import World, use

def all_use(credentials):
    jobs = [gevent.spawn(use, credentials) for _ in range(200)]
    gevent.joinall(jobs, timeout=60)
    assert all(job.successful() for job in jobs), [job.exception for job in jobs]
    return {job.value for job in jobs}

# The service takes its time, in which all other greenlets run.
world = World(during=lambda: gevent.sleep(0.05))
credentials = world.credentials()
assert all_use(credentials) == {"ASIA1"}
world.pass_time(2500)
assert all_use(credentials) == {"ASIA1"}  # nobody waits
gevent.sleep(0.1)
assert all_use(credentials) == {"ASIA2"}
world.pass_time(3600)
assert all_use(credentials) == {"ASIA3"}  # nobody has what has ended
assert world.tried == 3
"""


def test_greenlets_share_each_renewal_and_wait_for_none_that_is_early() -> None:
    done = run(RENEWALS)

    assert done.returncode == 0, done.stderr
