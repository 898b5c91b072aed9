"""OCPP-J 1.6 as both parties speak it: frames, schemas, RPC rules, a peer on a WebSocket, transcripts and time.

Knows no role and no test case. ``frames``, ``errors``, ``schemas`` and ``session`` do no I/O.
"""
