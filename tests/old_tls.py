"""TLS as it was: contexts that speak what nobody may speak any more."""

import ssl
import warnings


def lax(context: ssl.SSLContext, suites: str = "ALL:@SECLEVEL=0") -> ssl.SSLContext:
    """With any version and, of those named, any cipher suite."""
    context.set_ciphers(suites)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is what they are
        context.minimum_version = ssl.TLSVersion.TLSv1
    return context


def only(version: ssl.TLSVersion, context: ssl.SSLContext) -> ssl.SSLContext:
    """With this version alone."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context
