"""Kernels as machine code on disk. A process that finds its kernel there calls it without numba, which would take most
of a second to load all that it knows.

What numba has compiled is cut down to the kernel itself, which needs nothing but the C library, with an entry that takes
one array of arguments. Whatever is not as expected is left to numba. The functions are copied as text where they are
used, as those of `helpers`.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def machine_file(path: str, text: str) -> tuple[Any, list[str]]:
    """The file with the machine code of a kernel whose text is at `path`, and all that this code depends on."""
    import hashlib
    import importlib.metadata
    import json
    import os
    import sys
    from pathlib import Path

    import llvmlite
    from llvmlite import binding as llvm

    numba = sys.modules.get("numba")
    about = [
        "1",  # changes where what is written changes
        hashlib.sha256(text.encode()).hexdigest(),
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        sys.version,
        str(llvmlite.__version__),
        str(numba.__version__ if numba is not None else importlib.metadata.version("numba")),
        str(np.__version__),
        *sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith("NUMBA_")),
    ]
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
    return Path(path).parent / "__pycache__" / f"{Path(path).stem}.{key}.machine", about


def kept_kernel(path: str, text: str, compiled: Any) -> Any:
    """The kernel from its machine code on disk. None where nothing is there that fits this process.

    `compiled` gives numba's kernel, for arguments that are not of the types that the kernel is for.
    """
    import hashlib
    import json

    try:
        from llvmlite import binding as llvm

        file, about = machine_file(path, text)
        checksum, _, content = file.read_bytes().partition(b"\n")
        head, _, code = content.partition(b"\n")
        if hashlib.sha256(content).hexdigest().encode() != checksum:
            return None
        note = json.loads(head)
        if note["about"] != about:
            return None
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        target = llvm.Target.from_default_triple().create_target_machine(
            cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), jit=True
        )
        engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), target)
        if any(llvm.address_of_symbol(name) is None for name in needed_symbols(code)):  # LLVM would end the process
            return None
        engine.add_object_file(llvm.object_file.ObjectFileRef.from_data(code))
        engine.finalize_object()
        address = engine.get_function_address("kernel_entry")
        return call_of_machine_code(engine, address, note["arguments"], compiled) if address else None
    except Exception:
        return None


def call_of_machine_code(engine: Any, address: int, arguments: list[tuple[str, str]], compiled: Any) -> Any:
    """A function that calls machine code, as the dispatcher of numba would."""
    import ctypes
    import struct

    formats = {"bool": "?7x", "int8": "b7x", "int16": "h6x", "int32": "i4x", "int64": "q", "uint8": "B7x"}
    formats |= {"uint16": "H6x", "uint32": "I4x", "uint64": "Q", "float32": "f4x", "float64": "d"}
    plain = {"bool": (bool, np.bool_), "int64": (int, np.int64), "float64": (float, np.float64)}
    layout = struct.Struct("=" + "".join(formats[name] if kind == "value" else "QQqqQqq" for name, kind in arguments))
    expected = [(np.dtype(name), plain.get(name, (np.dtype(name).type,)), kind) for name, kind in arguments]
    entry = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p)(address)

    def packed(values: tuple[Any, ...]) -> bytes | None:
        """The arguments as numba passes them; none where they are not of the types that the kernel is for."""
        slots: list[Any] = []
        for value, (dtype, types, kind) in zip(values, expected):
            if kind == "value":
                if type(value) not in types:
                    return None
                slots.append(value)
                continue
            if type(value) is not np.ndarray or value.dtype != dtype or value.ndim != 1:
                return None
            flags = value.flags
            if not (flags.c_contiguous and flags.aligned and (flags.writeable or kind == "read")):
                return None
            size, place = value.size, value.__array_interface__["data"][0]
            slots += (0, 0, size, dtype.itemsize, place, size, dtype.itemsize)
        try:
            return layout.pack(*slots) if len(values) == len(expected) else None
        except struct.error:
            return None

    def kernel(*values: Any) -> None:
        slots = packed(values)
        if slots is None:
            compiled()(*values)
        elif entry(slots):
            compiled()(*values)  # raises what the kernel has raised
            msg = "a kernel on disk has failed where numba's does not"
            raise RuntimeError(msg)

    vars(kernel)["engine"] = engine  # the machine code lives as long
    return kernel


def keep_machine_code(kernel: Any, path: str, text: str) -> None:
    """Write the machine code of a kernel that numba has compiled, where it needs nothing that another process lacks."""
    import contextlib
    import hashlib
    import json

    with contextlib.suppress(Exception):
        file, about = machine_file(path, text)
        arguments, code = machine_code(kernel)
        content = json.dumps({"about": about, "arguments": arguments}).encode() + b"\n" + code
        replace_file(file, hashlib.sha256(content).hexdigest().encode() + b"\n" + content)


def replace_file(file: Any, content: bytes) -> None:
    """Write a file beside its place and move it there: others see all of it or nothing."""
    import os
    import threading

    fresh = file.with_name(f"{file.name}.{os.getpid()}.{threading.get_ident()}.tmp")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, file)
    finally:
        fresh.unlink(missing_ok=True)


def machine_code(kernel: Any) -> tuple[list[tuple[str, str]], bytes]:
    """The types of what a kernel takes, and its machine code: an object file.

    Raises where the kernel is not as expected, or needs more than the C library.
    """
    from llvmlite import binding as llvm
    from numba.core.compiler_lock import global_compiler_lock

    known = "sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh exp exp2 expm1 log log2 log10 log1p pow"
    known += " sqrt cbrt hypot fmod floor ceil trunc rint round nearbyint copysign fabs fmin fmax ldexp erf erfc tgamma"
    known += " lgamma sincos"
    allowed = {name + kind for name in known.split() for kind in ("", "f")} | {"memcpy", "memmove", "memset", "memcmp"}
    (result,) = kernel.overloads.values()
    library, name = result.library, result.fndesc.llvm_func_name
    arguments, types = arguments_of_kernel(result)
    if library.has_dynamic_globals or result.reload_init:
        raise ValueError(name)
    with global_compiler_lock:
        module = library._get_module_for_linking().clone()
        native = module.get_function(name)
        if [str(one.type) for one in native.arguments] != ["ptr", "ptr", *types]:
            raise TypeError(name)
        module.link_in(llvm.parse_assembly(entry_text(name, types, module.triple, module.data_layout)))
        for function in module.functions:
            if not function.is_declaration and function.name != "kernel_entry":
                function.linkage = "internal"
        machine = library.codegen._tm
        passes = llvm.create_new_module_pass_manager()
        passes.add_global_dead_code_eliminate_pass()
        passes.run(module, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(0)))
        called = {one.name for one in module.functions if one.is_declaration and not one.name.startswith("llvm.")}
        if not called <= allowed or "inttoptr (" in str(module):  # the address of something in this process
            raise ValueError(name)
        code = machine.emit_object(module)
    if not set(needed_symbols(code)) <= allowed:  # LLVM calls functions for some instructions, too
        raise ValueError(name)
    return arguments, code


def arguments_of_kernel(result: Any) -> tuple[list[tuple[str, str]], list[str]]:
    """The types of what a kernel takes, in words and as LLVM has them. Raises where they are passed in an unknown way."""
    from numba.core import callconv, types
    from numba.np.numpy_support import as_dtype

    context, signature = result.target_context, result.signature
    codes = (callconv.RETCODE_OK.constant, callconv.RETCODE_NONE.constant)
    if signature.return_type != types.none or codes != (0, -2) or type(context.call_conv) is not callconv.CPUCallConv:
        raise TypeError(signature)
    fields = ("meminfo", "parent", "nitems", "itemsize", "data", "shape", "strides")
    arguments: list[tuple[str, str]] = []
    passed: list[str] = []
    for one in signature.args:
        if not isinstance(one, types.Array):
            dtype = as_dtype(one)
            arguments.append((dtype.name, "value"))
            kinds = {"float32": "float", "float64": "double", "bool": "i8"}
            passed.append(kinds.get(dtype.name, f"i{8 * dtype.itemsize}"))
            continue
        model = context.data_model_manager[one]
        if (one.ndim, one.layout, one.aligned, tuple(model._fields)) != (1, "C", True, fields):
            raise TypeError(signature)
        arguments.append((as_dtype(one.dtype).name, "write" if one.mutable else "read"))
        passed += ["ptr", "ptr", "i64", "i64", "ptr", "i64", "i64"]
    known = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64".split()
    if not {name for name, _ in arguments} <= set(known):
        raise TypeError(signature)
    return arguments, passed


def entry_text(name: str, types: list[str], triple: str, layout: str) -> str:
    """A function that calls a kernel with the arguments in an array, of eight bytes each. It gives zero where all went well."""
    lines = [
        f'target triple = "{triple}"',
        f'target datalayout = "{layout}"',
        f'declare i32 @"{name}"({", ".join(["ptr", "ptr", *types])})',
        "define i32 @kernel_entry(ptr %slots) {",
        "  %returned = alloca ptr",
        "  %raised = alloca ptr",
        "  store ptr null, ptr %raised",
    ]
    for number, kind in enumerate(types):
        lines.append(f"  %at{number} = getelementptr i8, ptr %slots, i64 {8 * number}")
        lines.append(f"  %value{number} = load {kind}, ptr %at{number}, align 1")
    values = ["ptr %returned", "ptr %raised", *(f"{kind} %value{number}" for number, kind in enumerate(types))]
    lines += [
        f'  %status = call i32 @"{name}"({", ".join(values)})',
        "  %plain = icmp eq i32 %status, -2",  # numba's way to say that None is returned
        "  %answer = select i1 %plain, i32 0, i32 %status",
        "  ret i32 %answer",
        "}",
    ]
    return "\n".join(lines)


def needed_symbols(code: bytes) -> list[str]:
    """The symbols that an object file takes from elsewhere. Raises where it is not of the format of Linux."""
    import struct

    if code[:6] != b"\x7fELF\x02\x01":
        msg = "not an ELF file of 64 bits"
        raise ValueError(msg)
    (start,) = struct.unpack_from("<Q", code, 0x28)
    size, number = struct.unpack_from("<HH", code, 0x3A)
    sections = [struct.unpack_from("<IIQQQQIIQQ", code, start + size * k) for k in range(number)]
    found = set()
    for _, kind, _, _, begins, length, strings, _, _, step in sections:
        if kind != 2:  # the table of symbols
            continue
        for place in range(begins + step, begins + length, step):
            name, _, _, section = struct.unpack_from("<IBBH", code, place)
            if section == 0:
                first = sections[strings][4] + name
                found.add(code[first : code.index(b"\0", first)].decode())
    return sorted(found)
