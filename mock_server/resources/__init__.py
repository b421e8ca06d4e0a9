"""What Chargebee knows, one module a resource: its attributes, its parameters, its rules."""
