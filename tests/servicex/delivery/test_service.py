"""Which server is asked, and who asks: the configuration that users of ServiceX have."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hep_tables_coffea.backends.servicex.delivery import AccessError, Delivered, Request, Service
from hep_tables_coffea.backends.servicex.endpoint import LocalEndpoint, local
from hep_tables_coffea.errors import FileMissingError, UsageError

Ask = Callable[..., Delivered]
RequestFor = Callable[..., Request]

CONFIG = """\
api_endpoints:
  - {endpoint: "http://localhost:5000", name: local}
  - {endpoint: "https://servicex.af.uchicago.edu/", name: servicex-uc-af, token: secret}
cache_path: %s
"""


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder; the program stands in a folder of it."""
    home, stands = tmp_path / "home", tmp_path / "work" / "analysis"
    home.mkdir()
    stands.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("BEARER_TOKEN_FILE", raising=False)
    monkeypatch.chdir(stands)
    return home


def write(path: Path, more: str = "") -> Path:
    path.write_text(CONFIG % (path.parent / "client_cache") + more)
    return path


@pytest.mark.parametrize("name", ["servicex.yaml", ".servicex"])
@pytest.mark.parametrize("place", [".", "..", "../../home"])
def test_configuration_is_found_where_the_client_finds_it(home: Path, name: str, place: str) -> None:
    path = write((Path(place) / name).resolve())
    assert Service.from_config("servicex-uc-af") == Service(
        "https://servicex.af.uchicago.edu", "servicex-uc-af", "secret", str(path)
    )


def test_first_server_is_the_default(home: Path) -> None:
    write(home / "servicex.yaml")
    assert Service.from_config().name == "local"


def test_default_server_is_that_of_the_configuration(home: Path) -> None:
    write(home / "servicex.yaml", "default_endpoint: servicex-uc-af\n")
    assert Service.from_config().name == "servicex-uc-af"


def test_configuration_may_be_given(home: Path, tmp_path: Path) -> None:
    write(home / "servicex.yaml")
    given = write(tmp_path / "mine.yaml", "default_endpoint: servicex-uc-af\n")
    assert Service.from_config(path=given).config == str(given)


def test_unknown_name_is_refused_with_those_that_exist(home: Path) -> None:
    write(home / "servicex.yaml")
    with pytest.raises(UsageError, match=r"has no endpoint 'servicex-uc'\nHint: did you mean servicex-uc-af\?.*local"):
        Service.from_config("servicex-uc")


def test_without_a_configuration_it_is_said_what_one_looks_like(home: Path) -> None:
    with pytest.raises(FileMissingError, match=r"no ServiceX is configured(?s:.*)api_endpoints:(?s:.*)token:"):
        Service.from_config()


def test_configuration_that_does_not_exist_is_named(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"there is no file nowhere\.yaml"):
        Service.from_config(path="nowhere.yaml")


@pytest.mark.parametrize("text", ["api_endpoints: [", "endpoints: []", "hello", "api_endpoints: [{name: local}]"])
def test_file_that_is_no_configuration_is_refused(home: Path, text: str) -> None:
    Path("servicex.yaml").write_text(text)
    with pytest.raises(UsageError, match="is no configuration of ServiceX"):
        Service.from_config()


def test_configuration_without_servers_is_refused(home: Path) -> None:
    Path("servicex.yaml").write_text(f"api_endpoints: []\ncache_path: {home}\n")
    with pytest.raises(UsageError, match="has no endpoints"):
        Service.from_config()


@pytest.mark.parametrize("url", ["localhost:5000", "ftp://localhost", "http://"])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(UsageError, match=f"'{url}' is not the address of a server"):
        Service(url)


def test_token_is_not_shown() -> None:
    assert "secret" not in repr(Service("http://localhost:5000", token="secret"))


def test_folders_of_servers_differ() -> None:
    slugs = {Service(url).slug for url in ("http://a.b/c", "http://a.b/d", "https://a.b/c", "http://a.b/c_")}
    assert len(slugs) == 4


@pytest.fixture(scope="module")
def guarded() -> Iterator[LocalEndpoint]:
    with local(workers=1, auth="open sesame") as made:
        yield made


def test_token_opens_the_server(ask: Ask, request_for: RequestFor, guarded: LocalEndpoint) -> None:
    assert ask(request_for("a"), Service(guarded.url, token="open sesame")).files


def test_configured_server_delivers(ask: Ask, request_for: RequestFor, guarded: LocalEndpoint, home: Path) -> None:
    entry = f"{{endpoint: '{guarded.url}', name: guarded, token: open sesame}}"
    Path("servicex.yaml").write_text(f"api_endpoints: [{entry}]\ncache_path: {home}\n")
    assert ask(request_for("a"), Service.from_config("guarded")).files


def test_wrong_token_is_an_error_that_says_where_it_stands(
    ask: Ask, request_for: RequestFor, guarded: LocalEndpoint, home: Path
) -> None:
    entry = f"{{endpoint: '{guarded.url}', name: guarded, token: wrong}}"
    Path("servicex.yaml").write_text(f"api_endpoints: [{entry}]\ncache_path: {home}\n")
    with pytest.raises(AccessError, match=r"does not accept you\n(?s:.*)is the token of guarded in .*servicex\.yaml"):
        ask(request_for("a"), Service.from_config())


def test_missing_token_is_an_error_that_says_where_to_have_one(
    ask: Ask, request_for: RequestFor, guarded: LocalEndpoint
) -> None:
    with pytest.raises(PermissionError, match=r"no token is given: yours is on your page on http"):
        ask(request_for("a"), Service(guarded.url))


def test_token_may_stand_in_a_file(
    ask: Ask, request_for: RequestFor, guarded: LocalEndpoint, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    path.write_text(guarded._gate.token() + "\n")
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    assert ask(request_for("a"), Service(guarded.url)).files


@pytest.mark.parametrize(
    ("text", "message"),
    [("expired", "names has expired"), ("nonsense", "a token that cannot be used"), (None, "cannot be read")],
)
def test_file_without_a_good_token_is_an_error(
    ask: Ask,
    request_for: RequestFor,
    guarded: LocalEndpoint,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str | None,
    message: str,
) -> None:
    path = tmp_path / "token"
    if text is not None:
        path.write_text(guarded._gate.token(time.time() - 100_000) if text == "expired" else text)
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(path))
    with pytest.raises(AccessError, match=message):
        ask(request_for("a"), Service(guarded.url))


def test_server_of_this_machine_that_wants_no_token_is_sent_none(
    ask: Ask, request_for: RequestFor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BEARER_TOKEN_FILE", str(tmp_path / "missing"))
    assert ask(request_for("a")).files
