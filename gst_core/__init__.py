"""GST: gene symbols and cell states for every genome."""

__version__ = "1.0.0"
