"""Writers of results; all of them write whole files or none."""
