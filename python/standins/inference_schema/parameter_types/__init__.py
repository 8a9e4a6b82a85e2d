"""The types of parameters: see the modules."""
