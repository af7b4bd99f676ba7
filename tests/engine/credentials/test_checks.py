"""What is asked of each venue, with a script in place of the network, and what is made of its answers."""

import base64
import hashlib
import hmac
import json
import socket
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from engine.credentials.asking import Answer, Question, asked_over_http
from engine.credentials.checks import check_connection, check_vendor
from engine.errors import UserError
from engine.messages.connection import Connection, Value

KEY = "PlantedKey0123456789abcdefWXYZ"
SIGNING = "UGxhbnRlZFNlY3JldA=="
KEYS = {"api_key": KEY, "api_secret": SIGNING}


class Venue:
    """Answers by path, and remembers what it was asked."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.asked: list[Question] = []

    def __call__(self, question: Question) -> Answer:
        self.asked.append(question)
        found = self.answers[urlsplit(question.url).path]
        status, data = found if isinstance(found, tuple) else (200, found)
        return Answer(status, data, 12.0)

    @property
    def hosts(self) -> set[str]:
        return {urlsplit(each.url).netloc for each in self.asked}


def connection(adapter: str, **parameters: Value) -> Connection:
    return Connection(name="mine", adapter=adapter, parameters=parameters)


def signed(text: str, kind: Any = hashlib.sha256) -> bytes:
    return hmac.new(SIGNING.encode(), text.encode(), kind).digest()


_FAPI = {
    "canTrade": True,
    "assets": [{"asset": "USDT", "walletBalance": "1000.50"}, {"asset": "BNB", "walletBalance": "0.0"}],
}
_RESTRICTIONS = {"ipRestrict": True, "enableReading": True, "enableFutures": True, "enableWithdrawals": False}


def test_binance_is_asked_with_a_signature_and_tells_what_there_is() -> None:
    venue = Venue({"/fapi/v2/account": _FAPI})
    standing = check_connection(connection("binance_futures"), KEYS, venue)
    assert standing.sentence == (
        "Binance futures testnet answers in 12 ms: holds 1,000.5 USDT; may trade. "
        "Binance tells only of live keys whether they may withdraw."
    )
    (question,) = venue.asked
    assert (question.method, venue.hosts) == ("GET", {"testnet.binancefuture.com"})
    query, _, signature = urlsplit(question.url).query.partition("&signature=")
    assert signature == signed(query).hex()
    assert question.headers["X-MBX-APIKEY"] == KEY
    assert SIGNING not in question.url


@pytest.mark.parametrize("adapter", ["binance_futures", "binance_spot"])
def test_a_live_key_that_may_withdraw_is_refused(adapter: str) -> None:
    answers: dict[str, Any] = {
        "/fapi/v2/account": _FAPI,
        "/api/v3/account": {"canTrade": True, "uid": 7, "balances": []},
        "/sapi/v1/account/apiRestrictions": _RESTRICTIONS,
    }
    standing = check_connection(connection(adapter, environment="live"), KEYS, Venue(answers))
    assert standing.withdraws is False
    assert standing.sentence.endswith("may read, trade futures. The key cannot withdraw.")
    answers["/sapi/v1/account/apiRestrictions"] = {**_RESTRICTIONS, "enableWithdrawals": True}
    with pytest.raises(UserError, match="The key of mine may withdraw, so the station does not use it"):
        check_connection(connection(adapter, environment="live"), KEYS, Venue(answers))


def test_a_key_goes_only_to_the_connections_address() -> None:
    venue = Venue({"/fapi/v2/account": _FAPI})
    given = connection("binance_futures", environment="live", base_url_http="https://mirror.example/")
    assert check_connection(given, KEYS, venue).withdraws is None
    assert venue.hosts == {"mirror.example"}


def test_binance_takes_an_ed25519_key() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    venue = Venue({"/fapi/v2/account": _FAPI})
    check_connection(connection("binance_futures"), {"api_key": KEY, "api_secret": pem}, venue)
    query, _, _ = urlsplit(venue.asked[0].url).query.partition("&signature=")
    signature = parse_qs(urlsplit(venue.asked[0].url).query)["signature"][0]
    key.public_key().verify(base64.b64decode(signature), query.encode())


def test_a_clock_that_is_off_is_told() -> None:
    venue = Venue({"/fapi/v2/account": (400, {"code": -1021, "msg": "Timestamp outside"})})
    with pytest.raises(UserError, match="This computer's clock differs from Binance futures's"):
        check_connection(connection("binance_futures"), KEYS, venue)


def test_bybit_tells_all_of_a_key() -> None:
    answers: dict[str, Any] = {
        "/v5/user/query-api": {
            "retCode": 0,
            "result": {
                "userID": 5,
                "readOnly": 0,
                "permissions": {"Wallet": ["AccountTransfer"], "Spot": []},
            },
        },
        "/v5/account/wallet-balance": {
            "retCode": 0,
            "result": {"list": [{"coin": [{"coin": "USDT", "walletBalance": "3"}]}]},
        },
    }
    venue = Venue(answers)
    standing = check_connection(connection("bybit"), KEYS, venue)
    assert (standing.account, standing.withdraws, standing.permissions) == ("5", False, ("AccountTransfer",))
    sent = venue.asked[1].headers
    text = f"{sent['X-BAPI-TIMESTAMP']}{KEY}5000accountType=UNIFIED"
    assert sent["X-BAPI-SIGN"] == signed(text).hex()
    answers["/v5/user/query-api"]["result"]["permissions"]["Wallet"] = ["Withdraw"]
    with pytest.raises(UserError, match="may withdraw"):
        check_connection(connection("bybit"), KEYS, venue)


def test_okx_tells_all_of_a_key() -> None:
    answers: dict[str, Any] = {
        "/api/v5/account/config": {"code": "0", "data": [{"uid": "9", "perm": "read_only,trade"}]},
        "/api/v5/account/balance": {"code": "0", "data": [{"details": [{"ccy": "BTC", "cashBal": "0.5"}]}]},
    }
    venue = Venue(answers)
    standing = check_connection(connection("okx"), {**KEYS, "api_passphrase": "a b"}, venue)
    assert standing.sentence == (
        "OKX demo answers in 12 ms: account 9; holds 0.5 BTC; may read_only, trade. The key cannot withdraw."
    )
    sent = venue.asked[0].headers
    assert (
        sent["OK-ACCESS-SIGN"]
        == base64.b64encode(signed(f"{sent['OK-ACCESS-TIMESTAMP']}GET/api/v5/account/config")).decode()
    )
    assert (sent["x-simulated-trading"], sent["OK-ACCESS-PASSPHRASE"]) == ("1", "a b")
    answers["/api/v5/account/config"]["data"] = [{"perm": "read_only,withdraw,trade"}]
    with pytest.raises(UserError, match="may withdraw"):
        check_connection(connection("okx"), {**KEYS, "api_passphrase": "a b"}, venue)


def test_kraken_spot_is_asked_about_the_key_itself() -> None:
    answers: dict[str, Any] = {
        "/0/private/GetApiKeyInfo": {
            "error": [],
            "result": {"api_key_name": "desk", "permissions": ["query-funds"]},
        },
        "/0/private/Balance": {"error": [], "result": {"ZEUR": "12.5"}},
    }
    venue = Venue(answers)
    standing = check_connection(connection("kraken_spot"), KEYS, venue)
    assert (standing.account, standing.withdraws) == ("desk", False)
    question = venue.asked[0]
    assert question.body is not None
    nonce = parse_qs(question.body.decode())["nonce"][0]
    hashed = hashlib.sha256(f"{nonce}{question.body.decode()}".encode()).digest()
    expected = hmac.new(
        base64.b64decode(SIGNING), b"/0/private/GetApiKeyInfo" + hashed, hashlib.sha512
    ).digest()
    assert question.headers["API-Sign"] == base64.b64encode(expected).decode()
    answers["/0/private/GetApiKeyInfo"]["result"]["permissions"] = ["withdraw-funds"]
    with pytest.raises(UserError, match="may withdraw"):
        check_connection(connection("kraken_spot"), KEYS, venue)


def test_kraken_futures_does_not_tell_of_withdrawals_and_the_sentence_says_so() -> None:
    venue = Venue(
        {
            "/derivatives/api/v3/accounts": {
                "result": "success",
                "accounts": {"cash": {"balances": {"xbt": 1}}, "fi_xbtusd": {"balances": {"xbt": 0.5}}},
            }
        }
    )
    standing = check_connection(connection("kraken_futures"), KEYS, venue)
    assert "holds 1.5 xbt." in standing.sentence
    assert standing.sentence.endswith("Kraken futures does not tell whether the key may withdraw.")
    assert venue.hosts == {"demo-futures.kraken.com"}


def test_coinbase_is_asked_with_a_token() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
    answers: dict[str, Any] = {
        "/api/v3/brokerage/accounts": {
            "accounts": [{"currency": "USD", "available_balance": {"value": "5"}}]
        },
        "/api/v3/brokerage/key_permissions": {"can_view": True, "can_trade": True, "can_transfer": False},
    }
    venue = Venue(answers)
    keys = {"api_key": "organizations/a/apiKeys/b", "api_secret": pem}
    standing = check_connection(connection("coinbase", environment="live"), keys, venue)
    assert (standing.withdraws, standing.permissions) == (False, ("read", "trade"))
    token = venue.asked[1].headers["Authorization"].removeprefix("Bearer ")
    text, _, signature = token.rpartition(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    key.public_key().verify(
        encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:])),
        text.encode(),
        ec.ECDSA(hashes.SHA256()),
    )
    claims = json.loads(base64.urlsafe_b64decode(text.split(".")[1] + "=="))
    assert claims["uri"] == "GET api.coinbase.com/api/v3/brokerage/key_permissions"
    assert claims["exp"] - claims["nbf"] == 120
    answers["/api/v3/brokerage/key_permissions"]["can_transfer"] = True
    with pytest.raises(UserError, match="may withdraw"):
        check_connection(connection("coinbase", environment="live"), keys, venue)
    assert "says nothing of yours" in check_connection(connection("coinbase"), keys, venue).sentence


def test_deribit_keeps_the_secret_to_itself() -> None:
    answers: dict[str, Any] = {
        "/api/v2/public/auth": {
            "result": {"access_token": "token", "scope": "account:read trade:read_write wallet:read"}
        },
        "/api/v2/private/get_account_summaries": {
            "result": {"username": "me", "summaries": [{"currency": "BTC", "equity": 1.5}]}
        },
    }
    venue = Venue(answers)
    standing = check_connection(connection("deribit"), KEYS, venue)
    assert (standing.account, standing.withdraws) == ("me", False)
    assert not any(SIGNING in str(each.url) + (each.body or b"").decode() for each in venue.asked)
    sent = json.loads(venue.asked[0].body or b"")["params"]
    assert sent["signature"] == signed(f"{sent['timestamp']}\n{sent['nonce']}\n").hex()
    answers["/api/v2/public/auth"]["result"]["scope"] = "trade:read_write wallet:read_write"
    with pytest.raises(UserError, match="may withdraw"):
        check_connection(connection("deribit"), KEYS, venue)


def test_hyperliquid_takes_the_key_of_an_api_wallet_and_no_other() -> None:
    keys = {"private_key": "0x" + "11" * 32}
    asked: list[dict[str, str]] = []
    role: dict[str, Any] = {"role": "agent", "data": {"user": "0xmaster"}}

    def venue(question: Question) -> Answer:
        asked.append(json.loads(question.body or b""))
        money = {"marginSummary": {"accountValue": "20.0"}}
        return Answer(200, role if asked[-1]["type"] == "userRole" else money, 3.0)

    standing = check_connection(connection("hyperliquid"), keys, venue)
    assert (standing.account, standing.withdraws) == ("0xmaster", False)
    assert asked[0]["user"] == "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
    role = {"role": "user"}
    with pytest.raises(UserError, match="may withdraw"):
        check_connection(connection("hyperliquid"), keys, venue)
    role = {"role": "missing"}
    with pytest.raises(UserError, match="does not know the key's wallet 0x19e7"):
        check_connection(connection("hyperliquid"), keys, venue)


def test_dydx_says_what_a_wallets_key_is() -> None:
    address = "dydx1l3e9pgs3mmwuwrh95fecme0s0qtn2880qnulfw"
    path = f"/v4/addresses/{address}/subaccountNumber/0"
    keys = {"private_key": "11" * 32}
    standing = check_connection(connection("dydx"), keys, Venue({path: {"subaccount": {"equity": "7"}}}))
    assert standing.sentence.endswith("can always move what the wallet holds, so keep little there.")
    with pytest.raises(UserError, match="has no sub-account 0"):
        check_connection(connection("dydx"), keys, Venue({path: (404, {})}))


@pytest.mark.parametrize("adapter", ["binance_futures", "bybit", "okx", "kraken_spot", "deribit"])
def test_a_refusal_holds_no_key(adapter: str) -> None:
    keys = {**KEYS, "api_passphrase": "phrase of mine"}

    def venue(_: Question) -> Answer:
        said = f"bad {KEY}\nand {SIGNING}"
        return Answer(401, {"msg": said, "retMsg": said, "error": {"message": said}}, 1.0)

    with pytest.raises(UserError, match=r"refuses the key \(.*HTTP 401\); look whether") as error:
        check_connection(connection(adapter), keys, venue)
    assert not any(secret in str(error.value) for secret in keys.values())
    assert "\n" not in str(error.value)


def test_what_cannot_be_asked_is_said() -> None:
    with pytest.raises(UserError, match="cannot ask Derive about a key, nor whether it may withdraw"):
        check_connection(connection("derive"), {}, Venue({}))
    with pytest.raises(UserError, match="cannot ask S3 about a key"):
        check_vendor("s3", "S3", {}, Venue({}))
    with pytest.raises(UserError, match=r"mine lacks its keys \(API secret\)"):
        check_connection(connection("bybit"), {"api_key": KEY}, Venue({}))


def test_vendors_are_asked_for_what_costs_nothing() -> None:
    tardis = Venue({"/v1/api-key-info": [{"exchange": "deribit"}, {"exchange": "bitmex"}]})
    assert "may read bitmex, read deribit" in check_vendor("tardis", "Tardis", {"key": KEY}, tardis).sentence
    assert tardis.asked[0].headers["Authorization"] == f"Bearer {KEY}"
    databento = Venue({"/v0/metadata.list_datasets": ["XNAS.ITCH"]})
    assert "read 1 datasets" in check_vendor("databento", "Databento", {"key": KEY}, databento).sentence


# Over a real line


@contextmanager
def listening(serve: Any) -> Iterator[int]:
    """A server for one visitor; the port that it listens at."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            line, _ = server.accept()
            with line:
                serve(line)

        thread = threading.Thread(target=accept)
        thread.start()
        yield server.getsockname()[1]
        thread.join()


def test_a_redirect_is_not_followed() -> None:
    def elsewhere(line: socket.socket) -> None:
        line.recv(65_536)
        line.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n")

    with listening(elsewhere) as port:
        answer = asked_over_http(Question(f"http://127.0.0.1:{port}/", {"X-MBX-APIKEY": KEY}))
    assert (answer.status, answer.data) == (302, None)


def test_a_place_that_does_not_answer_is_named_without_the_signature() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(UserError, match=rf"127\.0\.0\.1:{port} does not answer") as error:
        asked_over_http(Question(f"http://127.0.0.1:{port}/?signature=abc"))
    assert "signature" not in str(error.value)
    assert error.value.__cause__ is None


def test_a_question_shows_nothing_of_itself() -> None:
    question = Question(f"https://a/?key={KEY}", {"K": KEY}, "POST", KEY.encode())
    assert KEY not in repr(question)


def _tws(accounts: str, version: int = 213) -> Any:
    def framed(data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + data

    def serve(line: socket.socket) -> None:
        hello = line.recv(64)
        assert hello.startswith(b"API\0")
        line.sendall(framed(f"{version}\x0020261121 10:00:00\0".encode()))
        if version < 213:
            return
        start = line.recv(64)
        assert struct.unpack(">I", start[4:8])[0] == 71
        line.sendall(framed(struct.pack(">I", 9) + b"1\x007\0"))
        line.sendall(framed(struct.pack(">I", 15) + f"1\0{accounts}\0".encode()))

    return serve


@pytest.mark.parametrize(
    ("server", "parameters", "said"),
    [
        (_tws("DU1,DU2"), {"account_number": "DU1"}, ""),
        (_tws("DU1"), {"account_number": "DU9"}, "is logged in with DU1, not with DU9"),
        (_tws("U1"), {}, "is logged in with U1, which is no paper account"),
        (_tws("", 187), {}, "speaks protocol 187 there, and the engine's adapter needs 213"),
        (lambda line: line.recv(64), {}, "does not answer at 127.0.0.1:"),
    ],
)
def test_interactive_brokers_is_asked_who_is_logged_in(
    server: Any, parameters: dict[str, Value], said: str
) -> None:
    with listening(server) as port:
        given = Connection(name="ib", adapter="interactive_brokers", parameters={**parameters, "port": port})
        if not said:
            standing = check_connection(given, {})
            assert standing.account == "DU1, DU2"
            assert "There is no key" in standing.sentence
            return
        with pytest.raises(UserError) as error:
            check_connection(given, {})
    assert said in str(error.value)
