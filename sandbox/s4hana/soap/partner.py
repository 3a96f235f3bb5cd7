"""A request's business partner as a nested body, as the OData service takes it for a create."""

from typing import Any

from sandbox.s4hana.model import Model
from sandbox.s4hana.soap import fields
from sandbox.s4hana.soap.tree import Tree

GONE = ("03", "05")
"""Action codes that take an element away: delete, which must be there, and remove."""


OWN_EMAIL = "A_BPAddressIndependentEmail"


def action_of(node: Tree) -> str:
    """The action code of a node; without one it is saved."""
    return str(node.get("@actionCode") or "04")


def complete(node: Tree, name: str) -> bool:
    """Whether a list says that it is complete."""
    return node.get(f"@{name}ListCompleteTransmissionIndicator") in ("true", "1")


def listed(node: Tree, name: str) -> list[Tree]:
    """The nodes of a list."""
    found: list[Tree] = node.get(name, [])
    return found


def own_fields(model: Model, node: Tree, category: str, *, clear: bool) -> dict[str, Any]:
    """The partner's own fields; only the first `Common` counts, later ones are of other periods."""
    entity = model["A_BusinessPartner"]
    body: dict[str, Any] = {}
    if node.get("ExternalID") is not None:
        body["BusinessPartnerIDByExtSystem"] = node["ExternalID"]
    for common in listed(node, "Common")[:1]:
        body |= fields.take(common, fields.COMMON, entity, clear=clear)
        body |= fields.take(common, fields.BY_CATEGORY.get(category, {}), entity, clear=clear)
        gender = fields.dig(common, "Person/GenderCode")
        if gender is not None:
            body |= {name: code == gender for code, name in fields.GENDERS.items()}
        if category != "1" and "Language" in body:
            # only persons have an element of their own for the language of letters
            body["CorrespondenceLanguage"] = body["Language"]
    return body


def new_partner(model: Model, node: Tree) -> dict[str, Any]:
    """The whole partner for a create, without what the message takes away."""
    category = node.get("CategoryCode", "")
    body = {"BusinessPartnerCategory": category, **own_fields(model, node, category, clear=False)}
    if node.get("UUID"):
        body["BusinessPartnerUUID"] = node["UUID"]
    if node.get("NumberRangeIntervalBusinessPartnerGroupCode"):
        body["BusinessPartnerGrouping"] = node["NumberRangeIntervalBusinessPartnerGroupCode"]
    body["to_BusinessPartnerRole"] = bodies(model, node, "Role", "A_BusinessPartnerRole", fields.ROLE)
    body["to_BuPaIdentification"] = bodies(model, node, "Identification", "A_BuPaIdentification", fields.IDENTIFICATION)
    body["to_BusinessPartnerTax"] = [tax_number(tax) for tax in _kept(node, "TaxNumber")]
    body["to_BusinessPartnerAddress"] = [new_address(model, address) for address in _kept(node, "AddressInformation")]
    own = node.get("AddressIndependentCommInfo") or {}
    body["to_AddressIndependentEmail"] = bodies(model, own, "Email", OWN_EMAIL, fields.EMAIL)
    if "Customer" in node:
        body["to_Customer"] = new_customer(model, node["Customer"])
    return body


def _kept(node: Tree, name: str) -> list[Tree]:
    return [item for item in listed(node, name) if action_of(item) not in (*GONE, "06")]


def bodies(model: Model, node: Tree, name: str, entity: str, table: fields.Table) -> list[dict[str, Any]]:
    """The elements of a list as bodies."""
    return [fields.take(item, table, model[entity]) for item in _kept(node, name)]


def tax_number(node: Tree) -> dict[str, Any]:
    """A tax number: its category is country and code together; only what is too long is in the long field."""
    kind = node["CountryCode"] + node["TaxIdentificationNumberTypeCode"]
    number = node["LONG_PartyTaxID"] or node["PartyTaxID"]
    fit = len(number) <= 20
    return {"BPTaxType": kind, "BPTaxNumber": number if fit else "", "BPTaxLongNumber": "" if fit else number}


def address_fields(model: Model, node: Tree, *, clear: bool = False) -> dict[str, Any]:
    """An address' own fields; postal addresses in other scripts are left out."""
    entity = model["A_BusinessPartnerAddress"]
    body = fields.take(node, fields.ADDRESS, entity)
    for postal in listed(node["Address"], "PostalAddress"):
        if not postal.get("AddressRepresentationCode"):
            body |= fields.take(postal, fields.POSTAL, entity, clear=clear)
    return body


def new_address(model: Model, node: Tree) -> dict[str, Any]:
    """An address for a create, with what is below it."""
    body = address_fields(model, node)
    if node.get("UUID"):
        body["AddressUUID"] = node["UUID"]
    phones = [telephone(model, phone) for phone in _kept(node["Address"], "Telephone")]
    body["to_PhoneNumber"] = [phone for phone in phones if phone["PhoneNumberType"] != "3"]
    body["to_MobilePhoneNumber"] = [phone for phone in phones if phone["PhoneNumberType"] == "3"]
    body["to_EmailAddress"] = bodies(model, node["Address"], "Email", "A_AddressEmailAddress", fields.EMAIL)
    body["to_FaxNumber"] = [fax(model, item) for item in _kept(node["Address"], "Facsimile")]
    body["to_URLAddress"] = bodies(model, node["Address"], "Web", "A_AddressHomePageURL", fields.WEB)
    usages = bodies(model, node, "AddressUsage", "A_BuPaAddressUsage", fields.USAGE)
    if usages:
        body["to_AddressUsage"] = usages
    return body


def telephone(model: Model, node: Tree) -> dict[str, Any]:
    """A landline or a mobile number."""
    body = _with_area(node, fields.take(node, fields.PHONE, model["A_AddressPhoneNumber"]), "PhoneNumber")
    mobile = node.get("MobilePhoneNumberIndicator") in ("true", "1")
    return {**body, "PhoneNumberType": "3" if mobile else "1"}


def fax(model: Model, node: Tree) -> dict[str, Any]:
    """A fax number."""
    return _with_area(node, fields.take(node, fields.FAX, model["A_AddressFaxNumber"]), "FaxNumber")


def _with_area(node: Tree, body: dict[str, Any], name: str) -> dict[str, Any]:
    """The field holds the number with its area."""
    area = fields.dig(node, "Number/AreaID")
    return {**body, name: f"{area} {body.get(name, '')}".strip()} if area else body


def new_customer(model: Model, node: Tree) -> dict[str, Any]:
    """The customer for a create; its tax classification is that of each of its sales areas."""
    body = fields.take(node, fields.CUSTOMER, model["A_Customer"])
    taxes = bodies(model, node, "TaxClassification", "A_CustomerSalesAreaTax", fields.TAX)
    areas = bodies(model, node, "SalesArrangement", "A_CustomerSalesArea", fields.SALES_AREA)
    body["to_CustomerSalesArea"] = [{**area, "to_SalesAreaTax": [dict(tax) for tax in taxes]} for area in areas]
    body["to_CustomerCompany"] = bodies(model, node, "AccountingInformation", "A_CustomerCompany", fields.COMPANY)
    body["to_CustomerTaxGrouping"] = bodies(model, node, "TaxGrouping", "A_CustomerTaxGrouping", fields.TAX_GROUPING)
    return body
