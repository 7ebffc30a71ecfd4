"""What every test shares: one thread a process, since small tensors and a busy machine make more of them slower."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
