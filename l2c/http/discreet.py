"""Words of other systems and of libraries, made fit for messages and logs: no mail address, phone number or quoted name."""

import logging
import re
from collections.abc import Iterable

MASK = "•••"
_MAIL = re.compile(r"[\w.+%-]{1,64}(?:@|%40)[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}")
_PHONE = re.compile(r"(?<![\w.:-])(?:\+\d|0\d)[\d()/-]*(?: [\d()/-]+)+(?![\w.:])|(?<!\w)\+\d{8,15}\b")
_QUOTED = re.compile(
    r"(?<!\w)'(?=\S)[^'\n]{0,200} [^'\n]{0,200}(?<=\S)'(?!\w)|(?<!\w)\"(?=\S)[^\"\n]{0,200} [^\"\n]{0,200}(?<=\S)\"(?!\w)"
    r"|„[^“\n]{1,200}“|“[^”\n]{1,200}”|«[^»\n]{1,200}»"
)
_WORD = re.compile(r"\w{4,}")
_KEY = re.compile(r"\([^/]*\)")
_SHORTEST = 3


def discreet(text: str) -> str:
    """A system's own words without mail addresses, phone numbers, and quoted texts of several words (names, not fields)."""
    return _PHONE.sub(MASK, _QUOTED.sub(f"'{MASK}'", _MAIL.sub(MASK, text)))


def hidden(text: str, values: Iterable[str]) -> str:
    """A text without these values, nor any word of four letters or more that stands in one of them."""
    whole = sorted({value for value in values if len(value) >= _SHORTEST}, key=len, reverse=True)
    words = {word for value in whole for word in _WORD.findall(value)}
    for value in [*whole, *sorted(words - set(whole), key=len, reverse=True)]:
        # a word inside a key ('nord-seifert-kg') stays: whoever repairs needs the key
        text = re.sub(rf"(?<![\w-]){re.escape(value)}(?![\w-])", MASK, text, flags=re.IGNORECASE)
    return text


def without_keys(record: logging.LogRecord) -> bool:
    """A filter for loggers of libraries that show addresses: takes query and key values out of each; lets every record pass."""
    if isinstance(record.args, tuple):
        record.args = tuple(_address(value) if isinstance(value, str) else value for value in record.args)
    return True


def _address(text: str) -> str:
    return _KEY.sub("(…)", text.partition("?")[0]) if "/" in text else text
