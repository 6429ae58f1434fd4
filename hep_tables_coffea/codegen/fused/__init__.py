"""The fused engine: a program as one loop over the events, compiled by numba.

`expand` turns nodes into scalar instructions of loops, `schedule` finds where each of them belongs, `kernel` writes them
down, `stage` writes what stands around the kernel in a generated processor.
"""
