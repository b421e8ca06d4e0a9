"""Chargebee's contract as data: what its API takes and shows, read out of files of facts."""
