"""Jobs as a client sees them: asked for, followed, told in words, stopped."""
