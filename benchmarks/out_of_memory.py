"""A run that a GPU's memory does not hold, on a GPU: is it tried again with half as many images at once, and done?

    python benchmarks/out_of_memory.py [--device cuda] [--batch N]

The run trains once alone, and its peak is read. Then another process takes the memory but for half of that peak,
and the same run is queued again.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import torch
from record import write_result

from agopconsole.backend import devices
from agopconsole.store import Store

LEFT = 0.5
RUN = ("--init", "kaiming_uniform", "--dataset", "digits", "--model", "vgg11", "--epochs", "3", "--image-size", "96")


class Watch(threading.Thread):
    """Reads how much of a GPU's memory is free, until it is stopped; the least counts."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(daemon=True)
        self._device, self._ended = device, threading.Event()
        self.least = torch.cuda.mem_get_info(device)[0]

    def run(self) -> None:
        """Looks every two milliseconds."""
        while not self._ended.wait(0.002):
            self.least = min(self.least, torch.cuda.mem_get_info(self._device)[0])

    def stop(self) -> int:
        """The least there was, in bytes."""
        self._ended.set()
        self.join()
        return self.least


def train(folder: Path, device: torch.device, seed: int, batch: int) -> tuple[dict[str, Any], list[str]]:
    """Trains one run through the command line; what the store says of it, and its log."""
    command = [sys.executable, "-m", "agopconsole", "run", *RUN, "--seed", str(seed), "--batch-size", str(batch)]
    command += ["--device", str(device)]
    subprocess.run(command, cwd=folder, check=False)
    with Store(folder / "runs.db") as store:
        run = store.runs()[-1]
        log = [line.message for line in store.logs(run.id)]
    return {
        "status": run.status,
        "at once": run.micro_batch or run.batch_size,
        "test accuracy": run.test_accuracy,
        "error": run.error,
    }, log


def main() -> None:
    """Prints what became of the run with all of the memory, and with too little."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=1024)
    asked = parser.parse_args()
    device = devices.pick(asked.device)
    with tempfile.TemporaryDirectory() as name:
        free = torch.cuda.mem_get_info(device)[0]
        watch = Watch(device)
        watch.start()
        alone, _ = train(Path(name), device, 0, asked.batch)
        peak = free - watch.stop()
        taken = torch.empty(free - int(LEFT * peak), dtype=torch.uint8, device=device)
        pressed, log = train(Path(name), device, 1, asked.batch)
    print(f"alone: peak {peak / 2**20:.0f} MiB, {alone}")
    print(f"with {taken.numel() / 2**20:.0f} MiB taken by another process: {pressed}")
    print(*(line for line in log if "memory" in line), sep="\n")
    figures = {"peak_bytes": peak, "taken_bytes": taken.numel(), "alone": alone, "pressed": pressed}
    write_result("out_of_memory", figures, device)
    sys.exit(pressed["status"] != "done" or pressed["at once"] == asked.batch)


if __name__ == "__main__":
    main()
