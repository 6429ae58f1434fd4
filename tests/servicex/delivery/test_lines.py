"""Lines of progress: drawn if asked for, on the stream of errors; nothing otherwise."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hep_tables_coffea.backends.servicex.delivery import Delivered, Request, Service
from hep_tables_coffea.backends.servicex.delivery.lines import Line

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]


def test_line_says_what_is_ready(ask: Ask, request_for: RequestFor, capfd: pytest.CaptureFixture[str]) -> None:
    ask(request_for("ab", title="two files"), progress=True)
    out, err = capfd.readouterr()
    assert out == ""
    assert "two files" in err
    assert "2/2 files" in err


def test_line_says_how_many_failed() -> None:
    with Line("zee", progress=False) as line:
        line.show(ready=1, total=3, failed=2, nbytes=1_500_000, word="Running")
        assert line.text == "Running, 1/3 files, 1.5 MB, 2 failed"


def test_two_lines_are_in_one_picture(capfd: pytest.CaptureFixture[str]) -> None:
    about = {"ready": 1, "total": 2, "failed": 0, "nbytes": 0, "word": "Running"}
    with Line("first", progress=True) as first, Line("second", progress=True) as second:
        first.show(**about)
        second.show(**about)
    err = capfd.readouterr().err
    assert "first" in err
    assert "second" in err


@pytest.mark.parametrize("progress", [False, None])
def test_nothing_is_drawn_where_nobody_looks(progress: bool | None, capfd: pytest.CaptureFixture[str]) -> None:
    with Line("zee", progress=progress) as line:
        line.show(ready=1, total=1, failed=0, nbytes=0, word="Complete")
    assert capfd.readouterr() == ("", "")


def test_title_is_shown_as_it_is(capfd: pytest.CaptureFixture[str]) -> None:
    with Line("zee [/red]", progress=True) as line:
        line.show(ready=1, total=1, failed=0, nbytes=0, word="Complete")
    assert "zee [/red]" in capfd.readouterr().err


CELL = """
from hep_tables_coffea.backends.servicex.delivery import Deliveries, Request, Service
asked = [Request(({path!r},), {query!r}, "uproot", "zee")]
with Deliveries(asked, Service({url!r}), progress=True, cache=False) as coming:
    list(coming)
(delivered,) = coming.delivered
"""


def test_line_in_a_notebook_is_a_text(request_for: RequestFor, service: Service) -> None:
    nbclient, nbformat, _ = map(pytest.importorskip, ("nbclient", "nbformat", "ipykernel"))
    request = request_for("a")
    cell = nbformat.v4.new_code_cell(CELL.format(path=request.source[0], query=request.query, url=service.url))
    book = nbformat.v4.new_notebook(cells=[cell])
    nbclient.NotebookClient(book, timeout=60).execute()
    (output,) = cell.outputs
    assert output["data"]["text/plain"].startswith("zee: Complete, 1/1 files, 0.0 MB")
