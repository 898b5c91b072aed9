"""The cases in which the two parties do what they do every day.

What is about the wire and the session as such is tried in these: a device that differs in all of them need not be
tried in the others, which have variants and faults of their own.
"""

CHARGE_POINT = "001 002 003 004_1 004_2 005_1 007_1 010 011_1 011_2 012 013 014 017_1 019 021 026 028 031 040_1 040_2"
CENTRAL_SYSTEM = (
    "001 003 004_1 004_2 005_1 007 010 011_1 011_2 012 013 014 017_1 019_1 021 023_1 023_2 023_3 026 028 "
    "031 040_1 040_2"
)
IDS = frozenset(
    [f"TC_{number}_CS" for number in CHARGE_POINT.split()] + [f"TC_{number}_CSMS" for number in CENTRAL_SYSTEM.split()]
)
