"""Interactive Brokers: which accounts are logged in where Trader Workstation or the Gateway listens.

Their protocol: `API`, a zero, then messages of a length (4 bytes, big-endian) and fields that end in a zero.
The answer to the first message is the server's version; `StartApi` (71) is answered with the next order id
(9) and the accounts (15). From version 201 on message ids are 4 bytes. Nothing is subscribed to or ordered.
"""

import socket
import struct
import time
from collections.abc import Mapping
from typing import Final

from engine.credentials.standing import Standing
from engine.errors import UserError
from engine.nautilus.adapters.interactive_brokers import Parameters

_TITLE: Final = "Interactive Brokers"
_LEAST: Final = 213
"""Version that the engine's adapter asks for."""

_VERSIONS: Final = b"v100..213"
_START: Final = 71
_ACCOUNTS: Final = 15
_MESSAGES: Final = 50
_TIMEOUT_S: Final = 5.0
_LENGTH: Final = struct.Struct(">I")


def check(parameters: Parameters, _secrets: Mapping[str, str]) -> Standing:
    """Accounts that are logged in; raises UserError where nothing listens, or it is the wrong login."""
    start = time.perf_counter()
    try:
        with socket.create_connection((parameters.host, parameters.port), _TIMEOUT_S) as line:
            line.sendall(b"API\0" + _framed(_VERSIONS))
            version = int(_fields(_message(line))[0])
            took_ms = (time.perf_counter() - start) * 1_000
            if version < _LEAST:
                raise UserError(
                    f"{_TITLE} speaks protocol {version} there, and the engine's adapter needs {_LEAST} or "
                    "newer; update Trader Workstation or the Gateway."
                )
            accounts = _accounts(line, parameters.client_id + 2)
    except (OSError, ValueError, IndexError):
        raise UserError(
            f"{_TITLE} does not answer at {parameters.host}:{parameters.port}; start Trader Workstation or "
            "the Gateway, log in, and allow socket clients in its API settings."
        ) from None
    if parameters.account_number and parameters.account_number not in accounts:
        raise UserError(
            f"{_TITLE} is logged in with {', '.join(accounts)}, not with {parameters.account_number}; log in "
            "with that, or correct the account number."
        )
    if parameters.environment == "paper" and not all(account.startswith("D") for account in accounts):
        raise UserError(
            f"{_TITLE} is logged in with {', '.join(accounts)}, which is no paper account; log in with one, "
            "or choose the environment live."
        )
    return Standing(
        title=_TITLE,
        environment=parameters.environment,
        account=", ".join(accounts),
        latency_ms=took_ms,
        remarks=("There is no key: the login of Trader Workstation or the Gateway is used.",),
    )


def _accounts(line: socket.socket, client: int) -> list[str]:
    line.sendall(_framed(_LENGTH.pack(_START) + b"2\0" + str(client).encode() + b"\0\0"))
    for _ in range(_MESSAGES):
        message = _message(line)
        if _LENGTH.unpack(message[:4])[0] == _ACCOUNTS:
            return [each for each in _fields(message[4:])[1].split(",") if each]
    raise ValueError("no accounts")


def _framed(message: bytes) -> bytes:
    return _LENGTH.pack(len(message)) + message


def _message(line: socket.socket) -> bytes:
    return _exactly(line, _LENGTH.unpack(_exactly(line, 4))[0])


def _exactly(line: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        block = line.recv(length - len(data))
        if not block:
            raise ConnectionError("it hung up")
        data += block
    return data


def _fields(message: bytes) -> list[str]:
    return message.decode("ascii").split("\0")
