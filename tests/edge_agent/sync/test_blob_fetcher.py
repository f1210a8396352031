"""The fetcher brings what is wanted: what is needed first, on from where it was, again after a wait, nothing wrong."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from contract.snapshot import Blob
from contract.sync.events import BlobChanged, Happening
from contract.sync.messages import MAX_PIECE_BYTES, BlobPiece
from edge_agent.blob_cache import BlobCache
from edge_agent.clock import SystemClock
from edge_agent.sync.blob_fetcher import RETRY_FIRST_SECONDS, BlobFetcher
from edge_agent.tokens import SystemTokens
from tests.support.hand_clock import HandClock
from tests.support.waiting import eventually_async

BIG = bytes(range(256)) * 2500
SMALL = b"small"


def blob(content: bytes, *, needed: bool = False) -> Blob:
    return Blob(digest=hashlib.sha256(content).hexdigest(), size_bytes=len(content), needed=needed)


@dataclass
class Cloud:
    """Answers requests, or keeps them waiting while `holds`."""

    contents: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)
    holds: bool = False
    fetcher: BlobFetcher | None = None
    answer: Callable[[str, int, int], BlobPiece] | None = None
    lengths: list[int] = field(default_factory=list)

    def ask_piece(self, digest: str, offset: int, length: int) -> bool:
        self.asked.append((digest, offset))
        self.lengths.append(length)
        if not self.holds:
            asyncio.get_running_loop().call_soon(self.give, digest, offset, length)
        return True

    def give(self, digest: str, offset: int, length: int) -> None:
        assert self.fetcher is not None
        if self.answer is not None:
            self.fetcher.take(self.answer(digest, offset, length))
            return
        content = self.contents.get(digest)
        if content is None:
            self.fetcher.take(BlobPiece(digest=digest, offset=offset, refused="not_named"))
        else:
            self.fetcher.take(BlobPiece(digest=digest, offset=offset, data=content[offset : offset + length]))


@dataclass
class Site:
    """A fetcher at work."""

    cache: BlobCache
    cloud: Cloud
    fetcher: BlobFetcher
    told: list[Happening] = field(default_factory=list)
    came: int = 0

    def report(self, what: Happening) -> None:
        self.told.append(what)

    def one_came(self) -> None:
        self.came += 1


@asynccontextmanager
async def site(folder: Path, *contents: bytes, clock: HandClock | None = None) -> AsyncIterator[Site]:
    cache = BlobCache(folder / "blobs", 10_000_000)
    cloud = Cloud({hashlib.sha256(content).hexdigest(): content for content in contents})
    made = Site(cache, cloud, None)  # type: ignore[arg-type]
    made.fetcher = cloud.fetcher = BlobFetcher(cache, made, clock or SystemClock(), SystemTokens())
    made.fetcher.channel = cloud
    made.fetcher.on_came = made.one_came
    task = asyncio.create_task(made.fetcher.run())
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_is_wanted_is_fetched_in_pieces_and_reported_once(tmp_path: Path) -> None:
    async with site(tmp_path, BIG) as here:
        here.fetcher.want([blob(BIG)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.came == 1)
        path = here.cache.find(blob(BIG).digest)
        assert path is not None
        assert path.read_bytes() == BIG
        assert here.told == [BlobChanged(state="fetched", digest=blob(BIG).digest, size_bytes=len(BIG))]
        assert max(here.cloud.lengths) <= MAX_PIECE_BYTES
        assert [offset for _, offset in here.cloud.asked] == [0, MAX_PIECE_BYTES, 2 * MAX_PIECE_BYTES]


async def test_needed_files_come_first_then_the_smallest(tmp_path: Path) -> None:
    needed = b"a needed one that is long" * 10
    async with site(tmp_path, BIG, SMALL, needed) as here:
        here.fetcher.want([blob(BIG), blob(SMALL), blob(needed, needed=True)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.came == 3)
        order = list(dict.fromkeys(digest for digest, _ in here.cloud.asked))
        assert order == [blob(needed).digest, blob(SMALL).digest, blob(BIG).digest]


async def test_nothing_is_asked_of_a_hub_that_hands_out_none_or_while_offline(tmp_path: Path) -> None:
    async with site(tmp_path, SMALL) as here:
        here.fetcher.want([blob(SMALL)])
        here.fetcher.go_online(hands_out=False)
        for _ in range(50):
            await asyncio.to_thread(lambda: None)
        assert here.cloud.asked == []
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.came == 1)


async def test_after_a_lost_connection_it_goes_on_from_its_offset(tmp_path: Path) -> None:
    async with site(tmp_path, BIG) as here:
        here.fetcher.want([blob(BIG)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: len(here.cloud.asked) >= 1)
        here.cloud.holds = True
        await eventually_async(lambda: len(here.cloud.asked) >= 2)
        here.fetcher.go_offline()
        before = len(here.cloud.asked)
        here.cloud.holds = False
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.came == 1)
        assert all(offset > 0 for _, offset in here.cloud.asked[before:])
        assert here.told == [BlobChanged(state="fetched", digest=blob(BIG).digest, size_bytes=len(BIG))]


async def test_after_kill_9_another_fetcher_goes_on_from_what_is_on_the_disk(tmp_path: Path) -> None:
    async with site(tmp_path, BIG) as here:
        with here.cache.begin(blob(BIG).digest, len(BIG)) as download:
            download.write(BIG[:300_000])
        here.fetcher.want([blob(BIG)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.came == 1)
        assert here.cloud.asked[0] == (blob(BIG).digest, 300_000)


async def test_a_refusal_is_told_once_and_tried_again_later_while_others_come(tmp_path: Path) -> None:
    clock, absent = HandClock(), blob(b"nobody has it")
    async with site(tmp_path, SMALL, clock=clock) as here:
        here.fetcher.want([absent, blob(SMALL)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: len(here.told) == 2)
        failed = next(one for one in here.told if isinstance(one, BlobChanged) and one.state == "failed")
        assert (failed.digest, failed.text) == (absent.digest, "the cloud says that no snapshot of this site names it")
        assert here.fetcher.why_missing(absent.digest) == failed.text
        tries = here.cloud.asked.count((absent.digest, 0))
        clock.advance(RETRY_FIRST_SECONDS)
        here.fetcher.want([absent, blob(SMALL)])
        await eventually_async(lambda: here.cloud.asked.count((absent.digest, 0)) > tries)
        here.cloud.contents[absent.digest] = b"nobody has it"
        clock.advance(10 * RETRY_FIRST_SECONDS)
        here.fetcher.want([absent, blob(SMALL)])
        await eventually_async(lambda: here.came == 2)
        assert len(here.told) == 3, "the same reason again is no news"
        assert here.fetcher.why_missing(absent.digest) == ""


async def test_bytes_of_another_digest_are_thrown_away_and_the_reason_is_told(tmp_path: Path) -> None:
    wanted = blob(b"right")
    async with site(tmp_path) as here:
        here.cloud.contents[wanted.digest] = b"wrong"
        here.fetcher.want([wanted])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.told)
        assert isinstance(here.told[0], BlobChanged)
        assert "one of digest" in here.told[0].text
        assert list((tmp_path / "blobs").iterdir()) == []


async def test_what_does_not_fit_is_told_by_its_size(tmp_path: Path) -> None:
    huge = Blob(digest="a" * 64, size_bytes=20_000_000)
    async with site(tmp_path, SMALL) as here:
        here.fetcher.want([huge, blob(SMALL)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: len(here.told) == 2)
        assert here.cache.find(blob(SMALL).digest) is not None
        assert "20000000 bytes do not fit" in here.fetcher.why_missing(huge.digest)
        assert here.cloud.asked == [(blob(SMALL).digest, 0)]


async def test_what_is_not_wanted_any_more_is_not_fetched_to_its_end(tmp_path: Path) -> None:
    async with site(tmp_path, BIG, SMALL) as here:
        here.cloud.holds = True
        here.fetcher.want([blob(BIG)])
        here.fetcher.go_online(hands_out=True)
        await eventually_async(lambda: here.cloud.asked)
        here.fetcher.want([blob(SMALL)])
        here.cloud.holds = False
        here.cloud.give(blob(BIG).digest, 0, MAX_PIECE_BYTES)
        await eventually_async(lambda: here.came == 1)
        assert here.cloud.asked == [(blob(BIG).digest, 0), (blob(SMALL).digest, 0)]
