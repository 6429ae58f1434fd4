"""The command line: a demonstration, the data formats, what is in a file, and what is kept of files."""

from __future__ import annotations

import argparse
import inspect
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

import hep_tables_coffea as ht
from hep_tables_coffea.files.kept import kept_on_disk
from hep_tables_coffea.graph import build
from hep_tables_coffea.plugins import registry
from hep_tables_coffea.types.schema import Group, Leaf

__all__ = ["main"]

console = Console(highlight=False)

EXECUTORS = ("auto", "threads", "futures", "iterative")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; an error of the library is a message and the exit status 1."""
    arguments = vars(_parser().parse_args(argv))
    command = arguments.pop("command")
    try:
        command(**arguments)
    except (ht.HepTablesError, OSError) as error:
        print(_message(error), file=sys.stderr)
        return 1
    return 0


def _message(error: Exception) -> str:
    """The error without the line that recorded it, which is none of the user's."""
    if not isinstance(error, ht.HepTablesError):
        return str(error)
    lines = [error.summary, *(f"  {name}: {value}" for name, value in error.values)]
    return "\n".join([*lines, f"Hint: {error.hint}"] if error.hint else lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="hep-tables-coffea", description="Particle physics analyses as array code.")
    parser.add_argument("--version", action="version", version=ht.__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    one = _command(commands, "demo", demo, "make two samples, run a first analysis on them, draw what it finds")
    one.add_argument("--events", type=_positive, default=100_000, help="in each sample (default: %(default)s)")
    one.add_argument("--folder", type=Path, default=Path("demo-output"), help="(default: ./%(default)s)")
    one.add_argument("--workers", type=_positive, default=2, help="(default: %(default)s)")
    one.add_argument("--executor", choices=EXECUTORS, default="auto", help="(default: %(default)s)")

    _command(commands, "schemas", schemas, "list the data formats that are known")

    one = _command(commands, "show", show, "show the collections and columns of a file")
    one.add_argument("file", help="a ROOT or Parquet file, here or on a server")
    one.add_argument("collections", nargs="*", metavar="COLLECTION", help="these only; all if none is named")
    one.add_argument("--tree", help="the tree, where the file has several")
    one.add_argument("--schema", help="the data format; found from the columns if not given")

    one = _command(
        commands, "cache", cache, "show how much of decoded columns and deliveries is kept on disk, or drop it"
    )
    one.add_argument("action", nargs="?", choices=("show", "clear"), default="show", help="(default: %(default)s)")
    one.add_argument("--folder", type=Path, help="as cache= was given; the folder of the user if it was not")

    _servicex(commands)
    return parser


def _servicex(commands: Any) -> None:
    """`servicex serve`."""
    inner = commands.add_parser("servicex", help="a ServiceX of your own", description="A ServiceX of your own.")
    one = _command(
        inner.add_subparsers(required=True, metavar="COMMAND"), "serve", serve, "answer any client of ServiceX"
    )
    one.add_argument("--catalog", type=Path, help="YAML or JSON: which files each name of a dataset stands for")
    one.add_argument("--port", type=int, default=0, help="where to listen on this machine (default: a free port)")
    one.add_argument("--workers", type=_positive, help="how many files are transformed at once (default: the cores)")
    one.add_argument("--auth", metavar="TOKEN", help="the token that clients must have (default: none)")
    one.add_argument("--functions", action="store_true", help="run Python functions of clients, which can do anything")
    one.add_argument("--fault", action="append", default=[], help="what is to fail, such as status-500; for tests")


def _command(commands: Any, name: str, function: Callable[..., None], about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=about, description=f"{about[0].upper()}{about[1:]}."
    )
    parser.set_defaults(command=function)
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        msg = f"a positive number is needed, not {text!r}"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


# -- what is there ---------------------------------------------------------------------------------------------------


def schemas() -> None:
    """List the schema packs."""
    table = Table("schema", "what", "trees", box=None, header_style="bold")
    for pack in sorted(registry.schema_packs(), key=lambda pack: pack.name):
        table.add_row(pack.name, pack.description, ", ".join(pack.trees))
    console.print(table)


def show(file: str, collections: Sequence[str] = (), tree: str | None = None, schema: str | None = None) -> None:
    """Show the collections and columns of a file as a tree."""
    events = ht.dataset(file, schema=schema, tree=tree)
    wanted = events[list(collections)] if collections else events
    layout = build.source_of(events._node).dataset.schema
    picture = Tree(Text.assemble((Path(file).name, "bold"), f"  {layout.pack}, {len(layout.columns)} columns"))
    groups = [name for name in wanted.fields if isinstance(layout.root.fields[name], Group)]
    for name in [*groups, *(name for name in wanted.fields if name not in groups)]:
        _branch(picture, events[name], name, layout.root.fields[name])
    console.print(picture, soft_wrap=True)


def cache(action: str = "show", folder: Path | None = None) -> None:
    """Show what is kept on disk, or drop it."""
    about = ht.clear_cache(folder) if action == "clear" else kept_on_disk(folder)
    what = "dropped" if action == "clear" else "kept"
    print(
        f"{about.folder}: {about.nbytes / 1e6:,.1f} MB {what}, {about.files} files, of {about.tables} trees of events"
    )


def serve(fault: Sequence[str] = (), **options: Any) -> None:
    """Run a ServiceX until Ctrl-C."""
    from hep_tables_coffea.backends.servicex.endpoint import serve as answer

    answer(faults=fault, show=partial(print, flush=True), **options)


def _branch(picture: Tree, value: ht.Array, name: str, about: Leaf | Group) -> None:
    if isinstance(about, Leaf):
        note = about.problem or about.doc
        picture.add(Text.assemble(name, "  ", (value.type, "cyan"), ("  " + note if note else "", "dim")))
        return
    axes = value.type.partition("{")[0].rpartition(" * ")[0]
    branch = picture.add(
        Text.assemble((name, "bold"), "  ", (axes, "cyan"), ("  " + about.doc if about.doc else "", "dim"))
    )
    for member, inner in about.fields.items():
        _branch(branch, value[member], member, inner)
    for member, reference in about.references.items():
        branch.add(
            Text.assemble((member, "italic"), "  ", (("list of " if reference.many else "") + reference.target, "cyan"))
        )


# -- the demonstration -----------------------------------------------------------------------------------------------


def masses(leptons: ht.Array) -> ht.Array:
    """The masses of the pairs of opposite charge."""
    pairs = ht.pairs(leptons)
    mass: ht.Array = (pairs.a + pairs.b).mass
    return mass[pairs.a.charge != pairs.b.charge]


def analysis(cms_file: str, atlas_file: str) -> dict[str, Any]:
    """Z bosons in two formats, recorded: nothing is read yet but the names and types of the columns."""
    cms, atlas = ht.nanoaod(cms_file), ht.physlite(atlas_file)
    ee, mumu = masses(cms.Electron), masses(cms.Muon)
    near_z = ((ee > 80) & (ee < 100)).Any() | ((mumu > 80) & (mumu < 100)).Any()

    electrons = cms.Electron[(cms.Electron.pt > 50) & (abs(cms.Electron.eta) < 1.5)]
    atlas_electrons = atlas.Electrons[(atlas.Electrons.pt > 50_000) & (abs(atlas.Electrons.eta) < 1.5)]

    mass = ht.Hist.new.Reg(60, 60, 120, name="mass", label="Mass of the pair [GeV]")
    pt = ht.Hist.new.Reg(50, 50, 150, name="pt", label="Electron $p_T$ [GeV]")
    met = ht.Hist.new.Reg(50, 0, 100, name="met", label="Missing transverse momentum [GeV]")
    return {
        "z_to_ee": mass.Weight().fill(ee),
        "z_to_mumu": mass.Weight().fill(mumu),
        "electron_pt": pt.Weight().fill(electrons.pt),
        "electron_pt_physlite": pt.Weight().fill(atlas_electrons.pt / 1000),
        "met_of_z_events": met.Weight().fill(cms[near_z].MET.pt, weight=cms.genWeight),
    }


TITLES = {
    "z_to_ee": (r"$Z \to ee$", "Electron pairs"),
    "z_to_mumu": (r"$Z \to \mu\mu$", "Muon pairs"),
    "electron_pt": (r"Electrons with $p_T$ > 50 GeV, |$\eta$| < 1.5, NanoAOD", "Electrons"),
    "electron_pt_physlite": (r"Electrons with $p_T$ > 50 GeV, |$\eta$| < 1.5, PHYSLITE", "Electrons"),
    "met_of_z_events": (r"Events with a pair of 80 to 100 GeV", "Weighted events"),
}


def demo(events: int, folder: Path, workers: int, executor: str) -> None:
    """Make two samples, record an analysis, run it, and draw what it finds."""
    folder.mkdir(parents=True, exist_ok=True)
    _rule(f"Two samples of {events:,} simulated events")
    samples = _make_samples(folder, events)

    _rule("The analysis")
    source = "\n\n".join(inspect.getsource(function) for function in (masses, analysis))
    console.print(Syntax("", "python", background_color="default").highlight(source), soft_wrap=True)
    histograms = analysis(*samples)

    _rule("The plan")
    _print_plan(histograms)

    _rule(f"One pass over each sample, {workers} workers")
    result = ht.run(histograms, executor=executor, workers=workers, progress=True)
    console.print(str(result.report))

    _rule("What came out")
    for name, histogram in result.value.items():
        console.print(f"\n[bold]{name}[/]: {histogram.axes[0].label}")
        print(_coarse(histogram))
    written = [path for name, histogram in result.value.items() for path in _write(name, histogram, folder, events)]

    _rule("Files")
    written.append(ht.write_processor({"z_to_ee": histograms["z_to_ee"]}, folder / "z_to_ee.py"))
    for path in [*map(Path, samples), *written]:
        console.print(f"{path}  [dim]{path.stat().st_size / 1000:,.0f} kB[/]", soft_wrap=True)
    console.print("\nz_to_ee.py fills the first histogram with coffea alone. To go on: README.md and examples/.")


def _rule(title: str) -> None:
    console.print()
    console.rule(f"[bold]{title}", align="left")


def _make_samples(folder: Path, events: int) -> tuple[str, str]:
    cluster = max(events // 10, 1000)
    with Progress(console=console) as bars:

        def bar(name: str) -> Callable[[int, int], None]:
            task = bars.add_task(name, total=events)
            return lambda done, _: bars.update(task, completed=done)

        cms = ht.samples.nanoaod(folder / "nanoaod.root", events, cluster=cluster, progress=bar("nanoaod.root"))
        atlas = ht.samples.physlite(folder / "physlite.root", events, cluster=cluster, progress=bar("physlite.root"))
    return cms, atlas


def _print_plan(histograms: dict[str, Any]) -> None:
    for account in ht.explain(histograms).accounts:
        dataset = account.stage.dataset
        console.print(
            f"[bold]{account.stage.backend}[/] reads {len(account.columns)} of {len(dataset.schema.columns)} columns "
            f"of {dataset.name} ({dataset.schema.pack}), for {', '.join(account.stage.outputs)}:"
        )
        console.print(f"  {', '.join(account.columns)}", style="cyan")
    console.print("[dim]print(ht.explain(histograms)) shows the code that will run as well.[/]")


def _coarse(histogram: Any, bins: int = 20) -> Any:
    """The histogram with about so many bins, which is what fits into a terminal."""
    import hist

    factors: Iterable[int] = (n for n in range(1, histogram.axes[0].size + 1) if histogram.axes[0].size % n == 0)
    factor = next((n for n in factors if histogram.axes[0].size // n <= bins), 1)
    return histogram[:: hist.rebin(factor)]


def _write(name: str, histogram: Any, folder: Path, events: int) -> list[Path]:
    """A picture, and the histogram as JSON of the UHI kind."""
    from uhi.io.json import default

    picture, content = folder / f"{name}.png", folder / f"{name}.json"
    _draw(name, histogram, picture, events)
    content.write_text(json.dumps(histogram, default=default), encoding="utf-8")
    return [picture, content]


def _draw(name: str, histogram: Any, path: Path, events: int) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from mplhep import histplot

    title, what = TITLES[name]
    figure = Figure(figsize=(7, 5), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    histplot(histogram, ax=axes, histtype="fill", alpha=0.3, yerr=False, flow="none")
    histplot(
        histogram, ax=axes, histtype="errorbar", color="black", markersize=4, flow="none", label=f"{events:,} events"
    )
    axis = histogram.axes[0]
    per = "GeV" if axis.widths[0] == 1 else f"{axis.widths[0]:g} GeV"
    axes.set(xlabel=axis.label, ylabel=f"{what} / {per}", xlim=(axis.edges[0], axis.edges[-1]))
    axes.set_ylim(bottom=0)
    axes.set_title(title, loc="left")
    axes.set_title(f"{events:,} simulated events", loc="right", fontsize="small", color="gray")
    axes.tick_params(direction="in", top=True, right=True)
    figure.savefig(path, dpi=120)
