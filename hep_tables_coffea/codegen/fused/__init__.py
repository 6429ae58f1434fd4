"""The fused engine: a program as one loop over the events, compiled to machine code.

`expand` (with `values`, `picks`, `reducers` and `calls`, on `walks` and `listings`) turns nodes into scalar instructions
of loops, `schedule` finds where each of them belongs, `writer` writes them down as the text of a `kernel`, and `stage`
what stands around it in a generated processor. What cannot be fused raises `Unfusable` with the reason, and is left to
the columnar engine.
"""
