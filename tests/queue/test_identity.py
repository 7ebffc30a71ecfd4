import dataclasses
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from agopconsole.queue import identity
from agopconsole.queue.identity import is_alive, process_owner
from agopconsole.store import utc_now


@pytest.fixture
def child():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_this_process_lives():
    assert is_alive(process_owner())


def test_no_owner_is_dead():
    assert not is_alive(None)


def test_a_process_lives_until_it_ends(child):
    owner = process_owner(child.pid)
    assert is_alive(owner)
    child.communicate(b"\n")
    assert not is_alive(owner)
    assert process_owner(child.pid) is None


def test_a_zombie_is_dead(child):
    owner = process_owner(child.pid)
    child.stdin.write(b"\n")
    child.stdin.flush()
    deadline = time.monotonic() + 10
    while psutil.Process(child.pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not is_alive(owner)


def test_a_reused_process_id_is_another_process():
    assert not is_alive(dataclasses.replace(process_owner(), pid_started=process_owner().pid_started - 3600))


def test_a_process_from_before_the_reboot_is_dead():
    assert not is_alive(dataclasses.replace(process_owner(), boot_id="another"), utc_now())


def test_another_machine_is_judged_by_its_heartbeat():
    owner = dataclasses.replace(process_owner(), host="elsewhere", pid=1)
    old = datetime.now(UTC) - timedelta(seconds=identity.SILENT_SECONDS + 1)
    assert is_alive(owner, utc_now())
    assert not is_alive(owner, old.isoformat())
    assert not is_alive(owner, None)
