"""Packing: the bytes of objects that nobody is likely to ask for soon, kept as what they differ by from others of their kind.

Objects of a kind are much alike: their field names, managed fields, templates. With some of them as the compressor's dictionary,
a pod is a tenth of what it was; and each worker of the server holds every object.

Rules
- The WARM_BYTES of a kind that were written last are as they are: who lists or watches what lives pays nothing.
- What was written before them is packed, once, and so is what was replaced, which only a watch from the past asks for, beyond
  PAST_BYTES. That costs some microseconds, once in an object's life; it is unpacked for each who asks, in a microsecond or two.
- Many are packed at a time, AT_ONCE_BYTES: their buffers lie side by side, and are of use again when all of them are free. One by
  one, each packed object would lie in the hole that another one left, and the rest of the hole be lost.
- Until a kind has so many bytes, it has no samples: a small cluster pays nothing and packs nothing.
- Samples are taken from all over the kind, and taken anew when it has grown to GROWTH times what it was. What was packed by older
  ones keeps them.
RFC 8878 (Zstandard; raw content as a dictionary: section 5)
"""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from itertools import islice
from typing import TYPE_CHECKING

from zstandard import DICT_TYPE_RAWCONTENT, ZstdCompressionDict, ZstdCompressor, ZstdDecompressor

if TYPE_CHECKING:
    from apiserver.storage.entry import Entry

WARM_BYTES = 24 << 20
PAST_BYTES = 256 << 10
AT_ONCE_BYTES = 256 << 10
GROWTH = 4
SAMPLES, SAMPLE_BYTES = 12, 4096  # so many, and so much of each
LEVEL = 1


class Samples:
    """Some objects of a kind, by which others are packed."""

    def __init__(self, samples: Iterable[bytes]) -> None:
        dictionary = ZstdCompressionDict(b"".join(samples), dict_type=DICT_TYPE_RAWCONTENT)
        dictionary.precompute_compress(level=LEVEL)
        self._compress = ZstdCompressor(level=LEVEL, dict_data=dictionary, write_checksum=False, write_dict_id=False).compress
        self.unpacked = ZstdDecompressor(dict_data=dictionary).decompress

    def packed(self, data: bytes) -> bytes:
        # A copy: what the compressor gives lies at the beginning of a buffer of the old size, whose rest nobody could use.
        return bytes(memoryview(self._compress(data)))


class Packing:
    """Of one cache, whose entries are `live`: it tells of each change, once everybody was told of it."""

    def __init__(self) -> None:
        self._warm: OrderedDict[str, Entry] = OrderedDict()  # live, by key, as they were written
        self._warm_bytes = 0
        self._past: list[Entry] = []  # replaced, and not packed yet
        self._past_bytes = 0
        self._samples: Samples | None = None
        self._sampled = 0  # how many lived when the samples were taken

    def fill(self, live: "Collection[Entry]") -> None:
        """The entries are others now."""
        self._warm.clear()
        self._past.clear()
        self._warm_bytes = self._past_bytes = 0
        for entry in live:
            self._keep_warm(entry, live)

    def change(self, old: "Entry | None", new: "Entry | None", live: "Collection[Entry]") -> None:
        """`new` has taken the place of `old`; None: there is none."""
        if old is not None and self._warm.pop(old.key, None) is not None:
            self._warm_bytes -= len(old.data)
            self._keep_past(old, live)
        if new is not None:
            self._keep_warm(new, live)

    def _keep_warm(self, entry: "Entry", live: "Collection[Entry]") -> None:
        self._warm[entry.key] = entry
        self._warm_bytes += len(entry.data)
        if self._warm_bytes <= WARM_BYTES:
            return
        oldest = []
        while self._warm and self._warm_bytes > WARM_BYTES - AT_ONCE_BYTES:
            _, one = self._warm.popitem(last=False)
            self._warm_bytes -= len(one.data)
            oldest.append(one)
        self._pack(oldest, live)

    def _keep_past(self, entry: "Entry", live: "Collection[Entry]") -> None:
        self._past.append(entry)
        self._past_bytes += len(entry.data)
        if self._past_bytes > PAST_BYTES:
            self._pack(self._past, live)
            self._past, self._past_bytes = [], 0

    def _pack(self, entries: "list[Entry]", live: "Collection[Entry]") -> None:
        samples = self._current(live or entries)
        packed = [samples.packed(entry.data) for entry in entries]
        for entry, data in zip(entries, packed, strict=True):
            entry.pack(data, samples)

    def _current(self, live: "Collection[Entry]") -> Samples:
        """The samples to pack by."""
        count = len(live)
        if self._samples is None or count > GROWTH * self._sampled:
            some = islice(live, 0, None, max(1, count // SAMPLES))
            self._samples, self._sampled = Samples(entry.data[:SAMPLE_BYTES] for entry in some), max(1, count)
        return self._samples
