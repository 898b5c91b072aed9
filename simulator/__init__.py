"""A Charge Point as OCPP 1.6 edition 2 and its errata describe it, with hands for the EV driver and the power plug."""
