"""What one S/4HANA installation needs besides its connection."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

PROFILES = ("cloud", "onpremise")
CompleteList = Literal[
    "to_BusinessPartnerAddress",
    "to_BusinessPartnerRole",
    "to_BuPaIdentification",
    "to_BusinessPartnerTax",
    "to_CustomerSalesArea",
    "to_CustomerCompany",
]


class Settings(BaseModel):
    """Settings of a system of kind `s4hana`; mappings read them as `settings.NAME`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    client: str | None = Field(
        None, pattern=r"^\d{3}$", description="SAP client, sent as `sap-client`; needed where the host serves several."
    )
    language: str = Field(
        "EN", pattern=r"^[A-Z]{2}$", description="Language of SAP's messages and language-dependent codes."
    )
    service_path: str = Field(
        "/sap/opu/odata/sap/API_BUSINESS_PARTNER",
        pattern=r"^/",
        description="Path of the service on the host; a reverse proxy's prefix belongs here too.",
    )
    sales_area: str | None = Field(
        None,
        pattern=r"^[^/]{4}/[^/]{2}/[^/]{2}$",
        description="Sales organization, distribution channel and division for mappings, as `1010/10/00`.",
    )
    partner_grouping: str | None = Field(
        None, max_length=4, description="Grouping of partners created here where the mapping names none."
    )
    company_code: str | None = Field(
        None, max_length=4, description="Company code that customers created here belong to, for mappings."
    )
    reconciliation_account: str | None = Field(
        None, max_length=10, description="Reconciliation account of customers created here in that company code."
    )
    currency: str | None = Field(
        None, pattern=r"^[A-Z]{3}$", description="Currency of the sales area of customers created here."
    )
    tax_country: str | None = Field(
        None,
        pattern=r"^[A-Z]{2}$",
        description="Country deliveries leave from, for the tax classification of customers.",
    )
    tax_category: str | None = Field(
        None, max_length=4, description="Tax category of that country, such as `TTX1`; without it none is written."
    )
    tax_classification: str | None = Field(
        None, max_length=1, description="Tax classification of customers created here, such as `1` (full tax)."
    )
    merge_type: str = Field(
        "ZMERGE",
        max_length=6,
        description="Identification type under which a partner that was merged carries the number of the one it became.",
    )
    order_mark: str | None = Field(
        None, description="Order header field that carries the mark of a create (used by sales orders)."
    )
    write_by: Literal["odata", "soap"] | None = Field(
        None,
        description="How partners are written: `odata`, or `soap` for replication messages, which are confirmed later; "
        "empty: `soap` in profile `onpremise`, `odata` in `cloud`.",
    )
    replication_path: str = Field(
        "/sap/bc/srt/scs_ext/sap/businesspartnersuitebulkreplic",
        pattern=r"^/",
        description="Path of the replication service on the host (`soap`).",
    )
    business_system: str = Field(
        "L2CHUB", min_length=1, max_length=60, description="Name of the hub as sender of replication messages (`soap`)."
    )
    recipient_system: str | None = Field(
        None, max_length=60, description="Name of this S/4HANA as their recipient, where it asks for one (`soap`)."
    )
    replication_batch: int = Field(50, ge=1, le=1000, description="Most partners in one envelope (`soap`).")
    replication_complete: tuple[CompleteList, ...] = Field(
        (),
        description="Native lists sent whole, so that S/4HANA removes what they lack (`soap`): "
        "only where the write mapping says `children: all`.",
    )
    overlap_s: int = Field(
        300,
        ge=0,
        description="Seconds a delta reaches back behind the last one: longest transaction plus clock differences.",
    )
    max_page_size: int = Field(1000, ge=1, description="Most records asked for in one page.")
    count: bool = Field(True, description="Ask for the number of records with the first page of a read.")
    read_unstamped: bool = Field(
        True,
        description="Find partners that were created and never changed (no change stamp) by their creation date.",
    )
    batch: int = Field(100, ge=1, le=1000, description="Most records in one `$batch`, each in its own changeset.")
    max_url: int = Field(6000, ge=1000, description="Longest address in characters; key lists are cut to fit.")
    deadline_s: float = Field(120.0, gt=0, description="Seconds one call may take in all.")
    max_processing_s: float = Field(
        600.0,
        ge=0,
        description="Seconds a request whose answer was lost may still be at work (the dialog time limit).",
    )
