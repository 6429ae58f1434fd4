"""Which ServiceX a dataset is asked of."""

from __future__ import annotations

from typing import Any

from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.errors import FileMissingError
from hep_tables_coffea.files.paths import is_url
from hep_tables_coffea.types.dataset import Dataset

__all__ = ["local", "service_for"]

#: Endpoints that the user has started in this process, the last one last.
_started: list[Any] = []


def local(catalog: Any = None, **options: Any) -> Any:
    """Start a ServiceX of your own, for local files: `with ht.servicex.local(catalog): ...`.

    While it runs, named datasets are asked of it, and not of the server in `servicex.yaml`. Files on this machine need
    none: with `backend="servicex"` an endpoint for them starts by itself.

    Args:
        catalog: which local files a name stands for: `{"rucio://mc20:dy": "data/dy_*.root"}`, or a YAML or JSON file.
        options: `port=`, `workers=`, `auth=`, ...: see `hep-tables-coffea servicex serve --help`.

    Returns:
        The endpoint: `.url`, `.catalog`, `.stop()`; a context manager.

    Example:
        >>> import hep_tables_coffea as ht
        >>> with ht.servicex.local() as endpoint:
        ...     endpoint.url.startswith("http://127.0.0.1:")
        True
    """
    from hep_tables_coffea.backends.servicex.endpoint import local as start

    endpoint = start(catalog, **options)
    _started.append(endpoint)
    return endpoint


def service_for(dataset: Dataset) -> Service:
    """The server for a dataset: our own for local files, else that of names."""
    from hep_tables_coffea.backends.servicex.endpoint import shared

    if dataset.is_named:
        return service_of_names()
    if not any(is_url(path) for path, _ in dataset.files):
        return _of(shared(), "files")
    try:
        return service_of_names()
    except FileMissingError:
        return _of(shared(), "files")


def service_of_names() -> Service:
    """The server that knows names of datasets: one that the user has started here, or that of the configuration."""
    _started[:] = [endpoint for endpoint in _started if endpoint.is_running]
    if _started:
        return _of(_started[-1], _started[-1].catalog.state)
    return Service.from_config()


def is_own(service: Service) -> bool:
    """Whether a server is an endpoint of this process."""
    return service.name == "local" and bool(service.state)


def _of(endpoint: Any, state: str) -> Service:
    return Service(endpoint.url, name="local", token=endpoint.token or "", state=state)
