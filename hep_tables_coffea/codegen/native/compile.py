"""Kernels compiled by LLVM without numba, in a fraction of the time.

The text of a kernel is plain enough to be translated as it stands: numbers and flat arrays, loops and conditions. The
instructions are those that numba would give, so the results are the same to the last bit. What is not known here is
left to numba, as are functions of the user that do more than reckon with numbers.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from hep_tables_coffea.codegen.native import expressions, function, mathematics, numbers
from hep_tables_coffea.codegen.native.expressions import Array, Known
from hep_tables_coffea.codegen.native.function import Function
from hep_tables_coffea.codegen.native.numbers import LLVM, Num, Unknown, memory_type

__all__ = ["compiled", "digest_of", "instructions", "type_of"]


def digest_of(text: str) -> str:
    """The name of a kernel: another text, or another translation, is another kernel."""
    return hashlib.sha256(_translation() + text.encode()).hexdigest()[:20]


@functools.cache
def _translation() -> bytes:
    return "".join(
        map(inspect.getsource, (sys.modules[__name__], function, expressions, mathematics, numbers))
    ).encode()


def compiled(text: str) -> tuple[list[tuple[str, str]], bytes]:
    """The types of what a kernel takes, and its machine code for this processor.

    Raises `Unknown` for what is left to numba.
    """
    from llvmlite import binding as llvm

    with _understood():
        arguments, made_of = Module(text).kernel()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    target = llvm.Target.from_default_triple()
    machine = target.create_target_machine(
        cpu=llvm.get_host_cpu_name(),
        features=llvm.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )
    made = llvm.parse_assembly(made_of)
    made.triple, made.data_layout = llvm.get_process_triple(), str(machine.target_data)
    options = llvm.create_pipeline_tuning_options(speed_level=2)
    options.loop_unrolling = options.loop_vectorization = options.slp_vectorization = False  # lists are short
    passes = llvm.create_pass_builder(machine, options)
    passes.getModulePassManager().run(made, passes)
    return arguments, machine.emit_object(made)


def instructions(text: str) -> str:
    """The instructions of a kernel, as LLVM reads them. Raises `Unknown`."""
    with _understood():
        return Module(text).kernel()[1]


def type_of(text: str, name: str, kinds: Sequence[str]) -> str:
    """The type that a function of a text gives for numbers of these types; "" is nothing. Raises `Unknown`."""
    if not set(kinds) <= set(LLVM):
        raise Unknown("numbers of other types")
    with _understood():
        return Module(text).function(name, [Num("", kind) for kind in kinds])[1]


@contextmanager
def _understood() -> Iterator[None]:
    """Whatever is wrong with a text, as too many arguments or a sum of a thousand terms, is left to numba."""
    try:
        yield
    except Unknown:
        raise
    except Exception as error:
        raise Unknown(f"what is no kernel, {type(error).__name__}") from error


class Module(Known):
    """The functions of a text, each translated for the types with which it is called."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self._made: dict[Any, tuple[str, str]] = {}
        self._texts: list[str] = []
        for part in ast.parse(text).body:
            self._define(part)

    def _define(self, part: ast.stmt) -> None:
        if isinstance(part, ast.FunctionDef):
            self.functions[part.name] = part
        elif isinstance(part, ast.Import):
            self.modules |= {alias.asname or alias.name: alias.name for alias in part.names}
        elif isinstance(part, ast.Assign) and isinstance(part.targets[0], ast.Name):
            with suppress(ValueError):
                self.constants[part.targets[0].id] = ast.literal_eval(part.value)

    def kernel(self) -> tuple[list[tuple[str, str]], str]:
        """The types of what the kernel takes, and all instructions."""
        if "kernel" not in self.functions:
            raise Unknown("a text without a kernel")
        (signature,) = self.functions["kernel"].decorator_list[0].args  # type: ignore[attr-defined]
        if ast.unparse(signature.func) != "types.void":
            raise Unknown("a kernel that gives something")
        arguments = [_argument(ast.unparse(one)) for one in signature.args]
        entry = self._entry(arguments)
        return arguments, "\n".join([*sorted(self.declared), *self._texts, *entry])

    def _entry(self, arguments: Sequence[tuple[str, str]]) -> list[str]:
        """A function that calls the kernel with the arguments in slots of eight bytes: numbers, and addresses of arrays."""
        lines: list[str] = []
        values: list[Num | Array] = []
        for number, (kind, how) in enumerate(arguments):
            is_array = how != "value"
            lines.append(f"  %at{number} = getelementptr i8, ptr %slots, i64 {8 * number}")
            taken = "ptr" if is_array else memory_type(kind)
            lines.append(f"  %taken{number} = load {taken}, ptr %at{number}, align 1")
            if taken != LLVM[kind] and not is_array:
                lines.append(f"  %truth{number} = trunc i8 %taken{number} to i1")
                values.append(Num(f"%truth{number}", kind))
            else:
                values.append(Array(f"%taken{number}", kind, how) if is_array else Num(f"%taken{number}", kind))
        symbol, gives = self.function("kernel", values)
        if gives:
            raise Unknown("a kernel that gives something")
        call = f"  call void {symbol}({', '.join(map(str, values))})"
        return ["define void @kernel_entry(ptr %slots) {", *lines, call, "  ret void", "}"]

    def function(self, name: str, arguments: Sequence[Num | Array]) -> tuple[str, str]:
        """The symbol of a function for arguments of these types, and the type that it gives; "" is nothing."""
        if name not in self.functions:
            raise Unknown(f"the function {name}")
        key = (name, *(one.types for one in arguments))
        if key not in self._made:
            self._made[key] = "", ""
            symbol = f'@"{name}.{len(self._made)}"'
            function = Function(self, self.functions[name], arguments)
            self._texts.append(function.text(symbol, "noinline" if name == "kernel" else ""))
            self._made[key] = symbol, function.gives
        found = self._made[key]
        if not found[0]:
            raise Unknown("a function that calls itself")
        return found


def _argument(text: str) -> tuple[str, str]:
    """The type of what a kernel takes and how it takes it, from the type as numba has it."""
    found = re.fullmatch(r"(column\()?types\.(\w+)(\)|\[::1\])?", text)
    kind = found.group(2).replace("boolean", "bool") if found else ""
    if found is None or kind not in LLVM:
        raise Unknown(f"an argument of the type {text}")
    return kind, "read" if found.group(1) else "write" if found.group(3) else "value"
