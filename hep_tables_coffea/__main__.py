"""`python -m hep_tables_coffea`."""

from __future__ import annotations

from hep_tables_coffea.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
