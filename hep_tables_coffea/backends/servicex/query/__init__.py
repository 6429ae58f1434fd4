"""From nodes to func_adl queries: qastle text, and what each kind of back end understands."""

from __future__ import annotations
