"""Texts for the operator about failures of TLS, the same for every server."""

import ssl

#: OpenSSL's reasons if the peer does not speak TLS; which one it gives depends on its version.
_NOT_TLS = frozenset({"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "RECORD_LAYER_FAILURE"})
#: OpenSSL's codes for a certificate without a trusted issuer (its manual, X509_STORE_CTX_get_error).
_UNTRUSTED = frozenset({18, 19, 20, 21})


def tls_fault(error: ssl.SSLError) -> str:
    """What is wrong and, where it is not obvious, what to do."""
    if isinstance(error, ssl.SSLCertVerificationError):
        fault = f"its certificate is not valid: {error.verify_message.rstrip('.')}"
        trust = " (trusted: the system's certificate authorities, or those in the file that SSL_CERT_FILE names)"
        return fault + (trust if error.verify_code in _UNTRUSTED else "")
    if error.reason in _NOT_TLS:
        return "no TLS on this port: use another port, or security = 'starttls'"
    return str(error)
