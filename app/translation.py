"""Marks texts of tables for translation: Qt's tools find the name, and the text stays a text."""


def QT_TRANSLATE_NOOP(context: str, text: str) -> str:  # noqa: ARG001 - the name that Qt's tools look for
    """Leave `text` as it is; `QCoreApplication.translate(context, text)` translates it."""
    return text
