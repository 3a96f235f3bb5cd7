"""The closed expression language: parsed by `ast`, checked node by node, written as Python only from what was checked.

Allowed: names and dotted paths, texts, numbers (Decimal), `null true false`, comparisons, `and or not in`, `x if c else y`,
`+ - * /` on numbers, and the registered functions. Nothing else: no methods, subscripts, power, loops, lambdas, f-strings.
"""

import ast
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache

from l2c.config import near_miss
from l2c.mapping import names
from l2c.mapping.calls import fits, is_today, parameter_kinds, valid_today, write_call
from l2c.mapping.choices import CHOOSING, chosen, parts_of
from l2c.mapping.functions import FUNCTIONS, Function
from l2c.mapping.patterns import compile_pattern
from l2c.mapping.rules import Table
from l2c.mapping.scopes import Scope, ValueKind
from l2c.mapping.typed import Mistake, Typed, all_clean, loads_of, longest, twice

MAX_LENGTH = 2000
MAX_DEPTH = 40
_LITERALS = {"null": "None", "true": "True", "false": "False"}
_WRITTEN = {"None": "null", "True": "true", "False": "false"}
_ESCAPE = re.compile(r"\\([nt'\"\\]?)")
_NUMBER = re.compile(r"\d{1,30}(\.\d{1,30})?\Z", re.ASCII)
_CALCULATE = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_COMPARE = {ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">="}


@lru_cache(maxsize=4096)
def parse_expression(text: str) -> ast.expr:
    """The syntax tree of an expression of sensible size, to be read and never changed; raises Mistake."""
    if len(text) > MAX_LENGTH:
        raise Mistake(f"expression is longer than {MAX_LENGTH} characters")
    for found in _ESCAPE.finditer(text):
        if not found[1]:
            raise Mistake(r"a backslash may only stand in \n \t \' \" \\", found.start())
    try:
        tree = ast.parse(text, mode="eval").body
    except SyntaxError as error:
        raise Mistake(f"not an expression: {error.msg}", max((error.offset or 1) - 1, 0)) from None
    except (ValueError, MemoryError, RecursionError):
        raise Mistake("not an expression: nested too deep, or holds a NUL character") from None
    _check_depth(tree, 1)
    return tree


def _check_depth(node: ast.AST, depth: int) -> None:
    if depth > MAX_DEPTH:
        raise Mistake(f"expression is nested more than {MAX_DEPTH} levels deep")
    for child in ast.iter_child_nodes(node):
        _check_depth(child, depth + 1)


class Translator:
    """Turns the nodes of one expression into Python, in one scope; `maps` are the value maps it may name."""

    def __init__(self, scope: Scope, text: str, maps: Mapping[str, Table]) -> None:
        self.scope = scope
        self.unit = scope.unit
        self.text = " ".join(text.split("\n")).strip()
        self.maps = maps
        self.named: set[str] = set()  # value maps that were used

    def translate(self) -> Typed:
        """The expression as Python; raises Mistake."""
        return self.node(parse_expression(self.text))

    def named_values(self) -> tuple[Typed, ...]:
        """The values between brackets, each as Python; raises Mistake."""
        found = parse_expression(self.text)
        if not isinstance(found, ast.List) or not found.elts:
            raise Mistake("a list in brackets needs at least one value: [phone]")
        return tuple(self.node(entry) for entry in found.elts)

    def node(self, node: ast.expr) -> Typed:
        """One node as Python; raises Mistake for every kind of node that is not on the list."""
        made = _NODES.get(type(node))
        if made is None:
            raise Mistake(f"{_name_of(node)} is not allowed in expressions", node.col_offset)
        return made(self, node)

    def _constant(self, node: ast.Constant) -> Typed:
        value = node.value
        if isinstance(value, str):
            if any("\ud800" <= c <= "\udfff" for c in value) or "\0" in value:
                raise Mistake("a text may not hold NUL or half characters", node.col_offset)
            return Typed(repr(value), "text", len(value), plain=True, clean=bool(value))
        if value is None or isinstance(value, bool):
            raise Mistake(f"write '{_WRITTEN[str(value)]}', not '{value}'", node.col_offset)
        written = ast.get_source_segment(self.text, node) or ""
        if not isinstance(value, (int, float)) or not _NUMBER.match(written):
            shown = written if len(written) <= 40 else f"{written[:40]}…"
            raise Mistake(f"'{shown}' is no number; write digits, as in 12.50", node.col_offset)
        return Typed(self.unit.constant(Decimal(written)), "number", plain=True)

    def _path(self, node: ast.expr) -> Typed:
        parts = parts_of(node)
        if len(parts) == 1 and parts[0] in _LITERALS:
            kind: ValueKind = "null" if parts[0] == "null" else "boolean"
            return Typed(_LITERALS[parts[0]], kind, plain=True)
        return names.value(self.scope, parts, node.col_offset)

    def _boolean(self, node: ast.BoolOp) -> Typed:
        sides = [self.node(value) for value in node.values]
        word = " and " if isinstance(node.op, ast.And) else " or "
        return Typed(f"True if {word.join(s.safe for s in sides)} else False", "boolean", loads=loads_of(*sides))

    def _unary(self, node: ast.UnaryOp) -> Typed:
        inner = self.node(node.operand)
        if isinstance(node.op, ast.Not):
            return Typed(f"not {inner.safe}", "boolean", loads=inner.loads)
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant) and inner.kind == "number":
            return Typed(self.unit.constant(-self.unit.constants[inner.code]), "number", plain=True)
        raise Mistake("a sign may only stand before a number", node.col_offset)

    def _choice(self, node: ast.IfExp) -> Typed:
        test, then, other = self.node(node.test), self.node(node.body), self.node(node.orelse)
        kinds = {then.kind, other.kind} - {"null"}
        kind: ValueKind = kinds.pop() if len(kinds) == 1 else "any" if kinds else "null"
        length = longest(*[side for side in (then, other) if side.kind != "null"])
        code = f"{then.safe} if {test.safe} else {other.safe}"
        return Typed(code, kind, length, loads_of(test, then, other), clean=all_clean(then, other))

    def _calculation(self, node: ast.BinOp) -> Typed:
        sign = _CALCULATE.get(type(node.op))
        if sign is None:
            raise Mistake(f"{_name_of(node.op)} is not allowed in expressions; only + - * /", node.col_offset)
        left, right = self.node(node.left), self.node(node.right)
        for side, written in ((left, node.left), (right, node.right)):
            if side.kind not in ("number", "decimal", "any", "null"):
                hint = "; use join('', …)" if side.kind == "text" and sign == "+" else ""
                raise Mistake(f"'{sign}' needs numbers, found {side.kind}{hint}", written.col_offset)
        return Typed(f"calculate({sign!r}, {left.code}, {right.code})", "number", loads=loads_of(left, right))

    def _comparison(self, node: ast.Compare) -> Typed:
        if len(node.ops) > 1:
            raise Mistake("write two comparisons with 'and' between them", node.col_offset)
        operator, left, right = node.ops[0], node.left, node.comparators[0]
        if isinstance(operator, (ast.In, ast.NotIn)):
            return self._membership("in" if isinstance(operator, ast.In) else "not in", left, right)
        sign = _COMPARE.get(type(operator))
        if sign is None:
            raise Mistake("'is' is not allowed; write == or empty(…)", node.col_offset)
        for side in (left, right):
            if isinstance(side, ast.Constant) and side.value == "":
                raise Mistake("an empty text is null here; write empty(…)", side.col_offset)
        return self._compare(sign, node)

    def _compare(self, sign: str, node: ast.Compare) -> Typed:
        sides = [self._compared(side) for side in (node.left, node.comparators[0])]
        left, right = sides
        kinds = {_comparable(left.kind), _comparable(right.kind)} - {"any", "null"}
        if len(kinds) > 1:
            raise Mistake(f"cannot compare {left.kind} with {right.kind}", node.col_offset)
        if "number" in kinds:
            sides = [_as_number(side) for side in sides]
        if _TODAY in sides and sides != [_TODAY, _TODAY]:
            sides = [s if s is _TODAY else Typed(f"compared_now(N, T, {s.code})", "date", 10, s.loads) for s in sides]
        left, right = sides
        if sign in ("==", "!="):
            return Typed(f"{left.safe} {sign} {right.safe}", "boolean", loads=loads_of(left, right))
        (a, a2), (b, b2) = twice(self.scope, left), twice(self.scope, right)
        code = f"True if {a} is not None and {b} is not None and {a2} {sign} {b2} else False"
        return Typed(code, "boolean", loads=loads_of(left, right))

    def _compared(self, side: ast.expr) -> Typed:
        if not is_today(side):
            return self.node(side)
        self.unit.clock = True
        return _TODAY

    def _membership(self, word: str, left: ast.expr, right: ast.expr) -> Typed:
        item = self.node(left)
        if isinstance(right, (ast.List, ast.Tuple)):
            if not right.elts or not all(isinstance(entry, ast.Constant) for entry in right.elts):
                raise Mistake("a list in brackets holds constants, as in ['a', 'b']", right.col_offset)
            entries = ", ".join(self.node(entry).code for entry in right.elts)
            return Typed(f"{item.safe} {word} ({entries},)", "boolean", loads=item.loads)
        if not isinstance(right, (ast.Name, ast.Attribute)):
            raise Mistake(
                "behind 'in' stands a list field or constants in brackets; for texts use contains(…)", right.col_offset
            )
        values = names.values(self.scope, parts_of(right), right.col_offset)
        return Typed(f"{item.safe} {word} {values.code}", "boolean", loads=loads_of(item, values))

    def _call(self, node: ast.Call) -> Typed:
        if not isinstance(node.func, ast.Name):
            raise Mistake("only functions can be called, no methods", node.col_offset)
        function = FUNCTIONS.get(node.func.id)
        if function is None:
            raise Mistake(f"unknown function '{node.func.id}'{near_miss(node.func.id, FUNCTIONS)}", node.col_offset)
        if node.keywords or any(isinstance(a, ast.Starred) for a in node.args):
            raise Mistake(f"{function.name}() takes plain arguments only", node.col_offset)
        kinds = parameter_kinds(function, len(node.args))
        if kinds is None:
            raise Mistake(
                f"{function.name}({function.parameters}) cannot take {len(node.args)} arguments", node.col_offset
            )
        if function.name == "today":
            self.unit.clock = True
            return Typed("compared_now(N, T, T)", "date", 10, clean=True)
        if function.name in CHOOSING and (found := chosen(self, function, node)) is not None:
            return found
        now = function.name == "valid_on" and is_today(node.args[0])
        wanted = list(zip(kinds, node.args, strict=True))[1 if now else 0 :]
        arguments = [self.argument(function, kind, argument) for kind, argument in wanted]
        return valid_today(self.scope, *arguments) if now else write_call(self.scope, function, arguments)

    def argument(self, function: Function, kind: str, node: ast.expr) -> Typed:
        """One argument of a call; raises Mistake where it is not what the function takes."""
        if kind == "whole":
            if not isinstance(node, ast.Constant) or type(node.value) is not int or not 0 <= node.value <= 10_000:
                raise Mistake(f"{function.name}() needs a whole number up to 10000 here", node.col_offset)
            return Typed(str(node.value), "number", plain=True)
        if kind == "map":
            return self._map(node)
        if kind == "pattern":
            return self._pattern(node)
        is_path = isinstance(node, (ast.Name, ast.Attribute))
        if kind == "list":
            if not is_path:
                raise Mistake(f"{function.name}() needs the path of a list here", node.col_offset)
            return names.values(self.scope, parts_of(node), node.col_offset)
        whole = names.whole_list(self.scope, parts_of(node)) if function.name == "empty" and is_path else None
        made = whole or self.node(node)
        if not fits(made.kind, kind):
            hint = "; use text(…)" if kind == "text" else ""
            raise Mistake(f"{function.name}() needs {kind}, found {made.kind}{hint}", node.col_offset)
        return made

    def _pattern(self, node: ast.expr) -> Typed:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            raise Mistake("matches() needs a pattern in quotes: matches(vat, 'DE[0-9]{9}')", node.col_offset)
        try:
            return Typed(self.unit.constant(compile_pattern(node.value), "P"), plain=True)
        except ValueError as error:
            raise Mistake(str(error), node.col_offset) from None

    def _map(self, node: ast.expr) -> Typed:
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            raise Mistake("in_map() needs the name of a value map in quotes first", node.col_offset)
        table = self.maps.get(node.value)
        if table is None:
            raise Mistake(f"unknown value map '{node.value}'{near_miss(node.value, self.maps)}", node.col_offset)
        self.named.add(node.value)
        return Typed(self.unit.constant(table.values, "X"), plain=True)


_TODAY = Typed("T", "date", 10, plain=True, clean=True)


def _as_number(side: Typed) -> Typed:
    if side.kind == "decimal" or (side.kind == "any" and side.loads):
        return Typed(f"number({side.code})", "number", None, side.loads)
    return side


def _comparable(kind: str) -> str:
    return {"decimal": "number", "date": "text"}.get(kind, kind)


def _name_of(node: ast.AST) -> str:
    return _WORDS.get(type(node).__name__, f"'{type(node).__name__}'")


_WORDS = {
    "Subscript": "[…]", "Lambda": "lambda", "ListComp": "a loop", "GeneratorExp": "a loop", "SetComp": "a loop",
    "DictComp": "a loop", "JoinedStr": "an f-string", "NamedExpr": "':='", "Pow": "'**'", "Mod": "'%'", "FloorDiv": "'//'",
    "List": "a list", "Tuple": "a tuple", "Dict": "a dict", "Set": "a set", "Starred": "'*'", "Await": "await",
    "Yield": "yield", "Slice": "a slice", "BitOr": "'|'", "BitAnd": "'&'", "BitXor": "'^'", "LShift": "'<<'",
    "RShift": "'>>'", "MatMult": "'@'",
}  # fmt: skip

_NODES: dict[type[ast.expr], Callable[..., Typed]] = {
    ast.Constant: Translator._constant,  # noqa: SLF001 - the class's own table
    ast.Name: Translator._path,  # noqa: SLF001
    ast.Attribute: Translator._path,  # noqa: SLF001
    ast.BoolOp: Translator._boolean,  # noqa: SLF001
    ast.UnaryOp: Translator._unary,  # noqa: SLF001
    ast.IfExp: Translator._choice,  # noqa: SLF001
    ast.BinOp: Translator._calculation,  # noqa: SLF001
    ast.Compare: Translator._comparison,  # noqa: SLF001
    ast.Call: Translator._call,  # noqa: SLF001
}
