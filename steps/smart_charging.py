"""Sentences about smart charging."""
