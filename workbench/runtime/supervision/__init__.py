"""The supervisor of a job and what it is made of: stages, their ends, what they leave behind."""
