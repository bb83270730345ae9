"""Which names templates read, held against the types of the view that they are rendered with, without rendering them.

It follows loops, assignments and macros: the type of a macro's parameter is that of all arguments that it is called with.
What it cannot follow, such as the result of an unknown filter, may have any attribute.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from jinja2 import Environment, TemplateSyntaxError, nodes

#: A type as the checker sees it: the types that a value can have. Nothing is known of ``Any``.
Types = frozenset[Any]
UNKNOWN: Types = frozenset({Any})
TEXT: Types = frozenset({str})
#: Names that Jinja itself gives to templates.
_BUILT_IN = frozenset({"loop", "range", "dict", "namespace", "caller", "super", "self", "varargs", "kwargs"})
_TEXT_FILTERS = frozenset({"join", "lower", "upper", "replace", "capitalize", "trim", "rows", "apart", "asis"})


@dataclass(frozen=True)
class _Parts:
    """An imported template, whose macros are its attributes."""

    template: str


@dataclass(frozen=True)
class _Macro:
    template: str
    name: str


@dataclass
class Names:
    """``used``: the (record, attribute) pairs that are read. ``faults``: (template, what is wrong with a name)."""

    used: set[tuple[type, str]] = field(default_factory=set)
    faults: set[tuple[str, str]] = field(default_factory=set)


def template_names(sources: Mapping[str, str], view: type, filters: Iterable[str] = ()) -> Names:
    """The names that the templates read of ``view``. Templates with a syntax error are left out."""
    return _Reader(sources, view, filters).names()


class _Reader:
    def __init__(self, sources: Mapping[str, str], view: type, filters: Iterable[str]) -> None:
        self._trees = dict(_parsed(sources, filters))
        self._macros = {
            _Macro(name, node.name): tuple(parameter.name for parameter in node.args)
            for name, tree in self._trees.items()
            for node in tree.find_all(nodes.Macro)
        }
        self._view = view
        self._arguments: dict[tuple[_Macro, str], Types] = {}
        self._names = Names()
        self._template = ""

    def names(self) -> Names:
        """Reads all templates until no call adds a type to a macro's parameter."""
        known = None
        while known != self._arguments:
            known = dict(self._arguments)
            self._names = Names()
            for name, tree in self._trees.items():
                self._template = name
                self._run(tree.body, {})
        return self._names

    def _fault(self, what: str) -> None:
        self._names.faults.add((self._template, what))

    def _run(self, body: Iterable[nodes.Node], scope: dict[str, Types]) -> None:
        for node in body:
            self._statement(node, scope)

    def _statement(self, node: nodes.Node, scope: dict[str, Types]) -> None:
        match node:
            case nodes.Import():
                name = node.template.value if isinstance(node.template, nodes.Const) else ""
                scope[node.target] = frozenset({_Parts(name)})
            case nodes.Macro():
                macro = _Macro(self._template, node.name)
                scope[node.name] = frozenset({macro})
                parameters = {p.name: self._arguments.get((macro, p.name), frozenset()) for p in node.args}
                self._run(node.body, scope | parameters)
            case nodes.For():
                inner = dict(scope)
                self._bind(node.target, _elements(self._types(node.iter, scope)), inner)
                self._run([*node.body, *node.else_], inner)
            case nodes.Assign():
                self._bind(node.target, self._types(node.node, scope), scope)
            case nodes.Block():
                self._run(node.body, dict(scope))
            case nodes.Expr():
                self._types(node, scope)
            case _:
                self._run(node.iter_child_nodes(), scope)

    def _bind(self, target: nodes.Node, types: Types, scope: dict[str, Types]) -> None:
        if isinstance(target, nodes.Name):
            scope[target.name] = types
        elif isinstance(target, nodes.Tuple):
            for index, item in enumerate(target.items):
                self._bind(item, _elements(types, index), scope)

    def _types(self, node: nodes.Node, scope: dict[str, Types]) -> Types:
        """The types that an expression can have; every name in it is checked."""
        match node:
            case nodes.Name():
                return self._variable(node.name, scope)
            case nodes.Getattr():
                return self._attribute(self._types(node.node, scope), node.attr)
            case nodes.Getitem():
                self._types(node.arg, scope)
                return _elements(self._types(node.node, scope))
            case nodes.Call():
                return self._call(node, scope)
            case nodes.Filter():
                return self._filter(node, scope)
            case nodes.CondExpr():
                self._types(node.test, scope)
                return self._types(node.expr1, scope) | (self._types(node.expr2, scope) if node.expr2 else frozenset())
            case nodes.And() | nodes.Or():
                return self._types(node.left, scope) | self._types(node.right, scope)
            case nodes.Tuple():
                return frozenset({("tuple", tuple(self._types(item, scope) for item in node.items))})
            case nodes.List():
                return frozenset({("list", frozenset().union(*(self._types(item, scope) for item in node.items)))})
            case nodes.Const():
                return frozenset({type(node.value)})
            case _:
                for child in node.iter_child_nodes():
                    self._types(child, scope)
                return TEXT

    def _variable(self, name: str, scope: Mapping[str, Types]) -> Types:
        if name in scope:
            return scope[name]
        if name in _BUILT_IN:
            return UNKNOWN
        return self._attribute(frozenset({self._view}), name, variable=True)

    def _attribute(self, types: Types, name: str, *, variable: bool = False) -> Types:
        found: Types = frozenset()
        for one in types - {NoneType}:
            match one:
                case _Parts():
                    macro = _Macro(one.template, name)
                    if macro not in self._macros:
                        self._fault(f"there is no macro {name} in {one.template}")
                    found |= {macro}
                case type() if one is not Any and name in _hints(one):
                    self._names.used.add((one, name))
                    found |= _members(_hints(one)[name])
                case type() if one is not Any:
                    self._fault(f"there is no variable {name}" if variable else f"{one.__name__} has no {name}")
                case _:
                    found |= UNKNOWN
        return found

    def _call(self, node: nodes.Call, scope: dict[str, Types]) -> Types:
        called = self._types(node.node, scope)
        given = [self._types(argument, scope) for argument in node.args]
        named = {keyword.key: self._types(keyword.value, scope) for keyword in node.kwargs}
        found: Types = frozenset()
        for one in called:
            if isinstance(one, _Macro):
                self._pass(one, given, named)
                found |= TEXT
            else:
                returned = get_args(one)
                found |= _members(returned[-1]) if returned else UNKNOWN
        return found

    def _pass(self, macro: _Macro, given: list[Types], named: Mapping[str, Types]) -> None:
        names = self._macros.get(macro, ())
        for name, types in [*zip(names, given, strict=False), *named.items()]:
            key = (macro, name)
            self._arguments[key] = self._arguments.get(key, frozenset()) | types

    def _filter(self, node: nodes.Filter, scope: dict[str, Types]) -> Types:
        value = self._types(node.node, scope) if node.node else UNKNOWN
        for argument in (*node.args, *(keyword.value for keyword in node.kwargs)):
            self._types(argument, scope)
        match node.name:
            case "length":
                return frozenset({int})
            case "list":
                return value
            case "selectattr" | "rejectattr" if node.args and isinstance(node.args[0], nodes.Const):
                self._attribute(_elements(value), str(node.args[0].value))
                return value
            case name:
                return TEXT if name in _TEXT_FILTERS else UNKNOWN


def _parsed(sources: Mapping[str, str], filters: Iterable[str]) -> Iterable[tuple[str, nodes.Template]]:
    parser = Environment()  # noqa: S701 - nothing is rendered
    parser.filters |= dict.fromkeys(filters, str)
    for name, source in sorted(sources.items()):
        try:
            yield name, parser.parse(source)
        except TemplateSyntaxError:
            continue


@cache
def _hints(record: type) -> Mapping[str, Any]:
    return get_type_hints(record)


@cache
def _members(hint: Any) -> Types:
    """The members of a union, or the type itself."""
    return frozenset(get_args(hint)) if get_origin(hint) in (Union, UnionType) else frozenset({hint})


def _elements(types: Types, index: int | None = None) -> Types:
    """What a value of these types yields when it is looped over, or has at ``index`` when it is unpacked."""
    found: Types = frozenset()
    for one in types - {NoneType}:
        match one:
            case ("tuple", parts):
                found |= parts[index] if index is not None and index < len(parts) else frozenset().union(*parts)
            case ("list", parts):
                found |= parts
            case _ if one is str:
                found |= TEXT
            case _ if _is_fixed_tuple(one):
                parts = get_args(one)
                found |= _members(parts[index]) if index is not None and index < len(parts) else frozenset(parts)
            case _ if get_args(one):
                found |= _members(get_args(one)[0])
            case _:
                found |= UNKNOWN
    return found


def _is_fixed_tuple(hint: Any) -> bool:
    """Whether the hint is a tuple with a type for each place, such as ``tuple[str, int]``."""
    origin: Any = get_origin(hint)
    return origin is tuple and Ellipsis not in get_args(hint)
