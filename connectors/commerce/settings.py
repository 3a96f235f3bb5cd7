"""What an operator can set of a Commerce system."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class CommerceSettings(BaseModel):
    """Settings of a Commerce system; its address, client id and secret come from the connection."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    login: Literal["oauth", "basic"] = Field(
        "oauth",
        description="How the shop wants the login: OAuth 2.0 client credentials, or Basic; it is fixed by the inbound "
        "channel configuration of each integration object.",
    )
    service_path: str = Field(
        "/odata2webservices", description="Path of the Integration API below the connection's address."
    )
    token_path: str = Field(
        "/authorizationserver/oauth/token",
        description="Path of the token service below the connection's address, where the connection names no token URL.",
    )
    b2b_unit_object: str = Field("L2CB2BUnit", description="Integration object that serves the entity B2BUnit.")
    b2b_customer_object: str = Field(
        "L2CB2BCustomer",
        description="Integration object that serves the entity B2BCustomer; empty where the shop has no contact persons.",
    )
    customer_object: str = Field(
        "L2CCustomer",
        description="Integration object that serves the entity Customer; empty where the shop has no consumers.",
    )
    batch_size: int = Field(
        100, ge=1, le=200, description="Most records in one $batch; the shop refuses more than 200 as a whole."
    )
    overlap_s: int = Field(
        60,
        ge=0,
        le=86_400,
        description="Seconds before the last read that the next one reads again, for changes that were stamped earlier "
        "than they became visible.",
    )
    deadline_s: float = Field(120.0, gt=0, description="Seconds one request may take in all.")
    silence_s: float = Field(60.0, gt=0, description="Seconds the shop may stay silent within a request.")
    attempts: int = Field(3, ge=1, le=10, description="How often one request is tried within seconds.")
    max_processing_s: float = Field(
        300.0, ge=0, description="Seconds a request whose answer was lost may still be at work in the shop."
    )
