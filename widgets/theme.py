"""The design tokens as widgets use them; the values stand in one file, `resources/themes.toml`."""

import msgspec
from PySide6.QtGui import QColor


class Theme(msgspec.Struct, frozen=True, kw_only=True):
    """Colours by meaning, each `#RRGGBB`; `heat` runs from nothing to most, perceptually even."""

    name: str
    window: str
    panel: str
    raised: str
    line: str
    text: str
    quiet: str
    bid: str
    ask: str
    signal: str
    warning: str
    danger: str
    selection: str
    heat: list[str]

    def colour(self, token: str, alpha: float = 1.0) -> QColor:
        """Colour of a token, `alpha` 0 to 1."""
        colour = QColor(getattr(self, token))
        colour.setAlphaF(alpha)
        return colour


def load_themes(toml: bytes, *, colour_blind: bool = False) -> dict[str, Theme]:
    """Themes by name from the text of `themes.toml`.

    Raises
    ------
    msgspec.ValidationError
        A token is missing or is not a colour's name.
    """
    tables = msgspec.toml.decode(toml, type=dict[str, dict[str, str | list[str]]])
    safe_pair = tables.pop("colour_blind")
    return {
        name: msgspec.convert({"name": name, **table, **(safe_pair if colour_blind else {})}, Theme)
        for name, table in tables.items()
    }
