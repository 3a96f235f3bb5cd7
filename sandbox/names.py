"""Small tables of names, trades, legal forms and streets from which the generator composes business data.

A country's table is one `Country`; cities with their real postal codes stand in `data/cities.csv`. Regions are the
part of ISO 3166-2 after the country (`BY`, `CA`, `13`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, field
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class City:
    """A city with real postal codes; `native` is its name in the country's own script, where that is not Latin."""

    region: str
    name: str
    native: str
    area: str
    codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Country:
    """What partners of one country are composed of. `legal` is (text, two-character code) pairs."""

    code: str
    weight: int
    language: str
    currency: str
    sales_org: str
    dial: str
    men: tuple[str, ...]
    women: tuple[str, ...]
    family: tuple[str, ...]
    trades: tuple[str, ...]
    legal: tuple[tuple[str, str], ...]
    streets: tuple[str, ...]
    cities: tuple[City, ...] = field(default=())


def _words(text: str, sep: str | None = None) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(sep) if word.strip())


def _cities() -> dict[str, tuple[City, ...]]:
    found: dict[str, list[City]] = {}
    with (DATA / "cities.csv").open(encoding="utf-8", newline="") as lines:
        for row in csv.DictReader(lines):
            city = City(row["region"], row["city"], row["native"], row["area"], tuple(row["codes"].split()))
            found.setdefault(row["country"], []).append(city)
    return {country: tuple(cities) for country, cities in found.items()}


_CITIES = _cities()

_GERMAN_FAMILY = _words(
    """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Wolf
    Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Werner Krause Lehmann Köhler Maier Herrmann
    König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz Möller Weiß Jung Hahn Vogel Schubert Friedrich Keller
    Günther Frank Berger Winkler Roth Beck Lorenz Baumann Franke Albrecht Schuster Böhm Winter Kraus Schumacher Krämer
    Vogt Stein Jäger Otto Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Dietrich Ziegler Kühn Pohl Engel Horn
    Busch Bergmann Voigt Sauer Arnold Wolff Pfeiffer Größmann Strauß Weißenböck"""
)
_GERMAN_TRADES = _words(
    """Maschinenbau; Elektrotechnik; Haustechnik; Logistik; Gebäudetechnik; Werkzeugbau; Kunststofftechnik; Anlagenbau;
    Fördertechnik; Medizintechnik; Papierfabrik; Getränke; Möbelwerkstätten; Baustoffe; Großhandel; Stahlhandel;
    Verpackungen; Drucklufttechnik; Kältetechnik; Messtechnik; Software; IT-Systeme; Bäckereibedarf; Bürobedarf;
    Landmaschinen; Fahrzeugteile; Oberflächentechnik; Präzisionsteile; Textilwerke; Holzverarbeitung; Solartechnik;
    Gebäudereinigung; Lebensmittel; Feinkost; Chemie; Optik; Schließanlagen; Sanitärbedarf; Umwelttechnik""",
    ";",
)
_GERMAN_STREETS = _words(
    """Hauptstraße; Bahnhofstraße; Industriestraße; Gartenstraße; Schillerstraße; Goethestraße; Lindenallee;
    Am Gewerbepark; Robert-Bosch-Straße; Daimlerstraße; Siemensstraße; Rudolf-Diesel-Straße; An der Mühle; Ringstraße;
    Kirchgasse; Mozartstraße; Königsweg; Am Güterbahnhof; Max-Planck-Straße; Wiesenweg; Carl-Zeiss-Straße; Marktplatz;
    Birkenweg; Uferstraße; Große Bleiche; Im Tiefen Grund""",
    ";",
)

GERMANY = Country(
    "DE", 55, "DE", "EUR", "1010", "49",
    men=_words("Thomas Michael Andreas Peter Stefan Jürgen Markus Matthias Jörg Björn Günter Uwe Jan Tobias Sören Kai Emre Paul"),
    women=_words("Sabine Claudia Petra Susanne Katrin Jutta Anja Bärbel Käthe Ute Julia Anna Özlem Miriam Lena Marlene Gisela"),
    family=_GERMAN_FAMILY,
    trades=_GERMAN_TRADES,
    legal=(
        ("GmbH", "02"), ("GmbH & Co. KG", "05"), ("AG", "01"), ("KG", "04"), ("OHG", "03"), ("e. K.", "07"), ("SE", "08"),
    ),
    streets=_GERMAN_STREETS,
    cities=_CITIES["DE"],
)  # fmt: skip

AUSTRIA = Country(
    "AT", 12, "DE", "EUR", "1010", "43",
    men=_words("Franz Johann Josef Georg Wolfgang Lukas Florian Gerhard Jürgen Rupert Alois Maximilian"),
    women=_words("Maria Eva Barbara Theresia Birgit Johanna Magdalena Katharina Käthe Sophie Romana"),
    family=_words(
        """Gruber Huber Wagner Pichler Steiner Moser Mayer Hofer Leitner Berger Fuchs Eder Fischer Schmid Winkler
        Weber Schwarz Maier Reiter Brunner Lang Baumgartner Auer Bichler Wimmer Egger Aigner Lechner Koller Haas
        Schuster Strasser Köck Böck Zöchling Grünwald Österreicher Rößler"""
    ),
    trades=_GERMAN_TRADES,
    legal=(("GmbH", "02"), ("Ges.m.b.H.", "02"), ("GmbH & Co KG", "05"), ("AG", "01"), ("OG", "03"), ("e.U.", "07")),
    streets=_words(
        """Hauptstraße; Wiener Straße; Linzer Straße; Mariahilfer Straße; Landstraßer Hauptstraße; Grazer Straße;
        Mühlgasse; Kärntner Straße; Gewerbepark; Bahnhofplatz; Am Hof; Schönbrunner Straße; Dr.-Karl-Renner-Straße""",
        ";",
    ),
    cities=_CITIES["AT"],
)  # fmt: skip

SWITZERLAND = Country(
    "CH", 12, "DE", "CHF", "1010", "41",
    men=_words("Urs Beat Reto Daniel Pierre Jean-Luc Marco Christian Ueli Jürg René Luca Étienne"),
    women=_words("Regula Ursula Monika Céline Chantal Francesca Verena Zoé Ruth Brigitte Noémie"),
    family=_words(
        """Müller Meier Schmid Keller Weber Huber Schneider Meyer Steiner Fischer Gerber Brunner Baumann Frei Zimmermann
        Moser Widmer Wyss Graf Roth Baumgartner Bianchi Rossi Favre Rochat Dubois Gürtler Bühler Lüthi Zürcher Hänni
        Aebischer Ammann Perrin Rüegg Bösch"""
    ),
    trades=(*_GERMAN_TRADES, "Uhren", "Pharma", "Mécanique", "Électronique", "Meccanica", "Schokolade"),
    legal=(("AG", "01"), ("GmbH", "02"), ("SA", "01"), ("Sàrl", "02"), ("Genossenschaft", "06")),
    streets=_words(
        """Bahnhofstrasse; Hauptstrasse; Zürcherstrasse; Seestrasse; Industriestrasse; Dorfstrasse; Kirchweg;
        Rue du Rhône; Avenue de la Gare; Via Nassa; Rämistrasse; Bundesplatz; Chemin des Vignes; Gürtelstrasse""",
        ";",
    ),
    cities=_CITIES["CH"],
)  # fmt: skip

UNITED_STATES = Country(
    "US", 13, "EN", "USD", "1710", "1",
    men=_words("James Robert John Michael David William Carlos Daniel Kevin Brian Tyrone Sean Patrick"),
    women=_words("Mary Patricia Jennifer Linda Elizabeth Barbara María Susan Karen Lisa Nancy Aisha"),
    family=_words(
        """Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Wilson Anderson
        Thomas Taylor Moore Jackson Lee Thompson White Harris Clark Lewis Robinson Walker Young Allen King Wright
        O'Brien McCarthy Nguyen Peña Núñez"""
    ),
    trades=_words(
        """Manufacturing; Industrial Supply; Machine Works; Packaging; Foods; Logistics; Medical Devices; Plastics; Steel;
        Electric; Tool & Die; Building Products; Paper; Office Supply; Software; Instruments; Refrigeration; Farm Equipment;
        Auto Parts; Chemicals; Optical; Solar; Janitorial Services; Brewing; Furniture""",
        ";",
    ),
    legal=(("Inc.", "11"), ("LLC", "12"), ("Corp.", "11"), ("Co.", "13"), ("& Sons, Inc.", "11"), ("LP", "14")),
    streets=_words(
        """Main Street; Market Street; Park Avenue; Broadway; 1st Avenue; Washington Street; Lake Shore Drive;
        Commerce Parkway; Industrial Boulevard; Peachtree Street NE; Martin Luther King Jr. Drive; Oak Street; State Street;
        West Chester Pike; Congress Avenue""",
        ";",
    ),
    cities=_CITIES["US"],
)  # fmt: skip

JAPAN = Country(
    "JP", 8, "JA", "JPY", "1510", "81",
    men=_words("Hiroshi Takashi Kenji Makoto Daisuke Shōta Ryō Kazuo Tetsuya"),
    women=_words("Yuki Keiko Naoko Sakura Haruka Tomoko Akiko Yūko Emi"),
    family=_words(
        """Satō Suzuki Takahashi Tanaka Watanabe Itō Yamamoto Nakamura Kobayashi Katō Yoshida Yamada Sasaki Inoue Kimura
        Shimizu Hayashi"""
    ),
    trades=_words("Seisakusho; Kōgyō; Denki; Shōji; Kikai; Seiyaku; Shokuhin; Unyu; Kagaku; Seimitsu; Sangyō; Bōeki", ";"),
    legal=(("K.K.", "21"), ("Co., Ltd.", "21"), ("G.K.", "22")),
    streets=_words(
        "Marunouchi; Toranomon; Nishi-Shinjuku; Umeda; Minatomirai; Sakae; Karasuma-dōri; Sannomiya; Tenjin; Odori", ";"
    ),
    cities=_CITIES["JP"],
)  # fmt: skip

COUNTRIES = (GERMANY, AUSTRIA, SWITZERLAND, UNITED_STATES, JAPAN)

# The same Japanese words in kanji, by position in the tables above.
KANJI_FAMILY = _words("佐藤 鈴木 高橋 田中 渡辺 伊藤 山本 中村 小林 加藤 吉田 山田 佐々木 井上 木村 清水 林")
KANJI_TRADES = _words("製作所 工業 電機 商事 機械 製薬 食品 運輸 化学 精密 産業 貿易")
KANJI_STREETS = _words("丸の内 虎ノ門 西新宿 梅田 みなとみらい 栄 烏丸通 三宮 天神 大通")

SEGMENTS = ("KEY", "MID", "SMALL", "PUBLIC")
"""Values of the customer's own field `YY1_Segment_bus`."""
