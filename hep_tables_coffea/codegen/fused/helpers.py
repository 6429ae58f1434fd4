"""Functions that processors with a kernel carry with them: columns as flat arrays and back, bins, the compiled kernel.

Each is copied as text where it is used, so each stands alone and knows only `ak`, `np` and what it imports itself.
"""

from __future__ import annotations

from typing import Any

import awkward as ak
import numpy as np

from hep_tables_coffea.codegen.fused.machine import kept_kernel, replace_file, write_machine_code


def list_starts(columns: dict[str, Any], level: int) -> Any:
    """Where the lists of some columns begin in their flat values, which is the same for all of them."""
    known: Any = None
    first = ""
    for name, array in columns.items():
        layout = array.layout
        for _ in range(level):
            offsets, layout = from_zero(layout)
        if known is None:
            known, first = offsets, name
            continue
        same = offsets.__array_interface__["data"] == known.__array_interface__["data"] and len(offsets) == len(known)
        if not same and not np.array_equal(offsets, known):
            msg = f"the columns {first} and {name} have lists of different lengths"
            raise ValueError(msg)
    return known


def starts_of(counts: Any) -> Any:
    """Where lists of these lengths begin in their flat values."""
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(np.asarray(counts, dtype=np.int64))])


def flat_layout(array: Any) -> Any:
    """The values in all lists, one after the other."""
    layout = array.layout
    while layout.is_list:
        offsets, layout = from_zero(layout)
        if layout.length != offsets[-1]:
            layout = layout[: offsets[-1]]
    return layout


def from_zero(layout: Any) -> tuple[Any, Any]:
    """Where lists begin, from zero on, and what is in them. awkward copies even where nothing changes."""
    offsets = getattr(getattr(layout, "offsets", None), "data", None)
    if offsets is None or offsets.dtype != np.int64 or offsets[0] != 0:
        layout = layout.to_ListOffsetArray64(True)
    return np.asarray(layout.offsets.data), layout.content


def flat_numbers(array: Any, dtype: str) -> Any:
    """The numbers in all lists, one after the other; zero where one is missing."""
    layout = flat_layout(array)
    if layout.is_option:
        known, values = ~np.asarray(layout.mask_as_bool(valid_when=False)), layout.project()
        numbers = np.zeros(layout.length, dtype)
        if not values.is_unknown:
            numbers[known] = ak.to_numpy(values)
        return numbers
    if layout.is_unknown:
        return np.empty(0, dtype)
    is_plain = isinstance(layout, ak.contents.NumpyArray)
    return np.ascontiguousarray(layout.data if is_plain else ak.to_numpy(layout), dtype=dtype)


def flat_known(array: Any) -> Any:
    """Which of the numbers in all lists are not missing."""
    layout = flat_layout(array)
    return ~np.asarray(layout.mask_as_bool(valid_when=False)) if layout.is_option else np.ones(layout.length, bool)


def on_stored_rows(values: Any, rows: list[Any], starts: list[Any], events: int) -> Any:
    """Values of some rows of stored lists, each in its place among those of all rows; zero where there is none.

    `rows` are the positions of the rows: of the event in the chunk, of what is in it in its list, ... `starts` are where
    the lists begin in their flat values.
    """
    place, size = flat_numbers(rows[0], "int64"), events
    for level, begins in enumerate(starts, 1):
        counts = flat_numbers(ak.num(rows[level], axis=level), "int64")
        place, size = np.repeat(begins[place], counts) + flat_numbers(rows[level], "int64"), begins[-1]
    every = np.zeros(size, values.dtype)
    every[place] = values
    return every


def longest(starts: Any) -> int:
    """The length of the longest list."""
    return int(np.diff(starts).max(initial=0))


def as_column(values: Any, known: Any, counts: list[Any]) -> Any:
    """Flat values as a column again; `counts` are the lengths of its lists, innermost first."""
    layout = ak.contents.NumpyArray(values.copy())
    if known is not None:
        layout = ak.contents.ByteMaskedArray(ak.index.Index8(known.astype(np.int8)), layout, valid_when=True)
        layout = layout.to_IndexedOptionArray64()
    for count in counts:
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(count)])
        layout = ak.contents.ListOffsetArray(ak.index.Index64(offsets), layout)
    return ak.Array(layout)


def add_bins(histogram: Any, bins: Any, parts: list[Any]) -> None:
    """What a kernel has counted, as contents of a histogram. A category is there where something was filled.

    A part has its place in `bins`, its shape, the category of each axis that has them, and how often it was filled.
    """
    parts = [part for part in parts if part[3]]
    for _, _, categories, _ in parts:
        if any(one is not None for one in categories):
            histogram.fill(*(0 if one is None else one for one in categories))
    histogram.reset()
    view = histogram.view(flow=True)
    for begins, shape, categories, _ in parts:
        axes = histogram.axes
        place = tuple(
            slice(None) if one is None else list(axes[k]).index(one) if one in list(axes[k]) else len(axes[k])
            for k, one in enumerate(categories)
        )
        size = int(np.prod(shape, dtype=int))
        contents = bins[begins : begins + size].reshape(shape)
        if hasattr(view, "variance"):
            view["value"][place] += contents
            view["variance"][place] += bins[begins + size : begins + 2 * size].reshape(shape)
        else:
            view[place] += contents.astype(view.dtype)


def with_bins(histogram: Any, filled: Any, bins: Any, parts: Any, variances: Any = ()) -> Any:
    """A histogram with what kernels have counted of it in all chunks, and what was filled in others without them.

    Its contents are the sum of those `parts` of `bins`, in the shape of its axes, and so are its variances.
    """
    if bins is not None:
        view = histogram.view(flow=True)
        counted, squares = (sum(bins[k : k + view.size] for k in some) for some in (parts, variances))
        if variances:
            view["value"], view["variance"] = counted.reshape(view.shape), squares.reshape(view.shape)
        else:
            view[...] = counted.reshape(view.shape)
    return histogram if filled is None else histogram + filled


def ready_kernel(text: str, digest: str, wait: bool) -> Any:
    """The compiled kernel. None while it is compiled in the background, and where it cannot be compiled."""
    import os
    import sys
    import types
    from concurrent.futures import Future

    keeper = vars(sys.modules.setdefault("_hep_tables_coffea_worker", types.ModuleType("_hep_tables_coffea_worker")))
    kernels = keeper.setdefault(f"kernels_{os.getpid()}", {})
    job = kernels.get(digest)
    if job is None and (job := kernels.setdefault(digest, fresh := Future[Any]())) is fresh:
        try:
            begin_kernel(job, text, digest)
        except BaseException:  # Ctrl-C: nobody waits for it in vain, and the next run begins anew
            kernels.pop(digest, None)
            if not job.done():
                job.set_result(None)
            raise
    return job.result() if wait or job.done() else None


def begin_kernel(job: Any, text: str, digest: str) -> None:
    """Take a kernel from disk, which takes some milliseconds, or have it compiled in the background."""
    import contextlib
    import threading

    path = ""
    with contextlib.suppress(OSError):
        path = kernel_file(text, digest)
        kernel = kept_kernel(path, text, lambda: numba_kernel(path, digest))
        if kernel is not None:
            job.set_result(kernel)
            return
    threading.Thread(target=compile_kernel, args=(job, path, text, digest), daemon=True).start()


def compile_kernel(job: Any, path: str, text: str, digest: str) -> None:
    """Compile a kernel whose text is at `path`, and keep its machine code."""
    import warnings

    try:
        path = path or kernel_file(text, digest)  # which says why there is none
        write_machine_code(path, text)
        kernel = kept_kernel(path, text, lambda: numba_kernel(path, digest))
        job.set_result(numba_kernel(path, digest) if kernel is None else kernel)
    except BaseException as error:
        job.set_result(None)  # before the warning, which may be an error
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        warnings.warn(f"a program could not be compiled, so that the columnar engine runs it: {reason}", stacklevel=1)


def numba_kernel(path: str, digest: str) -> Any:
    """The kernel that numba makes of the text at `path`, or has made before and kept on disk."""
    import gc
    import importlib.util
    import os
    import sys
    import threading
    import types

    keeper = vars(sys.modules.setdefault("_hep_tables_coffea_worker", types.ModuleType("_hep_tables_coffea_worker")))
    spec: Any = importlib.util.spec_from_file_location(f"kernel_{digest}", path)
    with keeper.setdefault(f"compiling_{os.getpid()}", threading.Lock()):
        before = gc.get_threshold()
        gc.set_threshold(max(before[0], 50_000) if before[0] else 0, *before[1:])  # a fifth of the time goes there
        try:
            module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)  # numba looks for it there
            spec.loader.exec_module(module)
        finally:
            gc.set_threshold(*before)
    return module.kernel


def kernel_file(text: str, digest: str) -> str:
    """The file of a kernel, beside which it is kept compiled. Where nothing can be kept it is in a temporary folder."""
    import os
    import tempfile
    from pathlib import Path

    for temporary in (False, True):
        folder = Path(tempfile.mkdtemp(prefix="hep_tables_coffea_")) if temporary else kernels_folder()
        path = folder / f"kernel_{digest}.py"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not path.exists():
                replace_file(path, text.encode())
                forget_kernels(folder, 500)
            (folder / "__pycache__").mkdir(exist_ok=True)
            if os.access(folder / "__pycache__", os.W_OK):
                return str(path)
        except OSError:
            continue
    msg = "there is no folder in which a kernel could be written"
    raise OSError(msg)


def kernels_folder() -> Any:
    """Where kernels are kept."""
    import os
    from pathlib import Path

    base = os.environ.get("HEP_TABLES_COFFEA_CACHE") or os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache"), "hep_tables_coffea"
    )
    return Path(base) / "kernels"


def forget_kernels(folder: Any, most: int) -> None:
    """Delete the oldest kernels of a folder that holds more than some."""
    import contextlib

    for path in sorted(folder.glob("kernel_*.py"), key=lambda path: path.stat().st_mtime)[:-most]:
        for old in (*folder.glob(f"__pycache__/{path.stem}.*"), path):
            with contextlib.suppress(OSError):  # another process deletes them, too
                old.unlink()
