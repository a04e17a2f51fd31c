"""Ensembl core databases and data sets."""
