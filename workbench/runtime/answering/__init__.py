"""A chat's answer while it arrives: from a request to an endpoint to the pieces that a user reads."""
