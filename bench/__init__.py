"""Puts a device on the bench: seats, operators, claims, obligations, verdicts, the pytest plugin, the command line."""
