"""The risk policy in force and all that were before it: TOML in the station's own folder, one file a version.

`risk.toml` is the one in force and may be edited by hand; the folder `risk` beside it keeps every version
with the time at which it was put in force. Nothing is ever removed from there.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from app.paths import CONFIGS, home
from app.toml import encode, write_atomically
from engine.errors import UserError, in_words
from engine.messages.limits import KillRules, Limits, Protection, RiskPolicy
from engine.messages.orders import EXTERNAL, HAND
from engine.messages.run import Run
from engine.risk.ruling import check_policy

_KEPT: Final = "[0-9][0-9][0-9][0-9][0-9][0-9].toml"
"""Files of the versions."""
_BORNE: Final = re.compile(r".-\d{3}$")
"""How the name of a strategy ends that its orders bear."""
_OFF: Final = "off"
"""A kill rule that is none; TOML has no such value, and leaving it out would mean its default."""


class PolicyVersion(msgspec.Struct, frozen=True):
    """A policy and when it was put in force, UTC in ISO 8601; empty of the one that the station came with."""

    time: str
    policy: RiskPolicy


class _Stored(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A policy as it stands in a file."""

    version: int = 1
    time: str = ""
    account: Limits = Limits()
    strategies: dict[str, Limits] = {}
    instruments: dict[str, Limits] = {}
    protection: Protection = Protection()
    kill: dict[str, Any] = {}


def under_limits(run: Run) -> Run:
    """`run` under the person's limits, where orders are of today and it has none of its own.

    A replay or back-test keeps to what it says itself, so that it gives the same wherever it runs.

    Raises
    ------
    UserError
        See `Policies.current`.
    """
    if run.mode == "replay" or run.policy != RiskPolicy():
        return run
    return msgspec.structs.replace(run, policy=Policies().current().policy)


class Policies:
    """The policies of one folder.

    Parameters
    ----------
    folder : Path, optional
        By default the station's own.
    """

    def __init__(self, folder: Path | None = None) -> None:
        folder = home() if folder is None else folder
        self.path = folder / "risk.toml"
        self._kept = folder / "risk"

    def current(self) -> PolicyVersion:
        """The policy in force; the one that the station came with where none was set.

        Raises
        ------
        UserError
            The file cannot be used; the sentence says what is wrong with it.
        """
        return _read(self.path if self.path.exists() else CONFIGS / "risk.toml")

    def versions(self) -> list[PolicyVersion]:
        """All that were ever put in force here, oldest first."""
        return [_read(path) for path in sorted(self._kept.glob(_KEPT))]

    def save(self, policy: RiskPolicy, now: datetime | None = None) -> RiskPolicy:
        """Put a policy in force under the next version, and keep it; answers it with its version.

        Raises
        ------
        UserError
            It cannot be held, or written.
        """
        check_policy(policy)
        time = f"{(now or datetime.now(UTC)).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        newest = max((int(path.stem) for path in self._kept.glob(_KEPT)), default=0)
        try:
            edited = self._edited(newest)
            if edited is not None:
                newest += 1
                self._write(self._kept / f"{newest:06}.toml", _numbered(edited.policy, newest), edited.time)
            saved = _numbered(policy, newest + 1)
            self._write(self._kept / f"{saved.version:06}.toml", saved, time)
            self._write(self.path, saved, time)
        except OSError as error:
            raise UserError(
                f"The limits could not be written to {self.path.parent}: {error.strerror}; check the folder."
            ) from error
        return saved

    def _edited(self, newest: int) -> PolicyVersion | None:
        """What is in force but not kept yet, as it was written by hand; None where there is no such thing."""
        if not self.path.exists():
            return None
        in_force = self.current()
        if newest and _numbered(_read(self._kept / f"{newest:06}.toml").policy, 0) == _numbered(
            in_force.policy, 0
        ):
            return None
        written = datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        return PolicyVersion(f"{written:%Y-%m-%dT%H:%M:%SZ}", in_force.policy)

    @staticmethod
    def _write(path: Path, policy: RiskPolicy, time: str) -> None:
        stored = _Stored(
            version=policy.version,
            time=time,
            account=policy.account,
            strategies=policy.strategies,
            instruments=policy.instruments,
            protection=policy.protection,
            kill=kill_settings(policy.kill),
        )
        write_atomically(path, encode(stored))


def kill_settings(rules: KillRules) -> dict[str, Any]:
    """Kill rules as they stand in a file: what is none is `off`."""
    return {name: _OFF if value is None else value for name, value in msgspec.to_builtins(rules).items()}


def _read(path: Path) -> PolicyVersion:
    try:
        stored = msgspec.toml.decode(path.read_bytes(), type=_Stored)
        kill = {name: None if value == _OFF else value for name, value in stored.kill.items()}
        policy = RiskPolicy(
            version=stored.version,
            account=stored.account,
            strategies=stored.strategies,
            instruments=stored.instruments,
            protection=stored.protection,
            kill=msgspec.convert(kill, KillRules),
        )
        _check_strategies(policy)
        return PolicyVersion(stored.time, check_policy(policy))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UserError(f"{path} cannot be used: {in_words(error)}; correct it or remove it.") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}; check its permissions.") from error
    except UserError as error:
        raise UserError(f"{path} cannot be used. {error}") from error


def _check_strategies(policy: RiskPolicy) -> None:
    """Refuse limits of a strategy by a name that no order bears: they would bind nothing, unseen."""
    for name in policy.strategies:
        if name != EXTERNAL and not _BORNE.search(name):
            raise UserError(
                f"The limits of strategy {name!r} hold none; name it as its orders are, such as "
                f"{name.replace('_', '-')}-002, or {HAND} for those by hand."
            )


def _numbered(policy: RiskPolicy, version: int) -> RiskPolicy:
    return msgspec.structs.replace(policy, version=version)
