"""Kernels as machine code on disk: what LLVM makes of a kernel needs nothing but the C library, and any process may call
it. Whatever is not as expected is left to numba. The functions are copied as text where they are used, as those of
`helpers`.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def machine_file(path: str, text: str) -> tuple[Any, list[str]]:
    """The file with the machine code of a kernel whose text is at `path`, and all that this code depends on."""
    import hashlib
    import json
    from pathlib import Path

    import llvmlite
    from llvmlite import binding as llvm

    about = [
        "3",  # changes where what is written changes
        hashlib.sha256(text.strip().encode()).hexdigest(),  # a processor has it within quotes, on lines of its own
        llvm.get_process_triple(),
        llvm.get_host_cpu_name(),
        llvm.get_host_cpu_features().flatten(),
        str(llvmlite.__version__),
    ]
    key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
    return Path(path).parent / "__pycache__" / f"{Path(path).stem}.{key}.machine", about


def kept_kernel(path: str, text: str, compiled: Any) -> Any:
    """The kernel from its machine code on disk. None where nothing is there that fits this process.

    `compiled` gives numba's kernel, for arguments that are not of the types that the kernel is for.
    """
    import hashlib
    import json
    import os

    try:
        from llvmlite import binding as llvm

        forks_wait_for_llvm()
        if any(os.environ.get(f"NUMBA_{name}", "0") != "0" for name in ("DISABLE_JIT", "BOUNDSCHECK")):
            return None  # somebody looks for a mistake
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


def forks_wait_for_llvm() -> None:
    """A process that is forked while another thread is within LLVM would wait for that thread forever: it is forked after."""
    import os
    import sys
    import types

    from llvmlite import binding as llvm

    keeper = vars(sys.modules.setdefault("_hep_tables_coffea_worker", types.ModuleType("_hep_tables_coffea_worker")))
    lock = getattr(llvm.ffi.lib, "_lock", None)
    if lock is not None and not keeper.get("forks_wait"):
        keeper["forks_wait"] = True

        def leave() -> None:
            lock.__exit__(None, None, None)

        os.register_at_fork(before=lock.__enter__, after_in_parent=leave, after_in_child=leave)


def call_of_machine_code(engine: Any, address: int, arguments: list[tuple[str, str]], compiled: Any) -> Any:
    """A function that calls machine code."""
    import ctypes
    import struct

    formats = {"bool": "?7x", "int8": "b7x", "int16": "h6x", "int32": "i4x", "int64": "q", "uint8": "B7x"}
    formats |= {"uint16": "H6x", "uint32": "I4x", "uint64": "Q", "float32": "f4x", "float64": "d"}
    plain = {"bool": (bool, np.bool_), "int64": (int, np.int64), "float64": (float, np.float64)}
    layout = struct.Struct("=" + "".join(formats[name] if kind == "value" else "Q" for name, kind in arguments))
    expected = [(np.dtype(name), plain.get(name, (np.dtype(name).type,)), kind) for name, kind in arguments]
    entry = ctypes.CFUNCTYPE(None, ctypes.c_char_p)(address)

    def packed(values: tuple[Any, ...]) -> bytes | None:
        """The arguments, eight bytes each; none where they are not of the types that the kernel is for."""
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
            slots.append(value.__array_interface__["data"][0])
        try:
            return layout.pack(*slots) if len(values) == len(expected) else None
        except struct.error:
            return None

    def kernel(*values: Any) -> None:
        slots = packed(values)
        if slots is None:
            compiled()(*values)
        else:
            entry(slots)

    vars(kernel)["engine"] = engine  # the machine code lives as long
    return kernel


def write_machine_code(path: str, text: str) -> None:
    """Compile a kernel whose text is at `path` without numba, where this library is there and knows all of the text."""
    import contextlib
    import hashlib
    import json

    with contextlib.suppress(Exception):
        from hep_tables_coffea.codegen.native.compile import compiled

        file, about = machine_file(path, text)
        arguments, code = compiled(text)
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
