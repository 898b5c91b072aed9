"""A Central System that does what OCPP 1.6 edition 2, its errata and OCPP-J 1.6 say.

``central_system`` holds the connections, ``store`` what is known, and one module per feature profile the handlers:
functions named after their action, which get the store as one Charge Point's request sees it and the request, and
return the payload of the .conf. A profile that has no module is answered NotSupported.
"""
