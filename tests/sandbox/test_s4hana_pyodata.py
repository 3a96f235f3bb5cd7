"""A foreign client, pyodata, reads, creates and changes partners with its documented recipe for CSRF tokens."""

from datetime import datetime

import pyodata
import pytest
import requests
from pyodata.exceptions import HttpError


@pytest.fixture
def session(s4_process):
    """The recipe: fetch a token by HEAD with the session that sends the changes."""
    session = requests.Session()
    session.trust_env = False
    session.auth = ("HUB_USER", "sandbox-s4-secret")
    url = f"{s4_process.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/"
    answer = session.head(url, headers={"x-csrf-token": "fetch"}, timeout=20)
    session.headers["x-csrf-token"] = answer.headers["x-csrf-token"]
    yield session
    session.close()


@pytest.fixture
def client(s4_process, session):
    url = f"{s4_process.url}/sap/opu/odata/sap/API_BUSINESS_PARTNER/"
    config = pyodata.v2.model.Config(retain_null=True)
    return pyodata.Client(url, session, config=config)


def test_it_loads_the_metadata_with_types_and_facets(client):
    entity = client.schema.entity_type("A_BusinessPartnerType")
    assert [prop.name for prop in entity.key_proprties] == ["BusinessPartner"]
    assert entity.proprty("SearchTerm1").max_length == 20
    assert not entity.proprty("Customer").creatable
    assert {nav.name for nav in entity.nav_proprties} >= {"to_Customer", "to_BusinessPartnerAddress"}


def test_it_reads_by_key_filter_order_and_expand(client):
    partner = client.entity_sets.A_BusinessPartner.get_entity("1000000").expand("to_BusinessPartnerAddress").execute()
    assert partner.BusinessPartnerCategory
    assert isinstance(partner.LastChangeDate, datetime)
    assert partner.BirthDate is None
    assert partner.to_BusinessPartnerAddress[0].BusinessPartner == "1000000"
    request = client.entity_sets.A_BusinessPartner.get_entities()
    persons = request.filter(request.BusinessPartnerCategory == "1").top(3).order_by("LastName desc").execute()
    assert [p.LastName for p in persons] == sorted((p.LastName for p in persons), reverse=True)
    assert client.entity_sets.A_BusinessPartner.get_entities().count().execute() >= 120


def test_it_creates_a_partner_with_its_children(client):
    creating = client.entity_sets.A_BusinessPartner.create_entity()
    creating.set(
        BusinessPartnerCategory="2",
        OrganizationBPName1="Created by pyodata",
        BusinessPartnerIDByExtSystem="PYODATA-1",
        to_BusinessPartnerAddress=[
            {"Country": "DE", "CityName": "Köln", "to_EmailAddress": [{"EmailAddress": "k@x.example"}]}
        ],
        to_BusinessPartnerRole=[{"BusinessPartnerRole": "FLCU00"}],
    )
    made = creating.execute()
    address = client.entity_sets.A_BusinessPartner.get_entity(made.BusinessPartner).nav("to_BusinessPartnerAddress")
    assert address.get_entities().execute()[0].CityName == "Köln"
    assert client.entity_sets.A_Customer.get_entity(made.BusinessPartner).execute().CustomerName == "Created by pyodata"


def test_it_changes_a_partner_with_its_etag(client):
    etag = client.entity_sets.A_BusinessPartner.get_entity("1000002").execute().etag
    changing = client.entity_sets.A_BusinessPartner.update_entity("1000002").set(SearchTerm2="PYODATA")
    changing.add_headers({"If-Match": etag})
    changing.execute()
    assert client.entity_sets.A_BusinessPartner.get_entity("1000002").execute().SearchTerm2 == "PYODATA"
    with pytest.raises(HttpError) as refused:
        client.entity_sets.A_BusinessPartner.update_entity("1000002").set(SearchTerm2="LATE").execute()
    assert refused.value.response.status_code == 428


def test_it_reads_and_changes_in_one_batch(client):
    batch = client.create_batch()
    changeset = client.create_changeset()
    creating = client.entity_sets.A_BusinessPartner.create_entity()
    creating.set(BusinessPartnerCategory="2", OrganizationBPName1="Batch by pyodata")
    changeset.add_request(creating)
    batch.add_request(client.entity_sets.A_BusinessPartner.get_entity("1000003"))
    batch.add_request(changeset)
    read, made = batch.execute()
    assert read.BusinessPartner == "1000003"
    assert made[0].OrganizationBPName1 == "Batch by pyodata"


def test_without_a_token_its_changes_are_refused(client, session):
    session.headers["x-csrf-token"] = "none"
    creating = client.entity_sets.A_BusinessPartner.create_entity()
    creating.set(BusinessPartnerCategory="2", OrganizationBPName1="No token")
    with pytest.raises(HttpError) as refused:
        creating.execute()
    assert refused.value.response.status_code == 403
