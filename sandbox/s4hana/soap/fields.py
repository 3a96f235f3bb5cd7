"""Which element of a message is which field of the business partner, in both directions.

A table pairs paths inside a node with property names. Read into the form of a JSON body, so that the same checks apply
as for the OData service; written from stored rows.
"""

from collections.abc import Mapping
from typing import Any

from sandbox.s4hana.model import Entity, Property
from sandbox.s4hana.soap.tree import Tree
from sandbox.s4hana.tables import Row
from sandbox.s4hana.values import pad

Table = Mapping[str, str]

COMMON: Table = {
    "DeletedIndicator": "IsMarkedForArchiving",
    "BlockedIndicator": "BusinessPartnerIsBlocked",
    "KeyWordsText": "SearchTerm1",
    "AdditionalKeyWordsText": "SearchTerm2",
    "VerbalCommunicationLanguageCode": "Language",
}
PERSON: Table = {
    "Person/Name/FormOfAddressCode": "FormOfAddress",
    "Person/Name/GivenName": "FirstName",
    "Person/Name/MiddleName": "MiddleName",
    "Person/Name/FamilyName": "LastName",
    "Person/Name/AdditionalFamilyName": "AdditionalLastName",
    "Person/Name/BirthName": "BusinessPartnerBirthName",
    "Person/Name/InitialsName": "Initials",
    "Person/Name/AcademicTitleCode": "AcademicTitle",
    "Person/BirthDate": "BirthDate",
    "Person/NonVerbalCommunicationLanguageCode": "CorrespondenceLanguage",
}
ORGANIZATION: Table = {
    "Organisation/Name/FormOfAddressCode": "FormOfAddress",
    "Organisation/Name/FirstLineName": "OrganizationBPName1",
    "Organisation/Name/SecondLineName": "OrganizationBPName2",
    "Organisation/Name/ThirdLineName": "OrganizationBPName3",
    "Organisation/Name/FourthLineName": "OrganizationBPName4",
    "Organisation/CompanyLegalFormCode": "LegalForm",
    "Organisation/FoundationDate": "OrganizationFoundationDate",
    "Organisation/LiquidationDate": "OrganizationLiquidationDate",
}
GROUP: Table = {
    "Group/FormOfAddressCode": "FormOfAddress",
    "Group/Name": "GroupBusinessPartnerName1",
    "Group/AdditionalName": "GroupBusinessPartnerName2",
}
BY_CATEGORY = {"1": PERSON, "2": ORGANIZATION, "3": GROUP}
GENDERS = {"1": "IsMale", "2": "IsFemale", "0": "IsSexUnknown"}
ROLE: Table = {
    "RoleCode": "BusinessPartnerRole",
    "ValidityPeriod/StartDate": "ValidFrom",
    "ValidityPeriod/EndDate": "ValidTo",
}
IDENTIFICATION: Table = {
    "PartyIdentifierTypeCode": "BPIdentificationType",
    "BusinessPartnerID": "BPIdentificationNumber",
    "IdentifierIssuingAgencyName": "BPIdnNmbrIssuingInstitute",
    "EntryDate": "BPIdentificationEntryDate",
    "AreaOfValidityCountryCode": "Country",
    "AreaOfValidityRegionCode": "Region",
    "ValidityPeriod/StartDate": "ValidityStartDate",
    "ValidityPeriod/EndDate": "ValidityEndDate",
}
ADDRESS: Table = {
    "ExternalAddressID": "AddressIDByExternalSystem",
    "ValidityPeriod/StartDate": "ValidityStartDate",
    "ValidityPeriod/EndDate": "ValidityEndDate",
    "Address/CommunicationPreference/CorrespondenceLanguageCode": "Language",
}
POSTAL: Table = {
    "CountryCode": "Country",
    "RegionCode": "Region",
    "CityName": "CityName",
    "AdditionalCityName": "HomeCityName",
    "DistrictName": "District",
    "StreetPostalCode": "PostalCode",
    "POBoxPostalCode": "POBoxPostalCode",
    "CompanyPostalCode": "CompanyPostalCode",
    "StreetPrefixName": "StreetPrefixName",
    "AdditionalStreetPrefixName": "AdditionalStreetPrefixName",
    "StreetName": "StreetName",
    "StreetSuffixName": "StreetSuffixName",
    "AdditionalStreetSuffixName": "AdditionalStreetSuffixName",
    "HouseID": "HouseNumber",
    "AdditionalHouseID": "HouseNumberSupplementText",
    "CareOfName": "CareOfName",
    "POBoxDeviatingCountryCode": "POBoxDeviatingCountry",
    "POBoxDeviatingRegionCode": "POBoxDeviatingRegion",
    "POBoxDeviatingCityName": "POBoxDeviatingCityName",
    "POBoxLobbyName": "POBoxLobbyName",
    "POBoxID": "POBox",
    "TaxJurisdictionCode": "TaxJurisdiction",
    "TimeZoneCode": "AddressTimeZone",
    "TransportationZoneID": "TransportZone",
    "CountyName": "County",
    "TownshipName": "TownshipName",
}
USAGE: Table = {
    "AddressUsageCode": "AddressUsage",
    "ValidityPeriod/StartDate": "ValidityStartDate",
    "ValidityPeriod/EndDate": "ValidityEndDate",
    "DefaultIndicator": "StandardUsage",
}
PHONE: Table = {
    "Number/SubscriberID": "PhoneNumber",
    "Number/ExtensionID": "PhoneNumberExtension",
    "Number/CountryCode": "DestinationLocationCountry",
}
FAX: Table = {
    "Number/SubscriberID": "FaxNumber",
    "Number/ExtensionID": "FaxNumberExtension",
    "Number/CountryCode": "FaxCountry",
}
EMAIL: Table = {"URI": "EmailAddress"}
WEB: Table = {"URI": "WebsiteURL"}
CUSTOMER: Table = {
    "DeletedIndicator": "DeletionIndicator",
    "SaleSalesAndDistributionBlocks/OrderBlockingReasonCode": "OrderIsBlockedForCustomer",
    "SaleSalesAndDistributionBlocks/BillingBlockingReasonCode": "BillingIsBlockedForCustomer",
    "SaleSalesAndDistributionBlocks/DeliveryBlockingReasonCode": "DeliveryIsBlocked",
}
COMPANY: Table = {
    "CompanyID": "CompanyCode",
    "DeletedIndicator": "DeletionIndicator",
    "GeneralLedgerAccountReference/ID": "ReconciliationAccount",
    "CashDiscountTermsCode": "PaymentTerms",
}
SALES_AREA: Table = {
    "SalesOrganisationID": "SalesOrganization",
    "DistributionChannelCode": "DistributionChannel",
    "DivisionCode": "Division",
    "DeletedIndicator": "DeletionIndicator",
    "OrderBlockingReasonCode": "OrderIsBlockedForCustomer",
    "PricingProcedureDeterminationCodeLong": "CustomerPricingProcedure",
    "GroupCode": "CustomerGroup",
    "PriceGroupCode": "CustomerPriceGroup",
    "DeliveryBlockingReasonCode": "DeliveryIsBlockedForCustomer",
    "TransportServiceLevelCode": "ShippingCondition",
    "BillingBlockingReasonCode": "BillingIsBlockedForCustomer",
    "CurrencyCode": "Currency",
    "CashDiscountTermsCode": "CustomerPaymentTerms",
    "DeliveringPlantID": "SupplyingPlant",
    "DeliveryTerms/DeliveryPriorityCode": "DeliveryPriority",
    "DeliveryTerms/Incoterms/ClassificationCode": "IncotermsClassification",
    "DeliveryTerms/Incoterms/TransferLocationName": "IncotermsTransferLocation",
}
TAX: Table = {
    "TaxCountryCode": "DepartureCountry",
    "TaxTypeCode": "CustomerTaxCategory",
    "TaxGroupCode": "CustomerTaxClassification",
}
TAX_GROUPING: Table = {"TaxCodeCategoryIndicator": "CustomerTaxGroupingCode"}


def dig(node: Tree, path: str) -> str | None:
    """The text at a path, or None."""
    found: Any = node
    for name in path.split("/"):
        found = found.get(name) if isinstance(found, dict) else None
    return None if found is None else str(found)


def plant(node: Tree, path: str, value: str) -> None:
    """Put a text at a path, with the nodes on the way."""
    *above, last = path.split("/")
    for name in above:
        node = node.setdefault(name, {})
    node[last] = value


def take(node: Tree, table: Table, entity: Entity, *, clear: bool = False) -> Tree:
    """The fields of a node as a JSON body; an empty element clears its field, with `clear` an absent one too."""
    body: Tree = {}
    for path, name in table.items():
        text = dig(node, path)
        if text is not None or clear:
            body[name] = _given(entity.properties[name], text or "")
    return body


def _given(prop: Property, text: str) -> Any:
    if prop.type == "Boolean":
        return text in ("true", "1")
    if prop.type == "DateTimeOffset" and text:
        return f"{text}T{'23:59:59' if prop.name.endswith(('EndDate', 'To')) else '00:00:00'}Z"
    if prop.type != "String":
        return text or None
    return text


def show(row: Row, table: Table, entity: Entity, node: Tree | None = None) -> Tree:
    """A stored row as a node; flags are always said, other fields when they are set."""
    found = {} if node is None else node
    for path, name in table.items():
        value = row.get(name, entity.properties[name].unset)
        if isinstance(value, bool):
            plant(found, path, str(value).lower())
        elif value not in (None, ""):
            plant(found, path, value[:10] if entity.properties[name].type.startswith("DateTime") else str(value))
    return found


def padded(entity: Entity, name: str, value: str) -> str:
    """A number as messages carry it: with its leading zeros."""
    return pad(entity.properties[name], value)
