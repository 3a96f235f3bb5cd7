"""What hangs on an address, by hand: e-mails, phones, faxes and websites, and which of them is the default."""

from typing import Any

from benchmarks.hand_checks import Mistakes, check_letters, check_texts, letters


def preferred(elements: list[dict[str, Any]], field: str) -> Any:
    """The value of the first element that is the default, else of the first that has one."""
    best = None
    for element in elements:
        value = element[field]
        if value is None:
            continue
        if element["default"] is True:
            return value
        if best is None:
            best = value
    return best


def default_line(elements: list[dict[str, Any]]) -> str | None:
    """The number and extension of the default element, else of the first with a number."""
    best = None
    for element in elements:
        if element["number"] is None:
            continue
        if element["default"] is True:
            best = element
            break
        if best is None:
            best = element
    if best is None:
        return None
    extension = best["extension"]
    return f"{best['number']}-{extension}" if extension else best["number"]  # type: ignore[no-any-return]


def emails_of(elements: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [_email(element) for element in elements] if elements else []


def phones_of(elements: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [_phone(element) for element in elements] if elements else []


def faxes_of(elements: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [_fax(element) for element in elements] if elements else []


def websites_of(elements: list[dict[str, Any]] | None) -> list[dict[str, Any]]:
    return [_website(element) for element in elements] if elements else []


def _email(e: dict[str, Any]) -> dict[str, Any]:
    position, address, default = e["OrdinalNumber"], e["EmailAddress"], e["IsDefaultEmailAddress"]
    if not position or len(position) > 3 or (address and len(address) > 241):
        raise Mistakes
    if default is not True and default is not False and default is not None:
        raise Mistakes
    check_texts(position + address if address else position)
    return {"position": position, "address": address or None, "default": default}


def _phone(p: dict[str, Any]) -> dict[str, Any]:
    return _line(
        p["OrdinalNumber"],
        p["DestinationLocationCountry"],
        p["PhoneNumber"],
        p["PhoneNumberExtension"],
        p["IsDefaultPhoneNumber"],
    )


def _fax(f: dict[str, Any]) -> dict[str, Any]:
    return _line(f["OrdinalNumber"], f["FaxCountry"], f["FaxNumber"], f["FaxNumberExtension"], f["IsDefaultFaxNumber"])


def _line(position: Any, country: Any, number: Any, extension: Any, default: Any) -> dict[str, Any]:
    if not position or len(position) > 3 or (number and len(number) > 30) or (extension and len(extension) > 10):
        raise Mistakes
    if country and country not in letters:
        check_letters(country, 2, lower=False)
    if default is not True and default is not False and default is not None:
        raise Mistakes
    check_texts(f"{position}{number or ''}{extension or ''}")
    return {
        "position": position,
        "country": country or None,
        "number": number or None,
        "extension": extension or None,
        "default": default,
    }


def _website(w: dict[str, Any]) -> dict[str, Any]:
    position, url, default = w["OrdinalNumber"], w["WebsiteURL"], w["IsDefaultURLAddress"]
    if not position or len(position) > 3 or (url and len(url) > 2048):
        raise Mistakes
    if default is not True and default is not False and default is not None:
        raise Mistakes
    check_texts(position + url if url else position)
    return {"position": position, "url": url or None, "default": default}
