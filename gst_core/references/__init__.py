"""Reference proteins: stored small, searched by their seeds, aligned with what resembles them."""
