"""`AutoModel`: an online or a local module for a name."""
