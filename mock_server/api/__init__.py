"""The URL space: which operations a version of the API has, and in what form it answers."""
