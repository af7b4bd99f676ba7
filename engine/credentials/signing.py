"""How venues want requests signed, as far as several share it."""

import base64
import binascii
import hashlib
import hmac
import json

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from engine.errors import UserError


def hmac_hex(secret: str, text: str) -> str:
    """HMAC-SHA256 in hexadecimal digits."""
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()


def hmac_base64(secret: str, text: str) -> str:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()


def kraken(secret: str, prefix: bytes, hashed: bytes) -> str:
    """HMAC-SHA512 by the decoded secret of `prefix` and the SHA-256 of `hashed`, in base64."""
    try:
        key = base64.b64decode(secret, validate=True)
    except binascii.Error:
        raise UserError("The API secret is not the base64 text that Kraken gives; copy it again.") from None
    return base64.b64encode(
        hmac.new(key, prefix + hashlib.sha256(hashed).digest(), hashlib.sha512).digest()
    ).decode()


def ed25519_base64(pem: str, text: str) -> str:
    """Ed25519 signature by a PEM key, in base64."""
    key = _loaded(pem)
    if not isinstance(key, ed25519.Ed25519PrivateKey):
        raise UserError("The API secret is a PEM file, but no Ed25519 key; make one with that algorithm.")
    return base64.b64encode(key.sign(text.encode())).decode()


def jwt_es256(pem: str, header: dict[str, object], claims: dict[str, object]) -> str:
    """JSON web token by a PEM key on the curve P-256 (RFC 7518, section 3.4)."""
    key = _loaded(pem.replace("\\n", "\n"))  # as it stands in the vendors' JSON files
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.key_size != 256:
        raise UserError("The private key is not an ECDSA key on P-256; make one with that algorithm.")
    text = ".".join(_url64(json.dumps(part).encode()) for part in (header, claims))
    r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{text}.{_url64(r.to_bytes(32) + s.to_bytes(32))}"


def _loaded(pem: str) -> object:
    try:
        return load_pem_private_key(pem.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError("The private key is no PEM file, or not a whole one; copy it again.") from None


def _url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
