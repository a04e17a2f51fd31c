"""Training sets: proteins of databases, with the symbols and species that these give them."""
