"""Metrics, comparison with known symbols, plots."""
