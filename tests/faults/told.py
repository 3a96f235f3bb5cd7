"""Faults to be planted in records of both systems, and what has to be told of each.

A partner of S/4HANA carries what is wrong with it in a field of its own, or in its second search term, which rules of this
installation (`RULES`) read when the first one names them. Each fault has a record of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.integration.world import SOURCE, TARGET

READ, WRITE = "mappings/s4hana/business_partner.read.yaml", "mappings/commerce/business_partner.unit.write.yaml"
BACK, SHOP = "mappings/s4hana/business_partner.write.yaml", "mappings/commerce/business_partner.unit.read.yaml"
CANONICAL = "mappings/canonical/business_partner.yaml"
VALUE_MAPS = "mappings/value_maps"
ALL = frozenset({"flow", "key", "field", "line", "next"})
WITHOUT_RULE = ALL - {"field", "line"}

FIELDS = """\
  since: {type: date}
  seen_at: {type: timestamp}
  credit_limit: {type: decimal, decimals: 2}
  employees: {type: integer}
  rating: {type: code, values: [a, b, c]}
  short_name: {type: text, length: 10}
  branch: {type: text, length: 4}
  segment: {type: text, length: 4}
  parent_company: {type: reference, to: business_partner}
"""
RULES = """\
  since: {when: "SearchTerm1 == 'SINCE'", expr: date(SearchTerm2)}
  seen_at: {when: "SearchTerm1 == 'SEEN'", expr: SearchTerm2}
  credit_limit: {when: "SearchTerm1 == 'CREDIT'", expr: SearchTerm2}
  employees: {when: "SearchTerm1 == 'STAFF'", expr: SearchTerm2}
  rating: {when: "SearchTerm1 == 'RATING'", expr: SearchTerm2}
  short_name: {when: "SearchTerm1 == 'SHORT'", expr: SearchTerm2}
  branch: {when: "SearchTerm1 == 'BRANCH'", expr: SearchTerm2, value_map: branch}
  segment: {when: "SearchTerm1 == 'GROUP'", expr: Industry}
  legal_form: {when: "SearchTerm1 == 'LEGAL'", expr: LegalForm, required: true}
  parent_company: {when: "SearchTerm1 == 'PARENT'", expr: SearchTerm2, reference: business_partner}
"""
SHOP_RULES = """\
  l2cSegment: {expr: segment, value_map: segment}
  description: {expr: parent_company, reference: business_partner, missing: reject}
"""
CHANGES = (
    (CANONICAL, "\nfields:\n", "\nfields:\n" + FIELDS),
    (READ, "\nfields:\n", "\nfields:\n" + RULES),
    (READ, "  legal_form: LegalForm\n", ""),
    (WRITE, "  l2cEmail: email\n", "  l2cEmail: email\n" + SHOP_RULES),
)
MAPS = {
    "branch": "value_map: branch\ndescription: Branches.\nvalues: {NORD: N, SUED: S}\n",
    "segment": "value_map: segment\ndescription: Segments of the shop.\nvalues: {GOLD: gold}\n",
}


@dataclass(frozen=True)
class Fault:
    """A fault of one record.

    `system`: where it is told, captured from (`kind` capture) or written to (distribute). `values`: the record that is made.
    `path`: the field as told. `at`: the mapping file the line of the message is in; `line`: what stands in that line.
    `refusal`: how the target answers the write of this record, which `marked_by` tells from others. `parts`: what the message
    has to hold. `rival`: a company registers in the shop under the very key this record would get.
    """

    name: str
    system: str
    kind: str
    values: Mapping[str, Any]
    path: str = ""
    at: str = ""
    line: str = ""
    says: str = ""
    refusal: Mapping[str, Any] | None = None
    parts: frozenset[str] = ALL
    marked_by: str = ""
    rival: bool = False

    @property
    def origin(self) -> str:
        """The system the record is made in."""
        return self.system if self.kind == "capture" else {SOURCE: TARGET, TARGET: SOURCE}[self.system]


def partner(name: str, /, **values: Any) -> dict[str, Any]:
    """A customer of S/4HANA; a dict for `place` or `area` goes into its address or sales area."""
    place = {
        "StreetName": "Hafen",
        "PostalCode": "20457",
        "CityName": "Kiel",
        "Country": "DE",
        **values.pop("place", {}),
    }
    area = {"SalesOrganization": "1010", "DistributionChannel": "10", "Division": "00", **values.pop("area", {})}
    return {
        "BusinessPartnerCategory": "2",
        "BusinessPartnerGrouping": "BP02",
        "OrganizationBPName1": name,
        "to_BusinessPartnerRole": [{"BusinessPartnerRole": "FLCU00"}, {"BusinessPartnerRole": "FLCU01"}],
        "to_BusinessPartnerAddress": [place],
        "to_Customer": {"to_CustomerSalesArea": [area]},
        **values,
    }


def read(name: str, path: str, says: str, /, line: str = "", **values: Any) -> Fault:
    """A partner the read mapping of S/4HANA does not take."""
    made = partner("Ziegelei", **values)
    return Fault(name, SOURCE, "capture", made, path, READ, line or f"{path.rpartition('.')[2]}:", says)


def coded(name: str, path: str, says: str, /, term: str, value: str = "") -> Fault:
    """A partner one of the installation's own rules does not take."""
    return read(name, path, says, SearchTerm1=term, SearchTerm2=value)


def unit(name: str, /, **values: Any) -> dict[str, Any]:
    """What a company that registers in the shop says; a dict for `place` goes into its address."""
    home = {"streetname": "Weg", "postalcode": "89073", "town": "Ulm", "country": "DE", **values.pop("place", {})}
    return {"kind": "company", "uid": name.replace("_", "-"), "name": "Orgelbau OHG", "address": home, **values}


def shown(name: str, path: str, says: str, /, **values: Any) -> Fault:
    """A unit the read mapping of the shop does not take."""
    return Fault(name, TARGET, "capture", unit(name, **values), path, SHOP, f"{path.rpartition('.')[2]}:", says)


def back(name: str, path: str, says: str, /, line: str = "", **values: Any) -> Fault:
    """A unit S/4HANA, or the mapping to it, does not take."""
    last = path.rpartition(".")[2]
    return Fault(name, SOURCE, "distribute", unit(name, **values), path, BACK, line or last, says)


def refused(
    name: str, path: str, code: str, text: str, /, line: str = "", parts: frozenset[str] = ALL, **how: Any
) -> Fault:
    """A partner the shop refuses in these words."""
    body = f'{{"error": {{"code": "{code}", "message": {{"lang": "en", "value": "{text}"}}}}}}'
    answer = {"kind": "status", "status": 400, "body": body, **how}
    made = partner("Ziegelei")
    at = line or f"{path.rpartition('.')[2]}:"
    return Fault(name, TARGET, "distribute", made, path, WRITE if "line" in parts else "", at, text, answer, parts)


LONG = "Am langen Weg hinter dem alten Hafenbecken und noch ein gutes Stück weiter, Haus 7"
CAPTURED = (
    read("category_unknown", "category", "is not in value map 'category'", BusinessPartnerCategory="9"),
    read("country_missing", "addresses.country", "empty, but required", place={"Country": ""}),
    read(
        "country_no_code",
        "addresses.country",
        "expected a country code such as 'DE', not 'D1'",
        place={"Country": "D1"},
    ),
    read("language_no_code", "language", "expected a language code such as 'de'", CorrespondenceLanguage="1N"),
    read("address_language", "addresses.language", "expected a language code", place={"Language": "7X"}),
    read("currency_no_code", "sales_areas.currency", "expected a currency code", area={"Currency": "EU"}),
    read(
        "phone_country",
        "addresses.phones.country",
        "expected a country code",
        place={"to_PhoneNumber": [{"PhoneNumber": "040 1", "DestinationLocationCountry": "49"}]},
    ),
    read("nul_in_a_text", "addresses.district", "holds a NUL character", place={"District": "Hafen\0"}),
    coded("impossible_date", "since", "20250230", "SINCE", "20250230"),
    coded("no_timestamp", "seen_at", "expected a timestamp", "SEEN", "GESTERN"),
    coded("text_for_a_number", "credit_limit", "expected a number, not 'VIEL'", "CREDIT", "VIEL"),
    coded("too_many_decimals", "credit_limit", "expected at most 2 decimals", "CREDIT", "10.005"),
    coded("number_out_of_range", "credit_limit", "expected a number of sensible size, not '1E99'", "CREDIT", "1E99"),
    coded("no_whole_number", "employees", "expected a whole number", "STAFF", "12.5"),
    coded("unknown_code", "rating", "expected one of a, b, c, not 'Z'", "RATING", "Z"),
    coded("text_too_long", "short_name", "15 characters, limit 10", "SHORT", "FÜNFZEHNZEICHEN"),
    coded("hole_in_a_value_map", "branch", "add it to mappings/value_maps/branch.yaml", "BRANCH", "WEST"),
    coded("required_and_empty", "legal_form", "empty, but required", "LEGAL"),
    shown("street_too_long", "addresses.street", f"{len(LONG)} characters, limit 60", place={"streetname": LONG}),
    shown("vat_too_long", "vat_number", "25 characters, limit 20", vatID="DE" + "8" * 23),
    shown("phone_too_long", "addresses.phone", "45 characters, limit 41", place={"phone1": "0" * 45}),
    shown(
        "mail_too_long",
        "email",
        "250 characters, limit 241",
        l2cEmail="x" * 240 + "@x.example",
    ),
)
WRITTEN = (
    Fault(
        *("name_missing", TARGET, "distribute", partner("")),
        *("name", WRITE, "name:", "empty, but required"),
    ),
    Fault(
        *("hole_when_written", TARGET, "distribute", partner("Ziegelei", SearchTerm1="GROUP", Industry="IRON")),
        *("l2cSegment", WRITE, "l2cSegment:", "add it to mappings/value_maps/segment.yaml"),
    ),
    Fault(
        *("reference_unknown", TARGET, "distribute", partner("Ziegelei", SearchTerm1="PARENT", SearchTerm2="4711")),
        *("description", WRITE, "description:", "is not known"),
    ),
    Fault(
        *(
            "country_unknown_there",
            TARGET,
            "distribute",
            partner("Ziegelei", place={"Country": "XK", "PostalCode": ""}),
        ),
        *("addresses.country", WRITE, "country.isocode:", "Item referenced by attribute [country]"),
    ),
    Fault(
        *("key_taken", TARGET, "distribute", partner("Ziegelei")),
        *("uid", WRITE, "uid:", "give this one another key"),
        rival=True,
    ),
    refused("duplicate_key", "uid", "ambiguous", "ambiguous unique keys for [uid]"),
    refused("mandatory_field", "vatID", "missing_property", "Property [vatID] is required for EntityType [B2BUnit]."),
    refused(
        "wrong_code",
        "addresses.region",
        "missing_nav_property",
        "Item referenced by attribute [region] is unknown.",
        line="isocode: {expr: region",
    ),
    refused("wrong_type", "active", "odata_error", "The value of 'active' is not of the type boolean."),
    refused("interceptor", "l2cEmail", "invalid_attribute_value", "[l2cEmail] was refused by an interceptor"),
    refused("no_field_named", "", "runtime_error", "The record was refused", line="to:", parts=ALL - {"field"}),
    refused("locked", "", "internal_error", "deadlock, item was changed", parts=WITHOUT_RULE, status=423),
    refused("precondition", "", "precondition", "The resource was changed", parts=WITHOUT_RULE, status=412),
    back("postal_code", "to_BusinessPartnerAddress.PostalCode", "Postal code '1' does not", place={"postalcode": "1"}),
    back("country_no_one_knows", "to_BusinessPartnerAddress.Country", "is not defined", place={"country": "AQ"}),
    back("mail_wrong", "to_AddressIndependentEmail.EmailAddress", "is not valid", l2cEmail="no-mail"),
    back("nameless", "OrganizationBPName1", "Enter a value for 'OrganizationBPName1'", name=None),
    back(
        "address_key_too_long",
        "to_BusinessPartnerAddress.AddressIDByExternalSystem",
        "empty, but required",
        line="expr: truncate(number, 20)",
        place={"publicKey": "an-address-key-of-its-own"},
    ),
    Fault(
        *("locked_by_a_user", SOURCE, "distribute", unit("locked_by_a_user", name="Glocken OHG"), "", "", ""),
        *("currently being processed by", {"kind": "lock"}, WITHOUT_RULE),
        marked_by="Glocken OHG",
    ),
)
RECORDS = (*CAPTURED, *WRITTEN)
