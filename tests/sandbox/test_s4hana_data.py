"""First data: generated and demonstration partners, and many clients at once."""

import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
import requests

from sandbox import generator

PROJECT = Path(__file__).parents[2]
EPM = PROJECT.parent / "shared/data/epm"


def test_the_generated_partners_are_served_as_they_were_generated(s4):
    wanted = next(iter(generator.partners(7, 1)))
    record = s4.record(
        "A_BusinessPartner('1000000')?$expand=to_BusinessPartnerAddress/to_EmailAddress,to_BusinessPartnerTax,"
        "to_BusinessPartnerRole,to_Customer/to_CustomerSalesArea"
    )
    assert record["OrganizationBPName1"] == wanted["OrganizationBPName1"]
    assert record["YY1_Segment_bus"] == wanted["YY1_Segment_bus"]
    addresses = record["to_BusinessPartnerAddress"]["results"]
    assert [a["StreetName"] for a in addresses] == [a["StreetName"] for a in wanted["to_BusinessPartnerAddress"]]
    emails = [[e["EmailAddress"] for e in a["to_EmailAddress"]["results"]] for a in addresses]
    assert emails == [[e["EmailAddress"] for e in a["to_EmailAddress"]] for a in wanted["to_BusinessPartnerAddress"]]
    assert [t["BPTaxNumber"] for t in record["to_BusinessPartnerTax"]["results"]] == [
        t.get("BPTaxNumber", "") for t in wanted["to_BusinessPartnerTax"]
    ]
    areas = record["to_Customer"]["to_CustomerSalesArea"]["results"]
    assert [a["Currency"] for a in areas] == [a["Currency"] for a in wanted["to_Customer"]["to_CustomerSalesArea"]]


def test_two_systems_of_one_seed_hold_the_same(start, s4_process):
    other = start("s4hana", "--partners", "20")
    for number in (1000000, 1000019):
        params = {"entity": "A_BusinessPartner", "key": str(number)}
        assert (
            other.ask("/record", **params)["BusinessPartnerUUID"]
            == s4_process.ask("/record", **params)["BusinessPartnerUUID"]
        )


def test_new_numbers_begin_behind_the_loaded_ones(s4):
    made = s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE"}])
    addresses = s4.rows("A_BusinessPartnerAddress", orderby="AddressID desc", top="1")
    assert int(made["BusinessPartner"]) >= 1000120
    assert addresses[0]["AddressID"] == made["to_BusinessPartnerAddress"]["results"][0]["AddressID"]


def test_the_demonstration_partners_are_served_with_their_addresses(start):
    if not EPM.exists():
        pytest.skip("SAP's demonstration data are not next to the checkout")
    process = start("s4hana", "--epm", str(EPM))
    assert process.ask("/record", entity="A_BusinessPartner", key="100000000")["BusinessPartnerCategory"] == "2"
    rows = list(process_records(process, "A_BusinessPartner"))
    assert len(rows) == 45
    assert len(list(process_records(process, "A_BusinessPartnerAddress"))) == 45


def process_records(process, entity: str):
    answer = requests.get(process.control + "/records", params={"entity": entity, "limit": 1000}, timeout=20)
    return [orjson.loads(line) for line in answer.content.splitlines()]


def test_concurrent_creates_get_numbers_of_their_own(s4, s4_process):
    after = s4_process.log_end()

    def one(_: int) -> str:
        return s4.new_partner(to_BusinessPartnerAddress=[{"Country": "DE"}])["BusinessPartner"]

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(one, range(40)))
    assert len(set(numbers)) == 40
    assert len(s4_process.log(after, entity="A_BusinessPartner")) == 40


def test_of_concurrent_changes_with_one_etag_only_one_wins(s4):
    made = s4.new_partner()
    path, tag = f"A_BusinessPartner('{made['BusinessPartner']}')", made["__metadata"]["etag"]

    def one(number: int) -> int:
        return s4.call("PATCH", path, json={"SearchTerm1": f"T{number}"}, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(one, range(8))) == [204] + [412] * 7


def test_the_sandbox_runs_without_the_hub(tmp_path):
    shutil.copytree(PROJECT / "sandbox", tmp_path / "sandbox", ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import sys, sandbox.s4hana.system, sandbox.core.process\n"
        "assert not {'l2c', 'connectors'} & {name.split('.')[0] for name in sys.modules}"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, done.stderr
