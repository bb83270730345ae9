"""What is wrong with a connection's TLS, in words for the operator."""

import ssl

#: OpenSSL's reasons when what answers is no TLS; which one, depends on its version.
_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
#: OpenSSL's codes for a certificate that nobody we trust has signed (its manual, X509_STORE_CTX_get_error).
_NOBODY_WE_TRUST = frozenset({18, 19, 20, 21})


def tls_fault(error: ssl.SSLError) -> str:
    """What is wrong, and what to do where that is not plain."""
    if isinstance(error, ssl.SSLCertVerificationError):
        told = f"its certificate is not valid: {error.verify_message.rstrip('.')}"
        trust = " (trusted: the system's certificate authorities, or those in the file that SSL_CERT_FILE names)"
        return told + (trust if error.verify_code in _NOBODY_WE_TRUST else "")
    if error.reason in _NO_TLS:
        return "no TLS on this port: use another port, or security = 'starttls'"
    return str(error)
