"""Chargebee's HTTP dialect; knows no resource."""
