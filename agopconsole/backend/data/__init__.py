"""Data sets: found on disk or fetched, read into memory, split, and fed to a network in batches."""

from agopconsole.backend.data.dataset import Dataset, Images, Report, silent
from agopconsole.backend.data.loading import DatasetStatus, fetch, load_dataset, status
from agopconsole.backend.data.pictures import Pictures, channel_statistics
from agopconsole.backend.data.splitting import Split, epoch_order, split

__all__ = [
    "Dataset",
    "DatasetStatus",
    "Images",
    "Pictures",
    "Report",
    "Split",
    "channel_statistics",
    "epoch_order",
    "fetch",
    "load_dataset",
    "silent",
    "split",
    "status",
]
