"""What a write mapping says about itself: sources of fields, keys of lists."""

from pathlib import Path

from l2c.config import Project
from l2c.mapping import load_mapper
from l2c.reconcile.shape import shape_of

ENTITY = """\
entity: partner
fields:
  number: {type: text, length: 10}
  name: {type: text, length: 40}
  blocked: {type: boolean}
  places:
    list_by: id
    fields:
      id: {type: text, length: 10}
      town: {type: text, length: 40}
      lines:
        list_by: kind
        fields:
          kind: {type: text, length: 5}
          text: {type: text, length: 30}
"""
MAPPING = """\
mapping: shop.partner.write
from: canonical/partner
to: shop/Unit
key: uid
fields:
  uid: {expr: number, required: true}
  title: {expr: "join(' ', name, number)", when: not blocked}
  fixed: {value: true}
  country.code: name if not blocked else null
  addresses:
    for_each: places
    when: not empty(town)
    fields:
      key: join('|', parent.number, id)
      city: town
      region:
        fields: {isocode: town}
      phones:
        for_each: lines
        fields:
          kind: kind
          text: text
          owner: parent.parent.name
  taxes:
    for_each: "[number, null if blocked else name]"
    fields: {value: this, kind: parent.name}
"""


def shape(tmp_path: Path):
    for place, text in (("canonical/partner.yaml", ENTITY), ("shop/partner.write.yaml", MAPPING)):
        path = tmp_path / "mappings" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return shape_of(load_mapper(Project(tmp_path), "mappings/shop/partner.write.yaml"))


def test_every_native_field_names_the_canonical_fields_it_is_made_of(tmp_path):
    sources = {path: set(used) for path, used in shape(tmp_path).sources.items()}
    assert sources == {
        "uid": {"number"},
        "title": {"name", "number", "blocked"},
        "fixed": set(),
        "country.code": {"name", "blocked"},
        "addresses": {"places", "places.town"},
        "addresses.key": {"number", "places.id"},
        "addresses.city": {"places.town"},
        "addresses.region": set(),
        "addresses.region.isocode": {"places.town"},
        "addresses.phones": {"places.lines"},
        "addresses.phones.kind": {"places.lines.kind"},
        "addresses.phones.text": {"places.lines.text"},
        "addresses.phones.owner": {"name"},
        "taxes": {"number", "name", "blocked"},
        "taxes.value": {"number", "name", "blocked"},
        "taxes.kind": {"name"},
    }


def test_elements_are_told_apart_by_what_is_made_of_the_canonical_key(tmp_path):
    assert shape(tmp_path).keys == {"addresses": ("key",), "addresses.phones": ("kind",), "taxes": ()}
