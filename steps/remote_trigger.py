"""Sentences about remote trigger."""
