"""Stands in for LMDeploy."""
