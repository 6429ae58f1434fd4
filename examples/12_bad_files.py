"""Files that cannot be read: an error that names them, or, if you ask for it, a report and the answer of the rest."""

from __future__ import annotations

from pathlib import Path

import hep_tables_coffea as ht

folder = Path(__file__).parent / "output" / "bad_files"
folder.mkdir(exist_ok=True, parents=True)

good = [ht.samples.nanoaod(folder / f"good_{seed}.root", events=2000, seed=seed) for seed in (1, 2)]
whole = Path(good[0]).read_bytes()
(folder / "cut_short.root").write_bytes(whole[: len(whole) // 2])
(folder / "no_root_file.root").write_text("<html>404</html>")
files = [good[0], str(folder / "cut_short.root"), str(folder / "no_root_file.root"), good[1]]

# By default nothing is lost in silence.
try:
    ht.nanoaod(files)
except ht.HepTablesError as error:
    refusal = str(error)
    print(refusal)

# With on_error="report" the rest is processed, and the report says what is missing.
with ht.options(on_error="report"):
    events = ht.nanoaod(files)
    result = ht.run(events.Count(), events.Muon.pt.Max(axis=None))
print(f"\n{result.report}")
for file, reason in result.report.failed_files.items():
    print(f"{Path(file).name}: {reason}")

assert "cut_short.root" in refusal or "no_root_file.root" in refusal
assert result.value[0] == 4000
assert {Path(file).name for file in result.report.failed_files} == {"cut_short.root", "no_root_file.root"}
