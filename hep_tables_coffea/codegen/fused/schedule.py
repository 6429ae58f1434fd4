"""Where each instruction is computed: in the outermost loop that knows it, behind the conditions that all of its uses have.

The body of a loop is a tree of conditions. What is computed in one part of it comes in stages: a sum over a list is
known after the loop over that list, so what uses it comes later, and so does every loop that needs it. Loops over the
same list in the same stage and behind the same conditions are one.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from hep_tables_coffea.codegen.fused.ir import Effect, Inst, Loop, Unfusable, needs
from hep_tables_coffea.graph.traverse import shared

__all__ = ["Body", "Nest", "Scope", "schedule"]

Chain = tuple[Inst, ...]
#: A loop, what is asked before it, and how many rows there must be.
Place = tuple[Loop, Chain, Inst | None, int]

#: What is not worth a loop of its own, in additions.
_LITTLE = 20


@dataclass(eq=False, slots=True)
class Scope:
    """What stands behind one condition in the body of a loop, in order."""

    guard: Inst | None = None
    items: list[tuple[int, int, int, Inst | Nest]] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    inner: dict[Inst, Scope] = field(default_factory=dict)

    def in_order(self) -> Iterator[Inst | Nest]:
        """Values and loops, each after what it needs."""
        for *_, item in sorted(self.items, key=lambda item: item[:3]):
            yield item


@dataclass(eq=False, slots=True)
class Body:
    """The body of a loop."""

    top: Scope = field(default_factory=Scope)

    def scope(self, chain: Chain) -> Scope:
        scope = self.top
        for guard in chain:
            scope = scope.inner.setdefault(guard, Scope(guard))
        return scope


@dataclass(eq=False, slots=True)
class Nest:
    """A loop with its body, and the effects whose results are known after it."""

    loop: Loop
    body: Body
    begun: list[Effect]
    #: How many rows a list has, where it must have some for the loop to be of use.
    rows: Inst | None = None
    least: int = 1


class _Order:
    """Instructions in an order in which each comes after those that it needs."""

    def __init__(self, effects: Iterable[Effect]) -> None:
        self.index: dict[Inst, int] = {}
        self.insts: list[Inst] = []
        for effect in effects:
            for inst in effect.needs:
                self._visit(inst)

    def _visit(self, start: Inst) -> None:
        waiting: list[tuple[Inst, bool]] = [(start, False)]
        begun: set[Inst] = set()
        while waiting:
            inst, done = waiting.pop()
            if inst in self.index:
                continue
            if done:
                self.index[inst] = len(self.insts)
                self.insts.append(inst)
            elif inst in begun:
                raise Unfusable("lists that need each other")
            else:
                begun.add(inst)
                waiting.append((inst, True))
                waiting += [(need, False) for need in needs(inst) if need not in self.index]

    def stages(self, loop: Loop | None) -> dict[Inst, int]:
        """How many loops in the body of a loop come before each instruction."""
        found: dict[Inst, int] = {}
        for inst in self.insts:
            least = max((found[need] for need in needs(inst)), default=0)
            waits = inst.op == "result" and inst.effect is not None and inst.effect.outer is loop
            found[inst] = least + (1 if waits or (inst.op == "sort" and inst.level is loop) else 0)
        return found


def schedule(effects: list[Effect]) -> list[Inst | Nest]:
    """The loops of a kernel, outermost first, with what is computed before them."""
    scheduler = _Scheduler(_Order(effects))
    body, _ = scheduler.body(None, [], [(effect, 0) for effect in effects])
    return list(body.top.in_order())


class _Scheduler:
    def __init__(self, order: _Order) -> None:
        self.order = order
        self._stages: dict[Loop | None, dict[Inst, int]] = {}

    def stage(self, loop: Loop | None, insts: Iterable[Inst]) -> int:
        if loop not in self._stages:
            self._stages[loop] = self.order.stages(loop)
        known = self._stages[loop]
        return max((known[inst] for inst in insts), default=0)

    def body(
        self, loop: Loop | None, ending: list[tuple[Effect, Chain]], entering: list[tuple[Effect, int]]
    ) -> tuple[Body, dict[Inst, None]]:
        """The body of a loop: of the effects that end in it, and those that go on into its inner loops."""
        return _Part(self, loop).made(ending, entering)


class _Part:
    """The body of one loop while it is put together, from what comes last to what comes first."""

    def __init__(self, scheduler: _Scheduler, loop: Loop | None) -> None:
        self.scheduler, self.loop = scheduler, loop
        self.body = Body()
        self.free: dict[Inst, None] = {}
        self.homes: dict[Inst, Chain] = {}
        self.heap: list[tuple[int, int, Inst]] = []
        self.groups: dict[int, dict[Place, list[tuple[Effect, int]]]] = {}
        self.results: dict[int, dict[Effect, Chain]] = {}

    def made(
        self, ending: list[tuple[Effect, Chain]], entering: list[tuple[Effect, int]]
    ) -> tuple[Body, dict[Inst, None]]:
        for effect, chain in ending:
            self._use_guards(chain)
            self.body.scope(chain).effects.append(effect)
            for inst in effect.values:
                self._use(inst, chain)
        for members in _together(entering):
            stage = max(self.scheduler.stage(self.loop, [*effect.needs]) for effect, _ in members)
            for effect, depth in members:
                chain = effect.loops[depth - 1][1] if depth else ()
                self._use_guards(chain)
                group = self.groups.setdefault(stage, {}).setdefault((effect.loops[depth][0], chain, None, 1), [])
                group.append((effect, depth))
        while self.heap or self.groups or self.results:
            self._step()
        return self.body, self.free

    def _use_guards(self, chain: Chain) -> None:
        for k, guard in enumerate(chain):
            self._use(guard, chain[:k])

    def _use(self, inst: Inst, chain: Chain) -> None:
        """Note that an instruction is needed behind some conditions."""
        if inst.op in ("const", "argument", "var", "name"):
            return
        if inst.level is not self.loop:
            self.free[inst] = None
            return
        if inst not in self.homes:
            self.homes[inst] = chain
            stage = self.scheduler.stage(self.loop, [inst])
            heapq.heappush(self.heap, (-stage, -self.scheduler.order.index[inst], inst))
            return
        self.homes[inst] = _shared(self.homes[inst], chain)

    def _step(self) -> None:
        """Everything of the last stage that is left: first its loops, then its values."""
        stage = max([*self.groups, *(s - 1 for s in self.results), *(-item[0] for item in self.heap[:1])])
        if stage not in self.groups and stage + 1 not in self.results:
            self._take_values(stage)
            return
        groups = self.groups.pop(stage, {})
        found = self.results.pop(stage + 1, {})
        for effect, chain in sorted(found.items(), key=lambda one: len(one[1])):
            asked = (effect.rows, effect.least) if effect.least > 1 else (None, 1)
            place = (effect.loops[0][0], self._beside(effect, chain, groups), *asked)
            groups.setdefault(place, []).append((effect, 0))
        for place, members in groups.items():
            self._nest(place, members, stage)

    def _beside(self, effect: Effect, chain: Chain, groups: Mapping[Place, list[tuple[Effect, int]]]) -> Chain:
        """The conditions behind which a loop runs: fewer of them where it runs over the same rows anyhow, at little cost."""
        if sum(value.cost for value in effect.values) > _LITTLE or effect.before or effect.least > 1:
            return chain
        for k in range(len(chain)):
            beside = groups.get((effect.loops[0][0], chain[:k], None, 1), [])
            if any(depth == 0 and other.loops == effect.loops for other, depth in beside):
                return chain[:k]
        return chain

    def _take_values(self, stage: int) -> None:
        _, index, inst = heapq.heappop(self.heap)
        chain = self.homes[inst]
        if inst.effect is not None:
            found = self.results.setdefault(stage, {})
            found[inst.effect] = _shared(found[inst.effect], chain) if inst.effect in found else chain
            for before in inst.effect.before:
                self._use(before, chain)
            return
        self.body.scope(chain).items.append((stage, 0, -index, inst))
        for need in inst.args:
            self._use(need, chain)

    def _nest(self, place: Place, members: list[tuple[Effect, int]], stage: int) -> None:
        """One loop with all that goes on in it."""
        loop, chain, rows, least = place
        ending = [(effect, effect.loops[d][1]) for effect, d in members if d == len(effect.loops) - 1]
        entering = [(effect, d + 1) for effect, d in members if d < len(effect.loops) - 1]
        body, free = self.scheduler.body(loop, ending, entering)
        begun = [effect for effect, d in members if d == 0]
        number = min(
            (self.scheduler.order.index[r] for e in begun for r in e.results if r in self.scheduler.order.index),
            default=0,
        )
        self.body.scope(chain).items.append((stage, 1, number, Nest(loop, body, begun, rows, least)))
        for inst in (loop.start, loop.stop, *free, *([rows] if rows is not None else [])):
            self._use(inst, chain)


def _together(entering: list[tuple[Effect, int]]) -> list[list[tuple[Effect, int]]]:
    """Effects that go on in one loop. Where statements differ in what is asked before it, that is asked inside of it:
    the loop runs once for all selections, and what it computes is there for all of them.
    """  # fmt: skip
    alone = [[one] for one in entering if one[0].kind != "statement" or not one[1]]
    loops: dict[Loop, list[tuple[Effect, int]]] = {}
    for effect, depth in entering:
        if effect.kind == "statement" and depth:
            loops.setdefault(effect.loops[depth][0], []).append((effect, depth))
    return [*alone, *map(_asked_inside, loops.values())]


def _asked_inside(members: list[tuple[Effect, int]]) -> list[tuple[Effect, int]]:
    chains = [effect.loops[depth - 1][1] for effect, depth in members]
    common = chains[0]
    for chain in chains[1:]:
        common = _shared(common, chain)
    made = []
    for (effect, depth), chain in zip(members, chains):
        loops = list(effect.loops)
        loops[depth - 1] = (loops[depth - 1][0], common)
        innermost, own = loops[-1]
        loops[-1] = (innermost, (*own, *(guard for guard in chain[len(common) :] if guard not in own)))
        made.append((replace(effect, loops=tuple(loops)) if chain != common else effect, depth))
    return made


def _shared(one: Chain, other: Chain) -> Chain:
    """The conditions that two places have in common."""
    return one[: shared(one, other)]
