"""The engine: feature matrices, initialisation, training; it knows nothing of store, queue or screen."""
