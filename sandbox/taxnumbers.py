"""Tax and bank numbers whose check digits are right, so that validators accept them; none is meant to exist."""

from typing import Any


def iso7064_mod11_10(digits: str) -> int:
    """Check digit of a German VAT number."""
    product = 10
    for digit in digits:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (11 - product) % 10


def german_vat(number: int) -> str:
    """`DE` and nine digits; `number` has at most eight and its first is not 0."""
    digits = f"{number:08d}"
    return f"DE{digits}{iso7064_mod11_10(digits)}"


def austrian_vat(number: int) -> str:
    """`ATU` and eight digits; `number` has at most seven."""
    digits = f"{number:07d}"
    total = 4
    for position, digit in enumerate(digits):
        value = int(digit) * (1 + position % 2)
        total += value // 10 + value % 10
    return f"ATU{digits}{-total % 10}"


def swiss_vat(number: int) -> str:
    """`CHE`, nine digits and `MWST`; `number` has at most eight digits. Numbers without a check digit are stepped over."""
    while True:
        digits = f"{number:08d}"
        check = -sum(int(d) * w for d, w in zip(digits, (5, 4, 3, 2, 7, 6, 5, 4), strict=True)) % 11
        if check < 10:
            return f"CHE{digits}{check}MWST"
        number += 1


def us_employer_number(number: int) -> str:
    """`NN-NNNNNNN`; the number has no check digit."""
    return f"{number // 10_000_000 % 89 + 10:02d}-{number % 10_000_000:07d}"


def japanese_corporate_number(number: int) -> str:
    """Thirteen digits, the check digit first."""
    digits = f"{number:012d}"
    total = sum(int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits)))
    return f"{9 - total % 9}{digits}"


def iban(country: str, account: str) -> str:
    """International account number of a national one, which is all digits."""
    rest = account + "".join(str(ord(letter) - 55) for letter in country) + "00"
    return f"{country}{98 - int(rest) % 97:02d}{account}"


def tax_record(partner: str, country: str, digits: int) -> dict[str, Any]:
    """One entry of `to_BusinessPartnerTax`, its number made of up to forty random bits."""
    if country == "DE":
        kind, number = "DE0", german_vat(10_000_000 + digits % 90_000_000)
    elif country == "AT":
        kind, number = "AT0", austrian_vat(digits % 10_000_000)
    elif country == "CH":
        kind, number = "CH0", swiss_vat(10_000_000 + digits % 80_000_000)
    elif country == "US":
        kind, number = "US02", us_employer_number(digits)
    else:
        kind, number = "JP1", japanese_corporate_number(100_000_000_000 + digits % 800_000_000_000)
    return {"BusinessPartner": partner, "BPTaxType": kind, "BPTaxNumber": number}


# Length of the bank number and of the account in national form, where the country has international account numbers.
IBAN_PARTS = {"DE": (8, 10), "AT": (5, 11), "CH": (5, 12)}


def bank_record(partner: str, country: str, digits: int) -> dict[str, Any]:
    """One entry of `to_BusinessPartnerBank`, made of 64 random bits."""
    bank_length, account_length = IBAN_PARTS.get(country, (9, 10))
    bank = f"{digits % 10**bank_length:0{bank_length}d}"
    account = f"{digits // 10**bank_length % 10**10:0{account_length}d}"
    return {
        "BusinessPartner": partner,
        "BankIdentification": "0001",
        "BankCountryKey": country,
        "BankNumber": bank,
        "BankAccount": account,
        "IBAN": iban(country, bank + account) if country in IBAN_PARTS else "",
    }
