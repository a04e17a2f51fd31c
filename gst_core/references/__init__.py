"""Reference proteins: stored small, searched by their words, aligned with what resembles them."""
