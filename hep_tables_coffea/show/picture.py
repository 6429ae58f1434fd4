"""A recorded program as a picture: SVG, columns at the top, answers at the bottom."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from types import MappingProxyType

from hep_tables_coffea.graph import build
from hep_tables_coffea.graph import nodes as g
from hep_tables_coffea.graph.traverse import walk

__all__ = ["graph_svg"]

_SIGNS = {
    "np.add": "+", "np.subtract": "-", "np.multiply": "×", "np.true_divide": "÷", "np.power": "power", "np.less": "<",
    "np.less_equal": "≤", "np.greater": ">", "np.greater_equal": "≥", "np.equal": "=", "np.not_equal": "≠",
    "np.bitwise_and": "and", "np.bitwise_or": "or", "np.invert": "not", "np.logical_not": "not",
}  # fmt: skip
_COLORS = {"column": "#dbe9f6", "filter": "#fde7c8", "answer": "#d8f0d3", "step": "#f4f4f4"}
#: The frames of what different back ends run.
_STROKES = ("#b03a2e", "#1f618d", "#7d3c98", "#117a65")
_WIDTH, _HEIGHT, _GAP_X, _GAP_Y, _LETTERS = 150, 40, 18, 46, 22


def graph_svg(outputs: Mapping[str, g.Node], runs: Mapping[g.Node, str] = MappingProxyType({})) -> str:
    """The graph of some outputs as SVG text. `runs` says who runs each node."""
    nodes = [node for node in walk(outputs.values(), _drawn_needs) if not isinstance(node, (g.Literal, g.Source))]
    layers = _layers(nodes)
    place = _places(layers)
    height = max(y for _, y in place.values()) + 2 * _HEIGHT + _GAP_Y
    width = max(x for x, _ in place.values()) + _WIDTH + 2 * _GAP_X
    lines = [_edge(place[need], place[node]) for node in nodes for need in _drawn_needs(node) if need in place]
    hosts = list(dict.fromkeys(runs[node] for node in nodes if node in runs))
    strokes = dict(zip(hosts, _STROKES))
    boxes = [_box(place[node], node, runs.get(node, ""), strokes) for node in nodes]
    answers = [_answer(place[node], name) for name, node in outputs.items() if node in place]
    style = 'font-family="sans-serif" font-size="12"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" {style}>'
    return "\n".join([head, *lines, *boxes, *answers, "</svg>"])


def _drawn_needs(node: g.Node) -> tuple[g.Node, ...]:
    """What a node is made of; stored columns come from the file."""
    return () if isinstance(node, g.Field) and not isinstance(node.args[0], g.Behave) else node.needs


def _layers(nodes: list[g.Node]) -> list[list[g.Node]]:
    depth: dict[g.Node, int] = {}
    for node in nodes:
        depth[node] = 1 + max((depth.get(need, -1) for need in _drawn_needs(node)), default=-1)
    layers: list[list[g.Node]] = [[] for _ in range(max(depth.values(), default=0) + 1)]
    for node in nodes:
        layers[depth[node]].append(node)
    return layers


def _places(layers: list[list[g.Node]]) -> dict[g.Node, tuple[int, int]]:
    """Where each box stands: under the middle of what it is made of."""
    place: dict[g.Node, tuple[int, int]] = {}
    for number, layer in enumerate(layers):

        def middle(node: g.Node) -> float:
            above = [place[need][0] for need in _drawn_needs(node) if need in place]
            return sum(above) / len(above) if above else 0.0

        left = 0
        for node in sorted(layer, key=middle):
            left = max(left, int(middle(node))) if number else left
            place[node] = (left + _GAP_X, number * (_HEIGHT + _GAP_Y) + _GAP_X)
            left += _WIDTH + _GAP_X
    return place


def _kind(node: g.Node) -> str:
    if isinstance(node, g.Field):
        return "column"
    if isinstance(node, (g.Restrict, g.Pick)):
        return "filter"
    return "answer" if isinstance(node, (g.Fill, g.Aggregate)) else "step"


def _label(node: g.Node) -> str:
    if isinstance(node, g.Field):
        return _field_label(node)
    if isinstance(node, g.Call):
        constants = [str(arg.value) for arg in node.args if isinstance(arg, g.Literal)]
        return " ".join([_SIGNS.get(node.function, node.function.rpartition(".")[2]), *constants])
    names: dict[type, str] = {g.Restrict: "select", g.Nest: "for each", g.Side: "member", g.Fill: "histogram"}
    if isinstance(node, g.Restrict):
        step = node.path[-1].kind
        return {"ordered": "order", "sliced": "slice", "padded": "pad"}.get(step, "select")
    for attribute in ("function", "method"):
        if attribute in type(node).parameters:
            return str(getattr(node, attribute))
    if isinstance(node, g.UserCall):
        return str(node.declared.name)
    return names.get(type(node), type(node).__name__.lower())


def _field_label(node: g.Field) -> str:
    names = [node.name]
    record = node.args[0]
    while isinstance(record, g.Field):
        names.append(record.name)
        record = record.args[0]
    return ".".join(reversed(names)).replace(build.ROW, "rows")


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x1, y1 = start[0] + _WIDTH // 2, start[1] + _HEIGHT
    x2, y2 = end[0] + _WIDTH // 2, end[1]
    bend = (y1 + y2) // 2
    return f'<path d="M{x1},{y1} C{x1},{bend} {x2},{bend} {x2},{y2}" fill="none" stroke="#888"/>'


def _short(text: str, letters: int = _LETTERS) -> str:
    return escape(text if len(text) <= letters else text[: letters - 1] + "…")


def _box(place: tuple[int, int], node: g.Node, host: str, strokes: Mapping[str, str]) -> str:
    x, y = place
    title = f"{node.text}, run by {host}" if host else node.text
    corner = f'<text x="{x + _WIDTH - 4}" y="{y - 3}" text-anchor="end" font-size="9" fill="{{}}">{escape(host)}</text>'
    stroke = strokes.get(host, "#666")
    return (
        f'<g><title>{escape(title)}</title><rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5" '
        f'fill="{_COLORS[_kind(node)]}" stroke="{stroke}"/>'
        f'<text x="{x + _WIDTH // 2}" y="{y + 17}" text-anchor="middle">{_short(_label(node))}</text>'
        f'<text x="{x + _WIDTH // 2}" y="{y + 32}" text-anchor="middle" font-size="9" fill="#555">'
        f"{_short(node.text, 30)}</text>{corner.format(stroke) if host else ''}</g>"
    )


def _answer(place: tuple[int, int], name: str) -> str:
    x, y = place[0] + _WIDTH // 2, place[1] + _HEIGHT + 16
    return f'<text x="{x}" y="{y}" text-anchor="middle" font-weight="bold">{_short(name)}</text>'
