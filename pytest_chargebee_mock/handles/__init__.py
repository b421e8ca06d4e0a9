"""A running server in a test's hands."""
