"""Ensembl core databases: proteins out, gene symbols in, datachecks."""
