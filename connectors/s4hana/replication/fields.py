"""Which element of a replication message carries which field of API_BUSINESS_PARTNER; tables, nothing else.

Elements and their order: the service's own description. Where neither side documents the pairing (the external numbers
`Legacy…ID` and `External…ID`, the correspondence language) it follows the field's name and length: evidence inferred.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Kind(StrEnum):
    """How a value is written."""

    CODE = "code"  # cannot be sent empty: a cleared one is left out of its node
    NAME = "name"  # may be sent empty
    FLAG = "flag"
    DAY = "day"


@dataclass(frozen=True, slots=True)
class To:
    """The element (dotted path below its node) that carries a field; `also` a second one with the same value."""

    path: str
    kind: Kind = Kind.CODE
    also: str = ""


Fields = Mapping[str, To]
_NAME, _FLAG, _DAY = Kind.NAME, Kind.FLAG, Kind.DAY


def _fields(**fields: To) -> Fields:
    return MappingProxyType(fields)


def _period(start: str, end: str) -> dict[str, To]:
    """A validity; the message wants both days of it."""
    return {start: To("ValidityPeriod.StartDate", _DAY), end: To("ValidityPeriod.EndDate", _DAY)}


# set when a partner is created, never changed
BIRTH = _fields(
    BusinessPartnerCategory=To("CategoryCode"),
    BusinessPartnerGrouping=To("NumberRangeIntervalBusinessPartnerGroupCode"),
)
COMMON = _fields(
    BusinessPartnerType=To("BusinessPartnerGroupCode"),
    IsMarkedForArchiving=To("DeletedIndicator", _FLAG),
    BusinessPartnerIsBlocked=To("BlockedIndicator", _FLAG),
    AuthorizationGroup=To("BusinessPartnerAuthorisationGroupCode"),
    SearchTerm1=To("KeyWordsText"),
    SearchTerm2=To("AdditionalKeyWordsText"),
    Language=To("VerbalCommunicationLanguageCode"),
    BusinessPartnerIDByExtSystem=To("LegacyBusinessPartnerID"),
)
PERSON = _fields(
    FormOfAddress=To("Person.Name.FormOfAddressCode"),
    FirstName=To("Person.Name.GivenName", _NAME),
    MiddleName=To("Person.Name.MiddleName", _NAME),
    LastName=To("Person.Name.FamilyName", _NAME),
    AdditionalLastName=To("Person.Name.AdditionalFamilyName", _NAME),
    BusinessPartnerBirthName=To("Person.Name.BirthName", _NAME),
    Initials=To("Person.Name.InitialsName", _NAME),
    AcademicTitle=To("Person.Name.AcademicTitleCode"),
    BirthDate=To("Person.BirthDate", _DAY),
    CorrespondenceLanguage=To("Person.NonVerbalCommunicationLanguageCode"),
)
# one element for what are three flags here
GENDERS: Mapping[str, str] = MappingProxyType({"IsMale": "1", "IsFemale": "2", "IsSexUnknown": "0"})
ORGANIZATION = _fields(
    FormOfAddress=To("Organisation.Name.FormOfAddressCode"),
    OrganizationBPName1=To("Organisation.Name.FirstLineName", _NAME),
    OrganizationBPName2=To("Organisation.Name.SecondLineName", _NAME),
    OrganizationBPName3=To("Organisation.Name.ThirdLineName", _NAME),
    OrganizationBPName4=To("Organisation.Name.FourthLineName", _NAME),
    LegalForm=To("Organisation.CompanyLegalFormCode"),
    OrganizationFoundationDate=To("Organisation.FoundationDate", _DAY),
    OrganizationLiquidationDate=To("Organisation.LiquidationDate", _DAY),
    CorrespondenceLanguage=To("VerbalCommunicationLanguageCode"),
)
GROUP = _fields(
    FormOfAddress=To("Group.FormOfAddressCode"),
    GroupBusinessPartnerName1=To("Group.Name", _NAME),
    GroupBusinessPartnerName2=To("Group.AdditionalName", _NAME),
    CorrespondenceLanguage=To("VerbalCommunicationLanguageCode"),
)
BY_CATEGORY: Mapping[str, Fields] = MappingProxyType({"1": PERSON, "2": ORGANIZATION, "3": GROUP})

_POSTAL = "Address.PostalAddress."
ADDRESS = _fields(
    **_period("ValidityStartDate", "ValidityEndDate"),
    AddressIDByExternalSystem=To("ExternalAddressID", also=_POSTAL + "LegacyAddressID"),
    Country=To(_POSTAL + "CountryCode"),
    Region=To(_POSTAL + "RegionCode"),
    CityName=To(_POSTAL + "CityName", _NAME),
    HomeCityName=To(_POSTAL + "AdditionalCityName", _NAME),
    District=To(_POSTAL + "DistrictName", _NAME),
    PostalCode=To(_POSTAL + "StreetPostalCode"),
    POBoxPostalCode=To(_POSTAL + "POBoxPostalCode"),
    CompanyPostalCode=To(_POSTAL + "CompanyPostalCode"),
    StreetPrefixName=To(_POSTAL + "StreetPrefixName", _NAME),
    AdditionalStreetPrefixName=To(_POSTAL + "AdditionalStreetPrefixName", _NAME),
    StreetName=To(_POSTAL + "StreetName"),
    StreetSuffixName=To(_POSTAL + "StreetSuffixName", _NAME),
    AdditionalStreetSuffixName=To(_POSTAL + "AdditionalStreetSuffixName", _NAME),
    HouseNumber=To(_POSTAL + "HouseID"),
    HouseNumberSupplementText=To(_POSTAL + "AdditionalHouseID"),
    CareOfName=To(_POSTAL + "CareOfName", _NAME),
    POBoxDeviatingCountry=To(_POSTAL + "POBoxDeviatingCountryCode"),
    POBoxDeviatingRegion=To(_POSTAL + "POBoxDeviatingRegionCode"),
    POBoxDeviatingCityName=To(_POSTAL + "POBoxDeviatingCityName", _NAME),
    POBoxLobbyName=To(_POSTAL + "POBoxLobbyName", _NAME),
    POBox=To(_POSTAL + "POBoxID"),
    TaxJurisdiction=To(_POSTAL + "TaxJurisdictionCode"),
    AddressTimeZone=To(_POSTAL + "TimeZoneCode"),
    TransportZone=To(_POSTAL + "TransportationZoneID"),
    County=To(_POSTAL + "CountyName", _NAME),
    TownshipName=To(_POSTAL + "TownshipName", _NAME),
    Language=To("Address.CommunicationPreference.CorrespondenceLanguageCode"),
    PrfrdCommMediumType=To("Address.CommunicationPreference.PreferredCommunicationMediumTypeCode"),
)
USAGE = _fields(
    **_period("ValidityStartDate", "ValidityEndDate"),
    AddressUsage=To("AddressUsageCode"),
    StandardUsage=To("DefaultIndicator", _FLAG),
)
EMAIL = _fields(EmailAddress=To("URI"), IsDefaultEmailAddress=To("EmailUsage.DefaultIndicator", _FLAG))
PHONE = _fields(
    DestinationLocationCountry=To("Number.CountryCode"),
    PhoneNumber=To("Number.SubscriberID"),
    PhoneNumberExtension=To("Number.ExtensionID"),
    IsDefaultPhoneNumber=To("TelephoneUsage.DefaultIndicator", _FLAG),
)
FAX = _fields(
    FaxCountry=To("Number.CountryCode"),
    FaxNumber=To("Number.SubscriberID"),
    FaxNumberExtension=To("Number.ExtensionID"),
    IsDefaultFaxNumber=To("FacsimileUsage.DefaultIndicator", _FLAG),
)
WEB = _fields(WebsiteURL=To("URI"), IsDefaultURLAddress=To("WebUsage.DefaultIndicator", _FLAG))

ROLE = _fields(**_period("ValidFrom", "ValidTo"), BusinessPartnerRole=To("RoleCode"))
IDENTIFICATION = _fields(
    **_period("ValidityStartDate", "ValidityEndDate"),
    BPIdentificationType=To("PartyIdentifierTypeCode"),
    BPIdentificationNumber=To("BusinessPartnerID"),
    BPIdnNmbrIssuingInstitute=To("IdentifierIssuingAgencyName", _NAME),
    BPIdentificationEntryDate=To("EntryDate", _DAY),
    Country=To("AreaOfValidityCountryCode"),
    Region=To("AreaOfValidityRegionCode"),
)
# the type is cut in two (`DE0` is number 0 of DE) and the number stands twice: see `lists.py`
TAX = _fields(BPTaxType=To("type"), BPTaxNumber=To("number"), BPTaxLongNumber=To("long"))

CUSTOMER = _fields(
    AuthorizationGroup=To("AuthorisationGroupCode"),
    CustomerCorporateGroup=To("CorporateGroupName", _NAME),
    DeletionIndicator=To("DeletedIndicator", _FLAG),
    PostingIsBlocked=To("PostingBlockedIndicator", _FLAG),
    OrderIsBlockedForCustomer=To("SaleSalesAndDistributionBlocks.OrderBlockingReasonCode"),
    BillingIsBlockedForCustomer=To("SaleSalesAndDistributionBlocks.BillingBlockingReasonCode"),
    DeliveryIsBlocked=To("SaleSalesAndDistributionBlocks.DeliveryBlockingReasonCode"),
)
SALES_AREA = _fields(
    SalesOrganization=To("SalesOrganisationID"),
    DistributionChannel=To("DistributionChannelCode"),
    Division=To("DivisionCode"),
    AuthorizationGroup=To("AuthorisationGroupCode"),
    DeletionIndicator=To("DeletedIndicator", _FLAG),
    OrderIsBlockedForCustomer=To("OrderBlockingReasonCode"),
    CustomerPricingProcedure=To("PricingProcedureDeterminationCodeLong"),
    CustomerGroup=To("GroupCode"),
    SalesDistrict=To("SalesDistrictCode"),
    CustomerPriceGroup=To("PriceGroupCode"),
    PriceListType=To("PriceListTypeCode"),
    DeliveryIsBlockedForCustomer=To("DeliveryBlockingReasonCode"),
    AccountByCustomer=To("SellerPartyBuyerID"),
    ShippingCondition=To("TransportServiceLevelCode"),
    BillingIsBlockedForCustomer=To("BillingBlockingReasonCode"),
    Currency=To("CurrencyCode"),
    CustomerABCClassification=To("ABCClassificationCode"),
    CustomerAccountAssignmentGroup=To("AccountAssignmentGroupCode"),
    CustomerPaymentTerms=To("CashDiscountTermsCode"),
    SupplyingPlant=To("DeliveringPlantID"),
    SalesGroup=To("SalesGroupCode"),
    SalesOffice=To("SalesOfficeCode"),
    ExchangeRateType=To("ExchangeRateTypeCode"),
    CreditControlArea=To("CreditControlAreaCode"),
    DeliveryPriority=To("DeliveryTerms.DeliveryPriorityCode"),
    IncotermsClassification=To("DeliveryTerms.Incoterms.ClassificationCode"),
    IncotermsTransferLocation=To("DeliveryTerms.Incoterms.TransferLocationName"),
    IncotermsLocation1=To("DeliveryTerms.Incoterms.TransferLocationNameLong"),
    IncotermsLocation2=To("DeliveryTerms.Incoterms.DestinationLocationName"),
    IncotermsVersion=To("DeliveryTerms.Incoterms.Version"),
    CompleteDeliveryIsDefined=To("DeliveryTerms.SalesOrderCompleteDeliveryIndicator", _FLAG),
    OrderCombinationIsAllowed=To("DeliveryTerms.OrderCombinationAllowedIndicator", _FLAG),
    PartialDeliveryIsAllowed=To("DeliveryTerms.PartialDeliveryControlCode"),
)
SALES_TAX = _fields(
    DepartureCountry=To("TaxCountryCode"),
    CustomerTaxCategory=To("TaxTypeCode"),
    CustomerTaxClassification=To("TaxGroupCode"),
)
COMPANY = _fields(
    CompanyCode=To("CompanyID"),
    DeletionIndicator=To("DeletedIndicator", _FLAG),
    LayoutSortingRule=To("SortCode"),
    AccountingClerk=To("AccountingClerkInitialsCode"),
    ReconciliationAccount=To("GeneralLedgerAccountReference.ID"),
    AuthorizationGroup=To("AuthorisationGroupCode"),
    PaymentMethodsList=To("PaymentMethodsCode"),
    PaymentBlockingReason=To("PaymentBlockCode"),
    PaymentTerms=To("CashDiscountTermsCode"),
    CustomerAccountNote=To("Note", _NAME),
    CashPlanningGroup=To("PlanningGroupCode"),
    RecordPaymentHistoryIndicator=To("RecordPaymentHistoryIndicator", _FLAG),
    APARToleranceGroup=To("BusinessPartnerToleranceGroupCode"),
    HouseBank=To("HouseBankInternalID"),
)

# keys the receiver gives or knows from the element above: they are used to find an element and are not carried
SILENT = frozenset(
    {
        "BusinessPartner",
        "BusinessPartnerUUID",
        "AddressID",
        "AddressUUID",
        "Person",
        "OrdinalNumber",
        "PhoneNumberType",
        "Customer",
    }
)
