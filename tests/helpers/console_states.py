"""States of the console that do not change with the clock, so that two frames of one store are the same."""

import os
import sqlite3
from contextlib import closing

from agopconsole.tui.devices import Device

GIB = 2.0**30
DEVICES = (Device("GPU0 H100", 91.0, 31 * GIB, 80 * GIB, 62.0, 410.0), Device("CPU", 12.0, 3 * GIB, 16 * GIB))
NOW = "2026-01-01T12:00:00.000Z"
_EARLIER = {"created_at": "10:00", "started_at": "11:00", "ended_at": "11:30", "heartbeat_at": "11:59"}


def set_clock_back(store):
    """Gives whatever a store has recorded times of its own, the last of them a minute before `NOW`."""
    with closing(sqlite3.connect(store.path)) as connection, connection:
        for column, time in _EARLIER.items():
            moment = f"2026-01-01T{time}:00.000Z"
            connection.execute(f"UPDATE runs SET {column} = ? WHERE {column} IS NOT NULL", (moment,))
        connection.execute("UPDATE workers SET started_at = ?, heartbeat_at = ?", (NOW, NOW))
        connection.execute("UPDATE logs SET time = ?", (NOW,))
    for file in store.files.glob("*/*"):
        os.utime(file, (1767268800, 1767268800))
