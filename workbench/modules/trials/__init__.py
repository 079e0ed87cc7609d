"""`TrialModule`: every combination of a module's options, tried side by side."""
