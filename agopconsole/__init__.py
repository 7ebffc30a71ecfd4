"""Queue, watch and compare network initialisations drawn from feature matrices (NFM, AGOP)."""

__version__ = "0.1.0"
