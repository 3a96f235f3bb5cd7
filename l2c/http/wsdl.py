"""Service descriptions (WSDL, XSD) and where they may come from: one folder of the project, or the system's own origin."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from l2c.errors import ConfigError
from l2c.http.session import HttpSession
from l2c.http.xml import parse_xml

if TYPE_CHECKING:
    from lxml import etree

_XSD = "{http://www.w3.org/2001/XMLSchema}"
_REMOTE = frozenset({"http", "https"})


class Descriptions:
    """Loads one description and what it imports.

    A file (`Path`) may import files of its own folder and below; an address (text) may import what lies in the session's
    own origin. Nothing is kept on disk. ConfigError or ProtocolError for everything else, before a byte is read.
    """

    def __init__(self, session: HttpSession, main: Path | str) -> None:
        self._session = session
        self._folder = main.resolve().parent if isinstance(main, Path) else None
        self.location = str(main.resolve()) if isinstance(main, Path) else session.address(main)

    @property
    def local(self) -> bool:
        """Whether the description is a file of the project."""
        return self._folder is not None

    def load(self, url: object) -> bytes:
        """The bytes of a document; called by zeep with absolute paths and addresses."""
        text = str(url)
        parts = urlsplit(text)
        if parts.scheme in _REMOTE:
            return self._remote(text)
        if parts.scheme not in {"", "file"} or parts.netloc:
            raise self._outside(text)
        return self._file(Path(unquote(parts.path) if parts.scheme else text))

    def _remote(self, url: str) -> bytes:
        if self._folder is not None:
            raise self._outside(url)
        self._session.border.check(url, same_origin=True, what="an import of the service description")
        return self._session.get(url, headers={"Accept": "text/xml, application/xml, application/wsdl+xml"}).body

    def _file(self, path: Path) -> bytes:
        if self._folder is None:
            raise self._outside(str(path))
        found = path.resolve()
        if not found.is_relative_to(self._folder):
            raise self._outside(str(path))
        try:
            return found.read_bytes()
        except OSError as error:
            name = self._session.system.name
            text = f"system '{name}': the service description '{found.name}' cannot be read ({type(error).__name__})"
            raise ConfigError(text, system=name) from None

    def _outside(self, what: str) -> ConfigError:
        name = self._session.system.name
        place = f"folder '{self._folder.name}'" if self._folder else "system"
        text = f"system '{name}': the service description refers to '{what}', outside its {place}: not read"
        return ConfigError(text, system=name)

    def schema(self) -> "etree.XMLSchema":
        """The types of the description as one schema, to check messages by; ConfigError when they do not fit together."""
        from lxml import etree

        name = self._session.system.name
        root = parse_xml(self.load(self.location), where=f"{name}: service description", system=name)
        inline = list(root.iter(f"{_XSD}schema"))
        names = {node.get("targetNamespace", ""): f"inline:{index}" for index, node in enumerate(inline)}
        texts = {f"inline:{index}": _with_locations(node, names) for index, node in enumerate(inline)}
        whole = etree.Element(f"{_XSD}schema", {"targetNamespace": "urn:l2c:whole"}, nsmap={"xsd": _XSD[1:-1]})
        for namespace, place in names.items():
            known = {"namespace": namespace} if namespace else {}
            etree.SubElement(whole, f"{_XSD}import", {**known, "schemaLocation": place})
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        parser.resolvers.add(_resolver(texts, self.load, self.location))
        try:
            return etree.XMLSchema(etree.fromstring(etree.tostring(whole), parser, base_url=self.location))
        except etree.XMLSchemaParseError as error:
            text = f"system '{name}': the types of the service description do not fit together: {error}"
            raise ConfigError(text, system=name) from None


def _with_locations(node: "etree._Element", names: dict[str, str]) -> bytes:
    """A schema of the description by itself; its imports of neighbours say where those are."""
    from lxml import etree

    alone = etree.fromstring(etree.tostring(node, with_tail=False))
    for found in alone.iter(f"{_XSD}import"):
        if not found.get("schemaLocation") and found.get("namespace", "") in names:
            found.set("schemaLocation", names[found.get("namespace", "")])
    return etree.tostring(alone)


def _resolver(texts: dict[str, bytes], load: Callable[[object], bytes], base: str) -> "etree.Resolver":
    """Gives lxml the documents it asks for by the same rules as zeep."""
    from lxml import etree

    class Resolver(etree.Resolver):
        def resolve(self, system_url: str, public_id: str, context: Any = None) -> Any:  # noqa: ARG002 - lxml's
            found = texts.get(system_url)
            if found is not None:
                return self.resolve_string(found, context, base_url=base)
            return self.resolve_string(load(system_url), context, base_url=system_url)

    return Resolver()
