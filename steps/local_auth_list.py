"""Sentences about local auth list."""
