"""Devices whose figures do not change, so that two frames of one store are the same."""

from agopconsole.tui.devices import Device

GIB = 2.0**30
DEVICES = (Device("GPU0 H100", 91.0, 31 * GIB, 80 * GIB, 62.0, 410.0), Device("CPU", 12.0, 3 * GIB, 16 * GIB))
