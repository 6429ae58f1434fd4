"""Requests through the servicex client: polling, checks, order of files, cache, failures, cancellation."""

from __future__ import annotations

from hep_tables_coffea.backends.servicex.delivery.deliveries import Deliveries
from hep_tables_coffea.backends.servicex.delivery.problems import (
    AccessError,
    DeliveryError,
    IncompleteError,
    OverdueError,
    UnreachableError,
    UnwritableError,
)
from hep_tables_coffea.backends.servicex.delivery.request import Delivered, DeliveredFile, FailedFile, Pace, Request
from hep_tables_coffea.backends.servicex.delivery.service import Service
from hep_tables_coffea.backends.servicex.delivery.shelf import root_of
from hep_tables_coffea.backends.servicex.delivery.work import discard

__all__ = [
    "AccessError",
    "Delivered",
    "DeliveredFile",
    "Deliveries",
    "DeliveryError",
    "FailedFile",
    "IncompleteError",
    "OverdueError",
    "Pace",
    "Request",
    "Service",
    "UnreachableError",
    "UnwritableError",
    "discard",
    "root_of",
]
