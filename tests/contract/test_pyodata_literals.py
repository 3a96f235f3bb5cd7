"""Literals and keys of our client, compared with pyodata's, which knows nothing of us."""

import random
import string
import uuid
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pyodata.v2.model import Config, MetadataBuilder, Types
from pyodata.v2.service import EntityKey

from l2c.http import key_text, literal

VALUES = 1000
ODD = "'\"|/\\%&?#+;:,=()[]{}<>~`^@$!* äöüßÄÖÜéçñøåłşğ日本語한국😀\u200b\u00a0\ufeff"


def text(rng):
    alphabet = rng.choice([string.ascii_letters + string.digits, string.printable, ODD, ODD + string.ascii_letters])
    return "".join(rng.choice(alphabet) for _ in range(rng.randrange(30)))


def moment(rng, zone=UTC):
    seconds = rng.randrange(250 * 365 * 86400)
    return (datetime(1800, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)).replace(tzinfo=zone)


GENERATORS = {
    "Edm.String": text,
    "Edm.Guid": lambda rng: str(uuid.UUID(int=rng.getrandbits(128))),
    "Edm.Boolean": lambda rng: rng.random() < 0.5,
    "Edm.Int16": lambda rng: rng.randrange(-(2**15), 2**15),
    "Edm.Int32": lambda rng: rng.randrange(-(2**31), 2**31),
    "Edm.Int64": lambda rng: rng.randrange(-(2**63), 2**63),
    "Edm.DateTime": moment,
    "Edm.DateTimeOffset": lambda rng: moment(rng, timezone(timedelta(minutes=15 * rng.randrange(-48, 48)))),
}


def ours(value, edm_type):
    """Edm.DateTime has no zone: pyodata takes UTC and leaves it out, we take what the record shows."""
    return value.replace(tzinfo=None) if edm_type == "Edm.DateTime" else value


def generated():
    rng = random.Random(20260302)
    weights = [8 if name == "Edm.String" else 1 for name in GENERATORS]
    for edm_type in rng.choices(list(GENERATORS), weights, k=VALUES):
        yield edm_type, GENERATORS[edm_type](rng)


def test_a_thousand_literals_are_pyodatas():
    compared = 0
    for edm_type, value in generated():
        wanted = Types.from_name(edm_type).traits.to_literal(value)
        assert literal(ours(value, edm_type), edm_type) == wanted
        compared += 1
    assert compared == VALUES


def entity_type(parts):
    """An entity type whose key has these properties, as pyodata's metadata model."""
    refs = "".join(f'<PropertyRef Name="{name}"/>' for name in parts)
    properties = "".join(f'<Property Name="{name}" Type="{kind}" Nullable="false"/>' for name, kind in parts.items())
    document = (
        '<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices>'
        '<Schema Namespace="N" xmlns="http://schemas.microsoft.com/ado/2008/09/edm">'
        f'<EntityType Name="T"><Key>{refs}</Key>{properties}</EntityType>'
        '<EntityContainer Name="C"><EntitySet Name="S" EntityType="N.T"/></EntityContainer>'
        "</Schema></edmx:DataServices></edmx:Edmx>"
    )
    return MetadataBuilder(document.encode(), config=Config()).build().entity_type("T")


def test_a_thousand_keys_are_pyodatas():
    rng = random.Random(7)
    compared = 0
    kinds = [rng.choices(list(GENERATORS), k=rng.randrange(1, 5)) for _ in range(50)]
    for chosen in kinds:
        parts = {f"Field{number}": kind for number, kind in enumerate(chosen)}
        model = entity_type(parts)
        for _ in range(VALUES // 50):
            values = {name: GENERATORS[kind](rng) for name, kind in parts.items()}
            key = EntityKey(model, next(iter(values.values()))) if len(values) == 1 else EntityKey(model, **values)
            mine = key_text({name: ours(value, parts[name]) for name, value in values.items()}, parts)
            assert mine == key.to_key_string()
            compared += 1
    assert compared == VALUES


@pytest.mark.parametrize(("edm_type", "mine"), [("Edm.Decimal", "12.50M"), ("Edm.Time", "time'PT10H00M00S'")])
def test_pyodata_passes_decimals_and_times_on_as_they_are(edm_type, mine):
    """There is nothing to compare with: pyodata leaves the form of these two to its caller."""
    assert literal({"Edm.Decimal": "12.50", "Edm.Time": "10:00:00"}[edm_type], edm_type) == mine
    assert Types.from_name(edm_type).traits.to_literal(mine) == mine
