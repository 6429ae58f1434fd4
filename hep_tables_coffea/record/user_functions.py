"""Functions of the user: with a body, vectorized, or only declared."""

from __future__ import annotations

import dis
import functools
import inspect
import typing
from collections.abc import Callable
from typing import Any

import numpy as np

from hep_tables_coffea.errors import UsageError, Where
from hep_tables_coffea.graph.functions import user_call
from hep_tables_coffea.graph.nodes import Declared, Node
from hep_tables_coffea.record.array import wrap
from hep_tables_coffea.record.values import node_of
from hep_tables_coffea.types.elements import Element, Number, Text, number

__all__ = ["UserFunction", "user_func"]


class UserFunction:
    """A function that is recorded when it is called with recorded values, and called when it is not."""

    def __init__(self, function: Callable[..., Any], vectorized: bool, returns: Any) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.signature = inspect.signature(function)
        self.__signature__ = self.signature
        self.vectorized, self.returns = vectorized, returns
        self.where = Where(function.__code__.co_filename, function.__code__.co_firstlineno)
        self._check_parameters()

    def _check_parameters(self) -> None:
        plain = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        for parameter in self.signature.parameters.values():
            if parameter.kind not in plain:
                msg = f"{self.function.__name__}: the argument {parameter} cannot be given by position"
                raise UsageError(msg, where=self.where, hint="write plain arguments, without * and **")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError as error:
            msg = f"{self.function.__name__}{self.signature}: {error}"
            raise UsageError(msg, hint="call it with one argument for each parameter") from error
        bound.apply_defaults()
        values = list(bound.arguments.values())
        if not any(isinstance(getattr(value, "_node", None), Node) for value in values):
            return self.function(*args, **kwargs)
        nodes = [node_of(value, f"call {self.function.__name__} with") for value in values]
        self._check_kinds(dict(zip(bound.arguments, nodes)))
        return wrap(user_call(self.declared(), nodes))

    def _check_kinds(self, nodes: dict[str, Node]) -> None:
        """A text where a number is expected, or a number for a text, is refused here, and not in the function."""
        hints = self._hints()
        for name, node in nodes.items():
            kind = hints.get(name)
            if isinstance(node.type, Text if kind in _NUMBERS else Number if kind is str else ()):
                msg = f"{self.function.__name__}: the argument {name} is declared as {getattr(kind, '__name__', kind)}, and is {node.type}"
                raise UsageError(
                    msg, values=[(name, node.text)], hint="give it a value of its kind, or annotate another"
                )

    def declared(self) -> Declared:
        """What a program needs to know of the function."""
        has_body = _has_body(self.function)
        return Declared(
            self.function.__name__,
            self.function if has_body else None,
            self.vectorized,
            self._result_type(),
            self.where,
            tuple(self.signature.parameters),
        )

    def _result_type(self) -> Element:
        name = self.function.__name__
        hints = self._hints()
        for parameter in self.signature.parameters.values():
            if parameter.name not in hints:
                msg = f"{name}: the argument {parameter.name} has no annotation"
                raise UsageError(msg, where=self.where, hint=f"def {name}({parameter.name}: float, ...) -> float")
        result = self.returns if self.returns is not None else hints.get("return")
        if result is None:
            msg = f"{name}: the return value has no annotation"
            raise UsageError(msg, where=self.where, hint=f"def {name}(...) -> float")
        return _element(result, name, self.where)

    def _hints(self) -> dict[str, Any]:
        try:
            return typing.get_type_hints(self.function, localns=_DTYPES)
        except NameError as error:
            msg = f"{self.function.__name__}: an annotation cannot be resolved: {error}"
            raise UsageError(msg, where=self.where) from error

    def __repr__(self) -> str:
        return f"<user function {self.function.__name__}{self.signature}>"


#: Names of types that an annotation may have in quotes.
_DTYPES = {f"{kind}{bits}": getattr(np, f"{kind}{bits}") for kind in ("float", "int", "uint") for bits in (16, 32, 64)}
#: What an argument that is a number is declared as.
_NUMBERS = (float, int, bool, *_DTYPES.values())


def _element(result: Any, name: str, where: Where) -> Element:
    if result is str:
        return Text()
    try:
        dtype = np.dtype(result)
        if result in (None, type(None)) or dtype.kind not in "biuf":
            raise TypeError
        return number(dtype)
    except TypeError as error:
        msg = f"{name} returns {result!r}, which is no type of a number, truth value or string"
        raise UsageError(msg, where=where, hint='float, int, bool, str, or a dtype such as "float32"') from error


def _has_body(function: Callable[..., Any]) -> bool:
    """Whether there is more in a function than `...`, `pass` or `assert False`.

    A function that uses one of its arguments has a body. One that uses none is called: a declaration gives None or
    fails its assertion.
    """
    parameters = set(inspect.signature(function).parameters)
    for step in dis.get_instructions(function):
        used = step.argval if isinstance(step.argval, tuple) else (step.argval,)
        if "LOAD_FAST" in step.opname and parameters & {name for name in used if isinstance(name, str)}:
            return True
    try:
        return function(*[None] * len(parameters)) is not None
    except AssertionError:
        return False
    except Exception:
        return True


def user_func(function: Callable[..., Any] | None = None, *, vectorized: bool = False, returns: Any = None) -> Any:
    """A function of numbers that can be recorded.

    With a body it is called for every row, compiled where that can be done: then it has the arithmetic of numpy. With
    `vectorized=True` it is called with flat numpy arrays; a constant text is given as it is. Without a body (`...` or
    `assert False`) a back end must provide it: see `ht.backend_function`; `DeltaR` is.

    Args:
        function: with an annotation for each argument and for the result: float, int, bool or str.
        vectorized: whether it takes whole arrays.
        returns: the type of the result, where an annotation cannot say it: `"float32"`.

    Raises:
        TypeError: a missing annotation; a call with the wrong arguments. NotImplementedError, before anything runs: no
        back end provides a function without a body.

    Example:
        >>> import hep_tables_coffea as ht
        >>> @ht.user_func
        ... def twice_plus(x: float, y: float = 1.0) -> float:
        ...     return 2 * x + y
        >>> twice_plus(3.0)
        7.0
    """
    if function is None:
        return functools.partial(user_func, vectorized=vectorized, returns=returns)
    made = UserFunction(function, vectorized, returns)
    made.declared()  # raises where an annotation is missing, on the line of the definition
    return made
