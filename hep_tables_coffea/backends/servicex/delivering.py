"""Requests under way: their files come as parts of a dataset, while others are still computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from hep_tables_coffea.backends.servicex.delivery import Delivered, Deliveries, Request, Service, discard
from hep_tables_coffea.backends.servicex.delivery.problems import of_files
from hep_tables_coffea.config import Options
from hep_tables_coffea.errors import DataError
from hep_tables_coffea.plugins.protocol import Delivery, Failure
from hep_tables_coffea.types.dataset import Dataset, Sample

__all__ = ["Delivering"]

Samples = tuple[Sample, ...]


class Delivering:
    """The delivery of a dataset: `with Delivering(...) as parts: for samples in parts: ...`.

    Each part has the files that have come, in the order of the dataset: of files that were listed one waits for those
    before it, so that sums are the same in every run; of a dataset that a catalogue knows the order is that in which
    they come, and `samples` at the end has the order of their names. Leaving the block before the end cancels all.
    """

    def __init__(
        self,
        requests_of: Callable[[Sample, str], list[Request]],
        dataset: Dataset,
        service: Service,
        options: Options,
    ) -> None:
        self._samples = dataset.samples
        form = "root-ttree" if options.delivery == "root" else "parquet"
        requests = [(k, request) for k, sample in enumerate(dataset.samples) for request in requests_of(sample, form)]
        self._sample_of = [k for k, _ in requests]
        self._requests = [request for _, request in requests]
        self._slots = [
            (number, source)
            for number, request in enumerate(self._requests)
            if request.is_list
            for source in request.listed
        ]
        self._come: dict[tuple[int, str], str] = {}
        self._given = 0
        self._drops = options.cache is False
        self._deliveries = Deliveries(
            self._requests,
            service,
            on_error=options.on_error,
            progress=options.progress,
            cache=options.cache,
            cache_size=options.cache_size,
            copy=options.delivery != "urls",
        )

    def __enter__(self) -> Delivering:
        self._deliveries.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._deliveries.__exit__(*error)
        for one in self._deliveries.delivered if self._drops else ():
            discard(one)

    def __iter__(self) -> Iterator[Samples]:
        for news in self._deliveries:
            fresh = []
            for number, file in news:
                if self._requests[number].is_list:
                    self._come[number, file.source] = file.path
                else:
                    fresh.append((number, file.path))
            yield from self._part(self._ready() + fresh)
        yield from self._part(self._left())
        self._refuse_nothing()

    def _ready(self) -> list[tuple[int, str]]:
        """The next files of lists, up to the first that has not come."""
        found = []
        while self._given < len(self._slots) and self._slots[self._given] in self._come:
            slot = self._slots[self._given]
            found.append((slot[0], self._come[slot]))
            self._given += 1
        return found

    def _left(self) -> list[tuple[int, str]]:
        """What came after a file that failed."""
        return [(slot[0], self._come[slot]) for slot in self._slots[self._given :] if slot in self._come]

    def _refuse_nothing(self) -> None:
        """Raise `DataError` where files have failed, and none is left to be processed."""
        delivered = self._deliveries.delivered
        failed = [one for part in delivered for one in part.failures]
        if failed and not any(part.files for part in delivered):
            msg = "no file of the dataset could be processed"
            raise DataError(msg, values=of_files(failed), located=False)

    def _part(self, files: Sequence[tuple[int, str]]) -> Iterator[Samples]:
        if files:
            yield self._as_samples(files)

    def _as_samples(self, files: Sequence[tuple[int, str]]) -> Samples:
        """Files with the numbers of their requests as samples."""
        mine = {
            k: tuple((path, None) for number, path in files if self._sample_of[number] == k)
            for k in range(len(self._samples))
        }
        return tuple(replace(sample, files=mine[k]) for k, sample in enumerate(self._samples) if mine[k])

    # -- the account --

    @property
    def samples(self) -> Samples:
        """All that was delivered, in the order of the dataset."""
        delivered = self._deliveries.delivered
        return self._as_samples([(number, file.path) for number, one in enumerate(delivered) for file in one.files])

    def account(self, delivery: Delivery) -> Delivery:
        """The account of a pass over what was delivered, with that of the delivery."""
        named = [(self._samples[k].name, one) for k, one in zip(self._sample_of, self._deliveries.delivered)]
        failures = [
            Failure(name, failed.source, 0, 0, "file", failed.reason) for name, one in named for failed in one.failures
        ]
        parts = dict.fromkeys(part for _, one in named for part in one.seconds)
        seconds = {f"servicex, {part}": max(one.seconds.get(part, 0.0) for _, one in named) for part in parts}
        return replace(
            delivery,
            failures=(*failures, *delivery.failures),
            seconds={**seconds, **delivery.seconds},
            notes=(*(_note(name, one) for name, one in named), *delivery.notes),
        )


def _note(sample: str, one: Delivered) -> str:
    whole = f" of {one.input_bytes / 1e6:.1f} MB" if one.input_bytes else ""
    how = "kept from before" if one.cached else f"request {one.request_id}"
    failed = f", {len(one.failures)} failed" if one.failures else ""
    return f"{sample}: servicex delivered {one.bytes / 1e6:.2f} MB{whole} in {one.coverage}{failed} ({how})"
