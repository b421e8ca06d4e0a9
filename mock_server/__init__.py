"""chargebee-mock: a local Chargebee for tests and front-end work."""

__version__ = "0.1.0"
