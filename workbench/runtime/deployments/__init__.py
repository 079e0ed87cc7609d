"""Deployments that run or shall run: where they answer, how they are, whether they fit, who shares them."""
