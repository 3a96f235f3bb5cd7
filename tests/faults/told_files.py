"""Mistakes in the files of an installation, and calls of systems that go wrong: what has to be told of each."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.told import READ, WRITE
from tests.integration.world import SOURCE, TARGET

FLOW_FILE, SYSTEMS_FILE = "config/flows/business_partner.yaml", "config/systems.yaml"
CONTACT = "config/flows/contact.yaml"


@dataclass(frozen=True)
class Mistake:
    """A mistake of a file: `old` becomes `new`, and the finding is in a line that holds `line` and says `says`.

    `says` has to hold the field or word that is wrong; `todo`: what is right, or how to find out.
    """

    name: str
    file: str
    old: str
    new: str
    line: str
    says: str
    todo: str


MISTAKES = (
    Mistake(
        "rule_key",
        WRITE,
        "name: {expr: name,",
        "name: {exprs: name,",
        "exprs",
        "unknown key 'exprs'",
        "did you mean 'expr'",
    ),
    Mistake("field_name", WRITE, "vatID: vat_number", "vatID: vat_numbr", "vat_numbr", "'vat_numbr'", "'vat_number'"),
    Mistake("function", WRITE, "district: district", "district: uper(district)", "uper", "'uper'", "'upper'"),
    Mistake("method", WRITE, "l2cEmail: email", "l2cEmail: email.lower()", "lower()", "no methods", "only functions"),
    Mistake(
        "open_bracket",
        WRITE,
        "streetname: street\n",
        "streetname: first_of(street\n",
        "first_of",
        "'('",
        "never closed",
    ),
    Mistake(
        *("value_map", WRITE, "value_map: commerce_region}", "value_map: commerce_regon}"),
        *("commerce_regon", "'commerce_regon'", "'commerce_region'"),
    ),
    Mistake("source_rule", READ, "value_map: role,", "value_map: rol,", "rol,", "value map 'rol'", "'role'"),
    Mistake("cron", FLOW_FILE, '"*/5 * * * *"', '"*/75 * * * *"', "*/75", "'/75' of minute", "between 1 and 59"),
    Mistake("system_name", FLOW_FILE, "  commerce: {}", "  comerce: {}", "comerce", "system 'comerce'", "'commerce'"),
    Mistake("owner_field", FLOW_FILE, "  email: newest", "  emial: newest", "emial", "'emial'", "'email'"),
    Mistake("duration", CONTACT, "PT30S", "30s", "30s", "'30s' is not a duration", "write PT30S"),
    Mistake("flow_key", CONTACT, 'sweep: "30 3', 'swep: "30 3', "swep", "unknown key 'swep'", "'sweep'"),
    Mistake("match_field", CONTACT, "[email, company]", "[mail, company]", "mail, company", "'mail'", "'email'"),
)


@dataclass(frozen=True)
class Trouble:
    """A call that does not get through: the command, its exit code, and what is told.

    `connection` and `page`: what is wrong with the connection of `system`, or with each page of records it answers.
    """

    name: str
    system: str
    words: tuple[str, ...]
    says: str
    todo: str
    expect: int = 3
    connection: Mapping[str, str] = field(default_factory=dict)
    page: str = ""


CAPTURE = ("capture", "business_partner", SOURCE)
NOWHERE = "http://127.0.0.1:9"
TROUBLES = (
    Trouble(
        *("wrong_password", SOURCE, ("check", SOURCE), "401 credentials refused"),
        "check user and password of the connection in L2C_CONNECTION_S4HANA",
        connection={"secret": "wrong-s4-secret"},
    ),
    Trouble(
        *("wrong_client_secret", TARGET, ("check", TARGET), "401 credentials refused"),
        "check user and password of the connection in L2C_CONNECTION_COMMERCE",
        connection={"secret": "wrong-shop-secret"},
    ),
    Trouble(
        *("target_down", TARGET, ("check", TARGET), "connection refused", "nothing was sent"),
        connection={"url": NOWHERE},
    ),
    Trouble(
        *("login_page", SOURCE, CAPTURE, "got an HTML page titled 'Anmeldung'", "check user, password and address"),
        page="html_login",
    ),
    Trouble(*("cut_page", SOURCE, CAPTURE, "the answer ends before its JSON does", "A_BusinessPartner"), page="cut"),
    Trouble(
        *("foreign_next_link", SOURCE, CAPTURE, "not followed", "'allow_hosts' in config/systems.yaml"),
        page="foreign_next",
    ),
    Trouble(
        *("flow_unknown", "", ("capture", "busines_partner"), "'busines_partner'", "did you mean 'business_partner'"), 2
    ),
)
