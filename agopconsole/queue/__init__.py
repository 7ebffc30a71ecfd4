"""The queue: claims runs, gives each a process of its own, keeps it alive, ends it."""
