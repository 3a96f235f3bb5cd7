"""The closed expression language: parsed by `ast`, checked node by node, written as Python only from what was checked.

Allowed: names and dotted paths, texts, numbers (Decimal), `null true false`, comparisons, `and or not in`, `x if c else y`,
`+ - * /` on numbers, and the registered functions. Nothing else: no methods, subscripts, power, loops, lambdas, f-strings.
"""

import ast
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from l2c.config import Mark, near_miss
from l2c.mapping.functions import FUNCTIONS, Function
from l2c.mapping.scopes import ANY, Info, Load, Scope, ValueKind

MAX_LENGTH = 2000
MAX_DEPTH = 40
_LITERALS = {"null": "None", "true": "True", "false": "False"}
_WRITTEN = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r"\\(?![nt'\"\\])")
_NUMBER = re.compile(r"\d{1,30}(\.\d{1,30})?\Z", re.ASCII)
_CALCULATE = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARE = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


@dataclass(frozen=True, slots=True)
class Typed:
    """A piece of Python made from a checked node: what kind of value it gives, how long at most, from which loads."""

    code: str
    kind: ValueKind = "any"
    length: int | None = None
    loads: tuple[Load, ...] = ()
    plain: bool = False  # a variable or literal: may be written twice
    info: Info = ANY  # of a bare path
    clean: bool = False  # never an empty text

    @property
    def personal(self) -> bool:
        """Whether it holds what tells of a person."""
        return any(load.info.personal for load in self.loads)


class Mistake(Exception):  # noqa: N818 - it is told, not handled
    """What is wrong with an expression, and at which column of it."""

    def __init__(self, text: str, column: int = 0) -> None:
        super().__init__(text)
        self.text = text
        self.column = column


NOTHING = Typed("None", "null", plain=True)


def parse_expression(text: str) -> ast.expr:
    """The checked-for-size syntax tree of an expression; raises Mistake."""
    if len(text) > MAX_LENGTH:
        raise Mistake(f"expression is longer than {MAX_LENGTH} characters")
    if found := _ESCAPE.search(text):
        raise Mistake(r"a backslash may only stand in \n \t \' \" \\", found.start())
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except SyntaxError as error:
        raise Mistake(f"not an expression: {error.msg}", max((error.offset or 1) - 1, 0)) from None
    except (ValueError, MemoryError, RecursionError):
        raise Mistake("not an expression: nested too deep or holds a NUL character") from None
    _check_depth(tree, 1)
    return tree


def _check_depth(node: ast.AST, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Mistake(f"expression is nested more than {MAX_DEPTH} levels deep")
    for child in ast.iter_child_nodes(node):
        _check_depth(child, depth + 1)


class Translator:
    """Turns the nodes of one expression into Python, in one scope; `maps` are the value maps by name."""

    def __init__(self, scope: Scope, text: str, maps: Any, *, known_as: str) -> None:
        self.scope = scope
        self.unit = scope.unit
        self.text = text.strip()
        self.maps = maps
        self.known_as = known_as  # what messages call the source, 'canonical/business_partner'

    def translate(self) -> Typed:
        """The expression as Python; raises Mistake."""
        return self.node(parse_expression(self.text))

    def node(self, node: ast.expr) -> Typed:
        """One node as Python."""
        made = _NODES.get(type(node))
        if made is None:
            raise Mistake(f"{_name_of(node)} is not allowed in expressions", node.col_offset)
        return made(self, node)  # type: ignore[no-any-return]

    def constant(self, node: ast.Constant) -> Typed:
        value = node.value
        if isinstance(value, str):
            if any("\ud800" <= c <= "\udfff" for c in value) or "\0" in value:
                raise Mistake("a text may not hold NUL or half characters", node.col_offset)
            return Typed(repr(value), "text", len(value), plain=True, clean=bool(value))
        if value is None or isinstance(value, bool):
            raise Mistake(f"write '{_WRITTEN[str(value)]}', not '{value}'", node.col_offset)
        written = ast.get_source_segment(self.text, node) or ""
        if not isinstance(value, (int, float)) or not _NUMBER.match(written):
            raise Mistake(f"'{written}' is no number; write digits, as in 12.50", node.col_offset)
        return Typed(self.unit.constant(Decimal(written)), "number", plain=True)

    def path(self, node: ast.expr) -> Typed:
        parts = _parts(node)
        if len(parts) == 1 and parts[0] in _LITERALS:
            kind: ValueKind = "null" if parts[0] == "null" else "boolean"
            return Typed(_LITERALS[parts[0]], kind, plain=True)
        return self.names(parts, node)

    def names(self, parts: tuple[str, ...], node: ast.expr) -> Typed:
        scope = self.scope
        while parts[0] == "parent":
            if scope.parent is None or len(parts) == 1:
                raise Mistake("'parent.' is known inside 'for_each' only, and needs a name behind it", node.col_offset)
            scope, parts = scope.parent, parts[1:]
        if parts[0] in ("settings", "was", "seen"):
            return self._outside(parts, node)
        if scope.plain is not None:
            if parts != ("this",):
                raise Mistake(f"unknown name '{'.'.join(parts)}'; the element of a plain list is called 'this'", node.col_offset)
            return Typed(scope.var, scope.plain.kind, scope.plain.length, plain=True, info=scope.plain)
        info = self._info(scope, parts, node)
        if info.many:
            raise Mistake(f"'{'.'.join(parts)}' is a list; use for_each, or a function that takes a list", node.col_offset)
        load = scope.load(parts, info)
        return Typed(load.var, info.kind, info.length, (load,), plain=True, info=info)

    def _outside(self, parts: tuple[str, ...], node: ast.expr) -> Typed:
        if len(parts) == 1:
            raise Mistake(f"'{parts[0]}.' needs a name behind it", node.col_offset)
        if parts[0] == "settings":
            self.unit.settings.add(".".join(parts[1:]))
            load = self.scope.outside("settings", parts[1:])
            return Typed(load.var, "any", plain=True)
        root = self.scope
        while root.parent is not None:
            root = root.parent
        info = self._info(root, parts[1:], node)
        self.unit.past.add(parts[0])
        load = self.scope.outside(parts[0], parts[1:])
        load.info = info
        return Typed(load.var, info.kind, info.length, (load,), plain=True, info=info)

    def _info(self, scope: Scope, parts: tuple[str, ...], node: ast.expr) -> Info:
        """What is known of a path; a list may only be its end."""
        names = scope.names
        info = ANY
        for number, part in enumerate(parts):
            if names is None:
                return ANY
            if part not in names:
                where = ".".join([*([scope.path] if scope.path else []), *parts[:number]])
                place = f"{self.known_as}{f' ({where})' if where else ''}"
                raise Mistake(f"unknown name '{part}' in {place}{near_miss(part, names)}", node.col_offset)
            info = names[part]
            if info.many and number + 1 < len(parts):
                raise Mistake(f"'{part}' is a list; use for_each, or a function that takes a list", node.col_offset)
            if info.fields is None and number + 1 < len(parts) and info.kind != "any":
                raise Mistake(f"'{part}' is one value; nothing stands below it", node.col_offset)
            names = info.fields if info.fields is not None else None
        if info.fields is not None and not info.many:
            raise Mistake(f"'{parts[-1]}' is a nested record; name one of its fields", node.col_offset)
        return info

    def projection(self, node: ast.expr) -> Typed:
        """A path through lists: the list of the values at its end."""
        parts = _parts(node)
        scope = self.scope
        while parts[0] == "parent" and scope.parent is not None and len(parts) > 1:
            scope, parts = scope.parent, parts[1:]
        if scope.names is None:
            load = scope.load(parts[:-1], ANY, parts[-1:]) if len(parts) > 1 else scope.load(parts, ANY, ())
            return Typed(load.var, "list", None, (load,), plain=True)
        steps = self._steps(scope.names, parts, node)
        cut = next((number for number, info in enumerate(steps, 1) if info.many), 0)
        if not cut:
            raise Mistake(f"'{'.'.join(parts)}' is no list", node.col_offset)
        last = steps[-1]
        if last.fields is not None:
            raise Mistake(f"'{'.'.join(parts)}' holds records; name one of their fields", node.col_offset)
        load = scope.load(parts[:cut], last, parts[cut:])
        load.lists = tuple(info.many for info in steps[cut:])
        kind: ValueKind = "text" if last.kind == "list" else last.kind
        return Typed(load.var, "list", last.length, (load,), plain=True, info=Info(kind, last.length))

    def _steps(self, names: dict[str, Info], parts: tuple[str, ...], node: ast.expr) -> list[Info]:
        steps: list[Info] = []
        below: dict[str, Info] | None = names
        for number, part in enumerate(parts):
            if below is None:
                raise Mistake(f"'{parts[number - 1]}' is one value; nothing stands below it", node.col_offset)
            if part not in below:
                where = self.known_as + (f" ({'.'.join(parts[:number])})" if number else "")
                raise Mistake(f"unknown name '{part}' in {where}{near_miss(part, below)}", node.col_offset)
            steps.append(below[part])
            below = below[part].fields
        return steps

    def boolean(self, node: ast.BoolOp) -> Typed:
        sides = [self.node(value) for value in node.values]
        word = " and " if isinstance(node.op, ast.And) else " or "
        code = word.join(f"({side.code})" for side in sides)
        return Typed(f"True if {code} else False", "boolean", loads=_loads(*sides))

    def unary(self, node: ast.UnaryOp) -> Typed:
        inner = self.node(node.operand)
        if isinstance(node.op, ast.Not):
            return Typed(f"not ({inner.code})", "boolean", loads=inner.loads)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and inner.kind == "number":
            return Typed(self.unit.constant(-self.unit.constants[inner.code]), "number", plain=True)
        raise Mistake("a sign may only stand before a number", node.col_offset)

    def choice(self, node: ast.IfExp) -> Typed:
        test, then, other = self.node(node.test), self.node(node.body), self.node(node.orelse)
        kind = then.kind if then.kind == other.kind or other.kind == "null" else other.kind if then.kind == "null" else "any"
        length = _longest(*[s for s in (then, other) if s.kind != "null"])
        code = f"({then.code}) if ({test.code}) else ({other.code})"
        return Typed(code, kind, length, _loads(test, then, other), clean=_all_clean(then, other))

    def calculation(self, node: ast.BinOp) -> Typed:
        sign = _CALCULATE.get(type(node.op))
        if sign is None:
            raise Mistake(f"{_name_of(node.op)} is not allowed in expressions; only + - * /", node.col_offset)
        left, right = self.node(node.left), self.node(node.right)
        for side, written in ((left, node.left), (right, node.right)):
            if side.kind not in ("number", "decimal", "any", "null"):
                hint = "; use join('', …)" if side.kind == "text" and sign == "+" else ""
                raise Mistake(f"'{sign}' needs numbers, found {side.kind}{hint}", written.col_offset)
        return Typed(f"calculate({sign!r}, {left.code}, {right.code})", "number", loads=_loads(left, right))

    def comparison(self, node: ast.Compare) -> Typed:
        if len(node.ops) > 1:
            raise Mistake("write two comparisons with 'and' between them", node.col_offset)
        operator, left, right = node.ops[0], node.left, node.comparators[0]
        if isinstance(operator, (ast.In, ast.NotIn)):
            return self._membership(operator, left, right)
        sign = _COMPARE.get(type(operator))
        if sign is None:
            raise Mistake("'is' is not allowed; write == or empty(…)", node.col_offset)
        for side in (left, right):
            if isinstance(side, ast.Constant) and side.value == "":
                raise Mistake("an empty text is null here; write empty(…)", side.col_offset)
        return self._compare(sign, node)

    def _compare(self, sign: str, node: ast.Compare) -> Typed:
        nodes = (node.left, node.comparators[0])
        clock = [_is_today(side) for side in nodes]
        sides = [Typed("T", "date", 10, plain=True) if now else self.node(side) for now, side in zip(clock, nodes, strict=True)]
        left, right = sides
        kinds = {_compared(left.kind), _compared(right.kind)} - {"any", "null"}
        if len(kinds) > 1:
            raise Mistake(f"cannot compare {left.kind} with {right.kind}", node.col_offset)
        if "number" in kinds:
            sides = [self._as_number(side) for side in sides]
        if any(clock) and not all(clock):
            self.unit.clock = True
            sides = [s if now else Typed(f"compared_now(N, T, {s.code})", "date", 10, s.loads) for now, s in zip(clock, sides, strict=True)]
        left, right = sides
        if sign in ("==", "!="):
            return Typed(f"{_safe(left)} {sign} {_safe(right)}", "boolean", loads=_loads(left, right))
        a, b = self.twice(left), self.twice(right)
        code = f"True if {a[0]} is not None and {b[0]} is not None and {a[1]} {sign} {b[1]} else False"
        return Typed(code, "boolean", loads=_loads(left, right))

    def _as_number(self, side: Typed) -> Typed:
        if side.kind == "decimal" or (side.kind == "any" and side.loads):
            return Typed(f"number({side.code})", "number", None, side.loads)
        return side

    def _membership(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> Typed:
        item = self.node(left)
        word = "in" if isinstance(operator, ast.In) else "not in"
        if isinstance(right, (ast.List, ast.Tuple)):
            entries = [self.node(entry) for entry in right.elts]
            if not entries or not all(isinstance(entry, ast.Constant) for entry in right.elts):
                raise Mistake("a list in brackets holds constants, as in ['a', 'b']", right.col_offset)
            code = f"{_safe(item)} {word} ({', '.join(e.code for e in entries)},)"
            return Typed(code, "boolean", loads=item.loads)
        if not isinstance(right, (ast.Name, ast.Attribute)):
            raise Mistake("behind 'in' stands a list field or constants in brackets; for texts use contains(…)", right.col_offset)
        values = self.projection(right)
        return Typed(f"{_safe(item)} {word} {values.code}", "boolean", loads=_loads(item, values))

    def call(self, node: ast.Call) -> Typed:
        if not isinstance(node.func, ast.Name):
            raise Mistake("only functions can be called, no methods", node.col_offset)
        function = FUNCTIONS.get(node.func.id)
        if function is None:
            raise Mistake(f"unknown function '{node.func.id}'{near_miss(node.func.id, FUNCTIONS)}", node.col_offset)
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise Mistake(f"{function.name}() takes plain arguments only", node.col_offset)
        kinds = _parameter_kinds(function, len(node.args))
        if kinds is None:
            raise Mistake(f"{function.name}({function.parameters}) cannot take {len(node.args)} arguments", node.col_offset)
        if function.name == "today":
            self.unit.clock = True
            return Typed("compared_now(N, T, T)", "date", 10, clean=True)
        if function.name == "valid_on" and _is_today(node.args[0]):
            return self._valid_today(node)
        arguments = [self._argument(function, kind, a) for kind, a in zip(kinds, node.args, strict=True)]
        return _written(self, function, arguments)

    def _valid_today(self, node: ast.Call) -> Typed:
        self.unit.clock = True
        start, end = (self.node(argument) for argument in node.args[1:])
        for side in (start, end):
            if side.kind not in ("date", "any", "null"):
                raise Mistake(f"valid_on() needs dates, found {side.kind}", node.col_offset)
        (a, a2), (b, b2) = self.twice(start), self.twice(end)
        code = f"True if ({b} is None or {b2} == END) and {a} and {a2} <= T else valid_now(N, T, {a2}, {b2})"
        return Typed(code, "boolean", loads=_loads(start, end))

    def _argument(self, function: Function, kind: str, node: ast.expr) -> Typed:
        if kind == "whole":
            if not isinstance(node, ast.Constant) or not isinstance(node.value, int) or not 0 <= node.value <= 10_000:
                raise Mistake(f"{function.name}() needs a whole number up to 10000 here", node.col_offset)
            return Typed(str(int(node.value)), "number", plain=True)
        if kind == "map":
            return self._map_argument(node)
        if kind == "list":
            if not isinstance(node, (ast.Name, ast.Attribute)):
                raise Mistake(f"{function.name}() needs the path of a list here", node.col_offset)
            return self.projection(node)
        made = (function.name == "empty" and self._whole_list(node)) or self.node(node)
        if not _fits(made.kind, kind):
            hint = "; use text(…)" if kind == "text" else ""
            raise Mistake(f"{function.name}() needs {kind}, found {made.kind}{hint}", node.col_offset)
        return made

    def _whole_list(self, node: ast.expr) -> Typed | None:
        """A list as such, for empty(…)."""
        if not isinstance(node, (ast.Name, ast.Attribute)) or self.scope.names is None:
            return None
        parts, names = _parts(node), self.scope.names
        for part in parts[:-1]:
            names = (names[part].fields if part in names else None) or {}
        info = names.get(parts[-1])
        if info is None or not info.many:
            return None
        load = self.scope.load(parts, info)
        return Typed(load.var, "list", None, (load,), plain=True)

    def _map_argument(self, node: ast.expr) -> Typed:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            raise Mistake("in_map() needs the name of a value map in quotes first", node.col_offset)
        table = self.maps.get(node.value)
        if table is None:
            raise Mistake(f"unknown value map '{node.value}'{near_miss(node.value, self.maps.names)}", node.col_offset)
        return Typed(self.unit.constant(table.values, "X"), "any", plain=True)

    def twice(self, side: Typed) -> tuple[str, str]:
        """Two pieces of code for one value that is written twice: the first computes it, the second repeats it."""
        if side.plain:
            return side.code, side.code
        name = self.unit.name("t")
        return f"({name} := {side.code})", name


def _written(translator: Translator, function: Function, arguments: list[Typed]) -> Typed:
    """The call of a function, written out in place where that is much faster."""
    loads = _loads(*arguments)
    first = arguments[0]
    length = _RESULT_LENGTHS.get(function.name, lambda _: None)(arguments)
    kind: ValueKind = _GIVES.get(function.gives, "any")  # type: ignore[arg-type, unused-ignore]
    if function.name == "first_of":
        kinds = {a.kind for a in arguments} - {"null"}
        code = arguments[-1].code
        for argument in reversed(arguments[:-1]):
            a, again = translator.twice(argument)
            test = f"{a} or {again} is not None and {again} != ''" if argument.kind in ("any", "number", "boolean") else a
            code = f"{again} if {test} else ({code})"
        return Typed(f"({code})", kinds.pop() if len(kinds) == 1 else "any", _longest(*arguments), loads)
    if function.name == "join" and len(arguments) > 1 and all(a.plain for a in arguments):
        parts = ", ".join(a.code for a in arguments[1:])
        return Typed(f"{first.code}.join(filter(None, ({parts},))) or None", "text", length, loads, clean=True)
    if function.name == "date":
        a, again = translator.twice(first)
        return Typed(f"D[{again}] if {a} in D else known_date(D, {again})", "date", 10, loads, clean=True)
    if function.name == "upper" and first.plain:
        code = f"({first.code}.upper() if {first.code}.isascii() else upper({first.code})) if {first.code} else None"
        return Typed(code, "text", length, loads, clean=True)
    if function.name == "empty" and first.plain:
        return Typed(f"{first.code} is None or {first.code} == '' or {first.code} == []", "boolean", loads=loads)
    if function.name == "in_map":
        return Typed(f"{_safe(arguments[1])} in {first.code}", "boolean", loads=loads)
    if function.name in ("preferred", "pick"):
        kind = first.info.kind if first.info.kind in ("text", "number", "date", "boolean") else "any"
        length = first.length
    values = ", ".join(a.code for a in arguments)
    name = "absolute" if function.name == "abs" else function.name
    return Typed(f"{name}({values})", kind, length, loads, clean=function.name != "first_of")


_GIVES: dict[str, ValueKind] = {"text": "text", "number": "number", "boolean": "boolean", "date": "date"}
_RESULT_LENGTHS: dict[str, Any] = {
    "join": lambda a: _sum([*(x.length for x in a[1:]), (a[0].length or 0) * (len(a) - 2)]),
    "upper": lambda a: a[0].length,
    "lower": lambda a: a[0].length,
    "trim": lambda a: a[0].length,
    "truncate": lambda a: min(int(a[1].code), a[0].length or int(a[1].code)),
    "substring": lambda a: min(int(a[2].code), a[0].length or int(a[2].code)),
    "pad_left": lambda a: max(int(a[1].code), a[0].length) if a[0].length else None,
    "alpha_in": lambda a: max(int(a[1].code), a[0].length) if a[0].length else None,
    "alpha_out": lambda a: a[0].length,
}


def _sum(lengths: list[int | None]) -> int | None:
    return None if None in lengths else sum(length for length in lengths if length is not None)


def _parts(node: ast.expr) -> tuple[str, ...]:
    parts: list[str] = []
    here = node
    while isinstance(here, ast.Attribute):
        parts.append(here.attr)
        here = here.value
    if not isinstance(here, ast.Name):
        raise Mistake("only names may stand before a dot", node.col_offset)
    parts.append(here.id)
    for part in parts:
        if part.startswith("_") or not part.isascii():
            raise Mistake(f"name '{part}' is not allowed: it starts with '_' or is not ASCII", node.col_offset)
    return tuple(reversed(parts))


def _is_today(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "today" and not node.args


def _parameter_kinds(function: Function, count: int) -> list[str] | None:
    takes: list[str] = list(function.takes)
    if function.repeats and count > len(takes):
        takes += [takes[-1]] * (count - len(takes))
    return takes if count == len(takes) else None


def _fits(found: str, wanted: str) -> bool:
    if wanted == "any" or found in ("any", "null") or found == wanted:
        return True
    return (wanted, found) in {("number", "decimal"), ("text", "date")}


def _compared(kind: str) -> str:
    return {"decimal": "number", "date": "text"}.get(kind, kind)


def _loads(*sides: Typed) -> tuple[Load, ...]:
    return tuple({load.var: load for side in sides for load in side.loads}.values())


def _longest(*sides: Typed) -> int | None:
    lengths = [side.length for side in sides]
    return None if not lengths or None in lengths else max(length for length in lengths if length is not None)


def _all_clean(*sides: Typed) -> bool:
    return all(side.clean or side.kind in ("null", "boolean", "number") for side in sides)


def _safe(side: Typed) -> str:
    return side.code if side.plain else f"({side.code})"


def _name_of(node: ast.AST) -> str:
    return _WORDS.get(type(node).__name__, type(node).__name__.lower())


_WORDS = {
    "Subscript": "[…]", "Lambda": "lambda", "ListComp": "a loop", "GeneratorExp": "a loop", "SetComp": "a loop",
    "DictComp": "a loop", "JoinedStr": "an f-string", "NamedExpr": "':='", "Pow": "'**'", "Mod": "'%'", "FloorDiv": "'//'",
    "List": "a list", "Tuple": "a tuple", "Dict": "a dict", "Set": "a set", "Starred": "'*'", "Await": "await",
    "Yield": "yield", "Slice": "a slice", "BitOr": "'|'", "BitAnd": "'&'", "BitXor": "'^'", "LShift": "'<<'",
    "RShift": "'>>'", "MatMult": "'@'",
}  # fmt: skip

_NODES: dict[type[ast.expr], Any] = {
    ast.Constant: Translator.constant,
    ast.Name: Translator.path,
    ast.Attribute: Translator.path,
    ast.BoolOp: Translator.boolean,
    ast.UnaryOp: Translator.unary,
    ast.IfExp: Translator.choice,
    ast.BinOp: Translator.calculation,
    ast.Compare: Translator.comparison,
    ast.Call: Translator.call,
}
