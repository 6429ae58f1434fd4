"""Kernels without numba: their text is translated to instructions of LLVM, and compiled. Knows nothing but texts."""
