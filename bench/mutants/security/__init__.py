"""Faults about keys, certificates, security profiles, logs and signed firmware (white paper)."""

from bench.mutants.security import certificates, logs_and_firmware, passwords_and_profiles, tls

MUTANTS = [*passwords_and_profiles.MUTANTS, *tls.MUTANTS, *certificates.MUTANTS, *logs_and_firmware.MUTANTS]
