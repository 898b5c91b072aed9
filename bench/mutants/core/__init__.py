"""Faults about what every Charge Point and every Central System does (OCPP 1.6 chapters 4 and 5)."""

from bench.mutants import Mutant
from bench.mutants.core import power_and_configuration, sessions

MUTANTS: list[Mutant] = [*sessions.MUTANTS, *power_and_configuration.MUTANTS]
