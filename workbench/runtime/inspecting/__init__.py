"""Models and what their files tell: where they are, of which type, whole or not, with which template."""
