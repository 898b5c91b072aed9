"""Sentences about reservation."""
