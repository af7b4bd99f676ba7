"""Asks a venue or a vendor about the key that is kept for it, as the command line and the window do."""

from app.profiles import Profiles, kept_of
from app.secrets import PROFILES, Fields, Profile, Secrets
from engine.credentials.asking import Ask, asked_over_http
from engine.credentials.checks import can_check, check_connection, check_vendor
from engine.credentials.standing import Standing
from engine.errors import UserError, unknown_name
from engine.nautilus.adapters import adapter_named


def standing_of(name: str, secrets: Secrets, profiles: Profiles, ask: Ask = asked_over_http) -> Standing:
    """Ask about the key of a vendor or of a connection; reads only.

    Raises
    ------
    UserError
        There is no such profile or no key, the venue refuses it or does not answer, or it may withdraw.
    """
    if name in PROFILES:
        vendor = PROFILES[name]
        return check_vendor(name, vendor.title, _kept(vendor, secrets), ask)
    if name not in profiles.names():
        raise unknown_name("profile", name, [*PROFILES, *profiles.names()])
    # Asking costs nothing, so real money needs no leave here.
    connection = profiles.get(name)
    kept = kept_of(connection)
    return check_connection(connection, _kept(kept, secrets) if kept.fields else {}, ask)


def checked_before_trading(name: str, secrets: Secrets, profiles: Profiles) -> str:
    """What is known of a connection's key before orders go out, in a sentence.

    Raises
    ------
    UserError
        The key is refused by the venue, may withdraw, or the venue does not answer.
    """
    adapter = adapter_named(profiles.get(name).adapter)
    if not can_check(adapter.name):
        return f"{adapter.title} cannot be asked about the key, so whether it may withdraw is not known."
    return standing_of(name, secrets, profiles).sentence


def _kept(profile: Profile, secrets: Secrets) -> Fields:
    fields = secrets.get(profile)
    if fields is None:
        raise UserError(
            f"No key is kept for {profile.name}, so there is nothing to ask about; set it with: "
            f"nexttick keys set {profile.name}"
        )
    return fields
