"""Faults."""

from bench.mutants import Mutant

MUTANTS: list[Mutant] = []
