"""Sentences about firmware management."""
