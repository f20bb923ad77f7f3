"""Data is used when it is the pinned bytes, and only then; shown against a server on loopback."""

import asyncio
import contextlib
import errno
import hashlib
import json
import math
import ntpath
import os
import posixpath
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from safemark.data import (
    File,
    Source,
    cache_folder,
    csv_rows,
    digests,
    download,
    fetch,
    find,
    folder_of,
    github,
    json_value,
    jsonl_rows,
    lines,
    mirrors,
    pull,
)
from safemark.data.locks import Lock, locks, standing_lock
from safemark.errors import DataError, StoreError, UsageError
from tests.waiting import PATIENCE_S

HELLO = b"hello\n"
HELLO_GIT = "ce013625030ba8dba906f756967f9e9ca394464a"  # echo hello | git hash-object --stdin
HELLO_SHA256 = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
BBQ_COMMIT = "bea11bd97d79217245b5871acd247b9d6eb24598"
REVISION = "0123456789abcdef"


@dataclass
class Answer:
    """What the publisher answers; ``sent`` bytes of the body, then the line goes dead."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    sent: int | None = None


class Publisher:
    """A real HTTP server on loopback, in its own thread, that answers as it is told."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.address = self._run(self._start())

    def __setitem__(self, path: str, answers: bytes | Answer | list[Answer]) -> None:
        if isinstance(answers, bytes):
            answers = Answer(answers)
        self.answers[path] = answers if isinstance(answers, list) else [answers]

    def file(self, path: str, **pinned: str | int | None) -> File:
        return File(path=path, url=f"{self.address}/{path}", **pinned)  # type: ignore[arg-type]

    def close(self) -> None:
        self._run(self._runner.cleanup())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(PATIENCE_S)

    async def _start(self) -> str:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        return f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        self.asked.append(path)
        waiting = self.answers.get(path, [Answer(status=404)])
        answer = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        response = web.StreamResponse(status=answer.status, headers=answer.headers)
        response.content_length = len(answer.body)
        await response.prepare(request)
        await response.write(answer.body[: answer.sent])
        if answer.sent is not None:
            assert request.transport
            request.transport.close()
        return response


@pytest.fixture(scope="module")
def server() -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    publisher.close()


@pytest.fixture
def publisher(server: Publisher) -> Publisher:
    server.answers.clear()
    server.asked.clear()
    return server


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "BACKOFF_S", (0.0, 0.0, 0.0))


@pytest.fixture
def cache() -> Path:
    return cache_folder()


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if every file had been written long ago."""
    monkeypatch.setattr(digests, "SETTLED_S", -1.0)


def toy(*files: File) -> Source:
    return Source("toy", "https://example.org/toy", REVISION, "MIT", files)


def pinned(path: str) -> File:
    return File(path, f"https://example.org/{path}", git_blob=HELLO_GIT, size=6)


def unpinned(path: str) -> File:
    return File(path, f"https://example.org/{path}")


def put(folder: Path, path: str, content: bytes = HELLO) -> Path:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def in_cache(path: str, content: bytes = HELLO) -> Path:
    return put(cache_folder() / "toy" / REVISION[:12], path, content)


def left_in(folder: Path) -> list[str]:
    """Every file below ``folder``, but not the notes kept beside the data."""
    files = (path for path in folder.rglob("*") if path.is_file())
    notes = {"verified.json", "locks.json", "locks.lock"}
    return sorted(str(path.relative_to(folder)) for path in files if path.name not in notes)


class TestWhatMayBeNamed:
    @pytest.mark.parametrize(
        "path", ["", "..", "../x", "a/../../x", "/etc/x", "a//b", "./a", "a/.", "a/.. /b", "a\0b"]
    )
    @pytest.mark.parametrize("prefix", ["", "C:", "a\\"])
    def test_a_path_that_could_leave_its_folder_cannot_be_made(
        self, prefix: str, path: str
    ) -> None:
        with pytest.raises(DataError, match="outside its folder"):
            File(prefix + path, "https://example.org/x")

    @given(st.text(alphabet="./\\ :aC\0", max_size=12))
    def test_whatever_path_is_accepted_stays_inside_on_every_system(self, path: str) -> None:
        with contextlib.suppress(DataError):
            File(path, "https://example.org/x")
            assert posixpath.normpath(posixpath.join("/data/toy", path)).startswith("/data/toy/")
            joined = ntpath.normpath(ntpath.join(r"D:\data\toy", path))
            assert joined.startswith("D:\\data\\toy\\")

    @pytest.mark.parametrize("name", ["..", "a/b", "", ".hidden", "a\\b"])
    def test_a_source_whose_name_or_revision_is_no_plain_word_cannot_be_made(
        self, name: str
    ) -> None:
        with pytest.raises(DataError, match="cannot be the name or revision"):
            Source(name, "https://example.org", "v1", "MIT", ())
        with pytest.raises(DataError, match="cannot be the name or revision"):
            Source("toy", "https://example.org", name, "MIT", ())

    def test_a_source_names_no_file_twice(self) -> None:
        with pytest.raises(DataError, match="names a file twice"):
            toy(pinned("a"), pinned("a"))

    @pytest.mark.parametrize("url", ["http://example.org/a", "file:///etc/passwd", "ftp://x/a", ""])
    def test_an_address_without_https_is_refused(self, url: str) -> None:
        with pytest.raises(DataError, match="not https"):
            File("a", url)

    @pytest.mark.parametrize("hash_", ["", "abc", HELLO_GIT.upper(), HELLO_SHA256])
    def test_a_git_blob_id_that_is_none_is_refused(self, hash_: str) -> None:
        with pytest.raises(DataError, match="not 40 hex digits"):
            File("a", "https://example.org/a", git_blob=hash_)

    def test_github_files_are_pinned_at_a_commit_and_their_names_quoted(self) -> None:
        (file,) = github("nyu-mll/BBQ", BBQ_COMMIT, {"t/new - Age.csv": (HELLO_GIT, 6)})
        raw = "https://raw.githubusercontent.com/nyu-mll/BBQ"
        assert file.url == f"{raw}/{BBQ_COMMIT}/t/new%20-%20Age.csv"
        assert (file.path, file.git_blob, file.size) == ("t/new - Age.csv", HELLO_GIT, 6)

    def test_a_branch_is_no_commit(self) -> None:
        with pytest.raises(DataError, match="not a full commit id"):
            github("nyu-mll/BBQ", "main", {})


class TestFinding:
    def test_an_untouched_file_is_found_with_its_digest(self) -> None:
        path = in_cache("a/b.txt")
        found = find(toy(pinned("a/b.txt")))
        assert found.files == {"a/b.txt": path}
        assert found.digests == {"a/b.txt": f"git:{HELLO_GIT}"}
        assert (found.missing, found.unpinned, found.partial) == ((), (), None)

    def test_a_sha256_is_the_digest_where_both_hashes_are_known(self) -> None:
        in_cache("a")
        file = File("a", "https://example.org/a", git_blob=HELLO_GIT, sha256=HELLO_SHA256)
        assert find(toy(file)).digests == {"a": f"sha256:{HELLO_SHA256}"}

    def test_both_hashes_must_agree_where_both_are_known(self) -> None:
        in_cache("a")
        file = File("a", "https://example.org/a", git_blob="0" * 40, sha256=HELLO_SHA256)
        with pytest.raises(DataError, match=f"expected git:{'0' * 40} .* got git:{HELLO_GIT}"):
            find(toy(file))

    def test_an_altered_file_is_named_with_both_hashes_and_sizes(self) -> None:
        in_cache("a", b"jello\n")
        with pytest.raises(DataError) as raised:
            find(toy(pinned("a")))
        jello = hashlib.sha1(b"blob 6\0jello\n").hexdigest()
        assert raised.value.problem == (
            f"`a` of toy is altered: expected git:{HELLO_GIT} (6 bytes), got git:{jello} (6 bytes)"
        )
        assert "safemark data pull toy --force" in raised.value.hint

    def test_a_file_that_is_too_short_is_called_truncated(self) -> None:
        in_cache("a", b"hel")
        with pytest.raises(DataError, match=r"truncated: .* \(6 bytes\), .* \(3 bytes\)"):
            find(toy(pinned("a")))

    def test_a_mirror_is_looked_at_before_the_cache(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        in_cache("a")
        in_cache("b")
        mirrored = put(tmp_path / "mirror" / "toy", "a")
        monkeypatch.setenv("SAFEMARK_DATA", str(tmp_path / "mirror"))
        found = find(toy(pinned("a"), pinned("b")))
        assert found.files["a"] == mirrored
        assert found.files["b"].is_relative_to(cache_folder())

    def test_several_mirrors_complete_each_other_in_order(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first = put(tmp_path / "one" / "toy", "a")
        put(tmp_path / "two" / "toy", "a")
        second = put(tmp_path / "two" / "toy", "b")
        both = os.pathsep.join([str(tmp_path / "one"), "", str(tmp_path / "two")])
        monkeypatch.setenv("SAFEMARK_DATA", both)
        assert mirrors() == (tmp_path / "one", tmp_path / "two")
        assert find(toy(pinned("a"), pinned("b"))).files == {"a": first, "b": second}

    def test_a_mirror_that_holds_a_part_is_used_as_it_is(self, tmp_path: Path) -> None:
        put(tmp_path / "toy", "a")
        found = find(toy(pinned("a"), pinned("b"), pinned("c")), mirrors=[tmp_path])
        assert found.partial == "1 of 3 files"
        assert found.missing == ("b", "c")

    def test_a_known_part_of_a_file_is_used_and_said_to_be_one(self, tmp_path: Path) -> None:
        put(tmp_path / "toy", "a", b"hel\n")
        part = hashlib.sha256(b"hel\n").hexdigest()
        file = replace(pinned("a"), parts={part: "3 of 5 letters"})
        found = find(toy(file, pinned("b")), mirrors=[tmp_path])
        assert found.partial == "1 of 2 files; 3 of 5 letters"
        assert found.digests["a"].startswith("git:")
        put(tmp_path / "toy", "a", b"jel\n")
        with pytest.raises(DataError, match="truncated"):
            find(toy(file), mirrors=[tmp_path])
        put(tmp_path / "toy", "a")
        assert find(toy(file), mirrors=[tmp_path]).partial is None
        with pytest.raises(DataError, match="not 64 hex digits"):
            replace(pinned("a"), parts={"abc": "a part"})

    def test_an_altered_mirror_is_refused_even_where_the_cache_is_right(
        self, tmp_path: Path
    ) -> None:
        in_cache("a")
        put(tmp_path / "toy", "a", b"jello\n")
        with pytest.raises(DataError, match="altered") as raised:
            find(toy(pinned("a")), mirrors=[tmp_path])
        assert f"the mirror {tmp_path} was altered" in raised.value.hint
        assert "--force" not in raised.value.hint

    def test_a_mirror_that_is_not_there_is_said_and_not_ignored(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("SAFEMARK_DATA", str(tmp_path / "typo"))
        with pytest.raises(UsageError, match="typo, which is no folder"):
            find(toy(pinned("a")))

    def test_a_file_without_a_known_hash_is_used_and_listed(self, tmp_path: Path) -> None:
        put(tmp_path / "toy", "a")
        found = find(toy(unpinned("a")), mirrors=[tmp_path])
        assert found.unpinned == ("a",)
        assert found.digests == {"a": f"sha256:{HELLO_SHA256}"}

    def test_a_file_without_a_known_hash_must_still_have_its_known_size(self) -> None:
        in_cache("a", b"hel")
        with pytest.raises(DataError, match="expected no known hash"):
            find(toy(File("a", "https://example.org/a", size=6)))

    def test_a_folder_in_the_place_of_a_file_is_refused(self) -> None:
        in_cache("a/inside")
        with pytest.raises(DataError, match="is not a file"):
            find(toy(pinned("a")))

    def test_nothing_here_is_not_an_error(self) -> None:
        found = find(toy(pinned("a")))
        assert (found.files, found.partial) == ({}, "0 of 1 files")


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose bytes were read to be hashed."""
    read: list[str] = []
    hashed = digests._hashed

    def noted(file, kinds):  # type: ignore[no-untyped-def]
        read.append(Path(file.name).name)
        return hashed(file, kinds)

    monkeypatch.setattr(digests, "_hashed", noted)
    return read


class TestRemembering:
    def test_an_unchanged_file_is_hashed_once(self, settled: None, readings: list[str]) -> None:
        in_cache("a")
        first, second = find(toy(pinned("a"))), find(toy(pinned("a")))
        assert readings == ["a"]
        assert first == second

    def test_a_changed_file_is_noticed_though_size_and_time_are_set_back(
        self, settled: None
    ) -> None:
        path = in_cache("a")
        find(toy(pinned("a")))
        before = path.stat()
        while path.stat().st_ctime_ns == before.st_ctime_ns:  # until the clock has ticked
            path.write_bytes(b"jello\n")
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert (path.stat().st_size, path.stat().st_mtime_ns) == (6, before.st_mtime_ns)
        with pytest.raises(DataError, match="altered"):
            find(toy(pinned("a")))

    def test_a_file_written_a_moment_ago_is_not_believed_next_time(
        self, readings: list[str]
    ) -> None:
        in_cache("a")
        find(toy(pinned("a")))
        find(toy(pinned("a")))
        assert readings == ["a", "a"]

    def test_rehash_believes_nothing(self, settled: None, readings: list[str]) -> None:
        in_cache("a")
        find(toy(pinned("a")))
        find(toy(pinned("a")), rehash=True)
        assert readings == ["a", "a"]

    def test_a_wrong_hash_is_still_wrong_when_remembered(self, settled: None) -> None:
        in_cache("a", b"jello\n")
        for _ in range(2):
            with pytest.raises(DataError, match="altered"):
                find(toy(pinned("a")))

    @pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"/a": {"size": "six"}}', b"\xff"])
    def test_a_broken_memory_costs_time_and_nothing_else(
        self, cache: Path, content: bytes, settled: None
    ) -> None:
        in_cache("a")
        put(cache, "verified.json", content)
        assert find(toy(pinned("a"))).partial is None
        assert len(json.loads((cache / "verified.json").read_bytes())) == 1

    def test_a_cache_that_cannot_be_written_does_not_stop_a_mirror(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settled: None
    ) -> None:
        put(tmp_path, "file")
        monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path / "file" / "cache"))
        put(tmp_path / "mirror" / "toy", "a")
        found = find(toy(pinned("a"), pinned("b")), mirrors=[tmp_path / "mirror"])
        assert found.partial == "1 of 2 files"

    def test_writers_at_the_same_time_leave_a_whole_memory(
        self, cache: Path, tmp_path: Path, settled: None
    ) -> None:
        for number in range(16):
            put(tmp_path / str(number) / "toy", "a")

        def look(number: int) -> None:
            find(toy(pinned("a")), mirrors=[tmp_path / str(number)])

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(look, range(16)))
        assert json.loads((cache / "verified.json").read_bytes())
        assert left_in(cache) == []


class TestPulling:
    def test_a_missing_file_comes_from_its_publisher(self, publisher: Publisher) -> None:
        publisher["a/b.txt"] = HELLO
        source = toy(publisher.file("a/b.txt", git_blob=HELLO_GIT, size=6))
        found = pull(source)
        assert found.files == {"a/b.txt": folder_of(source) / "a/b.txt"}
        assert found.files["a/b.txt"].read_bytes() == HELLO
        assert found.digests == {"a/b.txt": f"git:{HELLO_GIT}"}
        assert left_in(cache_folder()) == ["toy/0123456789ab/a/b.txt"]

    def test_what_is_here_is_not_asked_for(self, publisher: Publisher, tmp_path: Path) -> None:
        for path in "abc":
            publisher[path] = HELLO
        source = toy(*(publisher.file(path, git_blob=HELLO_GIT) for path in "abc"))
        put(tmp_path / "toy", "a")
        in_cache("b")
        assert pull(source, mirrors=[tmp_path]).partial is None
        assert publisher.asked == ["c"]
        pull(source, mirrors=[tmp_path])
        assert publisher.asked == ["c"]

    def test_it_can_be_awaited(self, publisher: Publisher) -> None:
        publisher["a"] = HELLO
        found = asyncio.run(fetch(toy(publisher.file("a", sha256=HELLO_SHA256))))
        assert found.digests == {"a": f"sha256:{HELLO_SHA256}"}

    def test_wrong_bytes_never_reach_their_place(self, publisher: Publisher) -> None:
        publisher["a"] = b"jello\n"
        with pytest.raises(DataError, match=rf"altered: expected git:{HELLO_GIT}") as raised:
            pull(toy(publisher.file("a", git_blob=HELLO_GIT, size=6)))
        assert publisher.address in raised.value.problem
        assert publisher.asked == ["a"]
        assert left_in(cache_folder()) == []

    def test_more_bytes_than_expected_are_not_taken(self, publisher: Publisher) -> None:
        publisher["a"] = HELLO * 1000
        with pytest.raises(DataError, match="more than the 6 bytes"):
            pull(toy(publisher.file("a", git_blob=HELLO_GIT, size=6)))
        assert left_in(cache_folder()) == []

    def test_an_endless_file_of_unknown_size_is_not_taken(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(download, "MOST_BYTES", 5)
        publisher["a"] = HELLO
        with pytest.raises(DataError, match="more than the 5 bytes"):
            pull(toy(publisher.file("a")))

    @pytest.mark.parametrize(
        "passing",
        [
            Answer(HELLO, sent=3),
            Answer(b"busy", status=500),
            Answer(b"busy", status=503),
            Answer(b"slow down", status=429, headers={"Retry-After": "0"}),
        ],
        ids=["cut off", "500", "503", "429"],
    )
    def test_a_passing_failure_is_tried_again(self, publisher: Publisher, passing: Answer) -> None:
        publisher["a"] = [passing, passing, Answer(HELLO)]
        assert pull(toy(publisher.file("a", git_blob=HELLO_GIT))).partial is None
        assert publisher.asked == ["a"] * 3

    def test_a_connection_that_always_ends_early_gives_up_with_nothing_kept(
        self, publisher: Publisher
    ) -> None:
        publisher["a"] = Answer(HELLO, sent=3)
        with pytest.raises(DataError, match="ended before the file did, 4 times"):
            pull(toy(publisher.file("a")))
        assert publisher.asked == ["a"] * 4
        assert left_in(cache_folder()) == []

    def test_a_server_that_stays_broken_is_left_after_four_tries(
        self, publisher: Publisher
    ) -> None:
        publisher["a"] = Answer(status=500)
        with pytest.raises(DataError, match="HTTP 500, 4 times"):
            pull(toy(publisher.file("a", git_blob=HELLO_GIT)))
        assert publisher.asked == ["a"] * 4

    def test_no_server_at_all_is_said(self) -> None:
        file = File("a", "http://127.0.0.1:1/a", git_blob=HELLO_GIT)
        with pytest.raises(DataError, match="no connection") as raised:
            pull(toy(file))
        assert "proxy" in raised.value.hint

    @pytest.mark.parametrize(("status", "said"), [(404, "is not at"), (403, "may not be read")])
    def test_a_lasting_failure_is_not_tried_again(
        self, publisher: Publisher, status: int, said: str
    ) -> None:
        publisher["a"] = Answer(status=status)
        with pytest.raises(DataError, match=rf"{said}.*HTTP {status}"):
            pull(toy(publisher.file("a", git_blob=HELLO_GIT)))
        assert publisher.asked == ["a"]

    def test_one_failure_does_not_keep_the_other_files_away(self, publisher: Publisher) -> None:
        publisher["b"] = HELLO
        source = toy(*(publisher.file(path, git_blob=HELLO_GIT) for path in "abc"))
        with pytest.raises(DataError, match="1 more could not be had"):
            pull(source)
        assert find(source).missing == ("a", "c")

    def test_progress_tells_bytes_so_far_and_in_all(self, publisher: Publisher) -> None:
        publisher["a"] = b"x" * 200_000
        told: list[tuple[str, int, int | None]] = []
        pull(toy(publisher.file("a")), progress=lambda *step: told.append(step))
        assert told[-1] == ("a", 200_000, 200_000)
        assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})

    def test_proxy_variables_are_honoured(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", publisher.address)
        monkeypatch.setenv("NO_PROXY", "")
        publisher["a"] = HELLO
        pull(toy(File("a", "http://127.0.0.1:1/a", git_blob=HELLO_GIT)))
        assert publisher.asked == ["a"]

    def test_an_address_that_leads_away_from_https_is_not_followed_to_the_end(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", publisher.address)  # so that no name is looked up
        publisher["a"] = Answer(status=302, headers={"Location": "http://elsewhere.invalid/b"})
        publisher["b"] = HELLO
        with pytest.raises(DataError, match="without https"):
            pull(toy(publisher.file("a")))

    def test_a_killed_download_is_swept_up_by_a_later_one(self, publisher: Publisher) -> None:
        stale, recent = in_cache(".0.part"), in_cache(".1.part")
        os.utime(stale, (0, 0))
        publisher["a"] = HELLO
        pull(toy(publisher.file("a", git_blob=HELLO_GIT)))
        assert not stale.exists()
        assert recent.exists()

    def test_a_full_disk_is_said_and_leaves_nothing_half(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(descriptor: int) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        publisher["a"] = HELLO
        with pytest.raises(StoreError, match="no space is left") as raised:
            pull(toy(publisher.file("a", git_blob=HELLO_GIT)))
        assert "SAFEMARK_CACHE" in raised.value.hint
        assert left_in(cache_folder()) == []

    def test_a_cache_that_cannot_be_written_is_said(
        self, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        put(tmp_path, "file")
        monkeypatch.setenv("SAFEMARK_CACHE", str(tmp_path / "file" / "cache"))
        publisher["a"] = HELLO
        with pytest.raises(StoreError, match="cannot be kept in") as raised:
            pull(toy(publisher.file("a", git_blob=HELLO_GIT)))
        assert "SAFEMARK_CACHE" in raised.value.hint


class TestOffline:
    def test_offline_says_what_would_be_fetched_and_from_where(self, publisher: Publisher) -> None:
        in_cache("a")
        source = toy(*(publisher.file(path, git_blob=HELLO_GIT) for path in "abc"))
        with pytest.raises(DataError, match="offline: 2 of 3 files of toy") as raised:
            pull(source, offline=True)
        assert f"b from {publisher.address}/b" in raised.value.hint
        assert f"c from {publisher.address}/c" in raised.value.hint
        assert publisher.asked == []

    @pytest.mark.parametrize(
        ("value", "is_asked"), [("1", False), ("yes", False), ("0", True), ("", True)]
    )
    def test_the_variable_forbids_as_the_flag_does(
        self, publisher: Publisher, monkeypatch: pytest.MonkeyPatch, value: str, is_asked: bool
    ) -> None:
        monkeypatch.setenv("SAFEMARK_OFFLINE", value)
        publisher["a"] = HELLO
        with contextlib.suppress(DataError):
            pull(toy(publisher.file("a", git_blob=HELLO_GIT)))
        assert publisher.asked == (["a"] if is_asked else [])

    def test_offline_with_everything_here_is_no_error(self) -> None:
        in_cache("a")
        assert pull(toy(pinned("a")), offline=True).partial is None


class TestForce:
    def test_an_altered_file_is_only_replaced_by_force(self, publisher: Publisher) -> None:
        path = in_cache("a", b"jello\n")
        publisher["a"] = HELLO
        source = toy(publisher.file("a", git_blob=HELLO_GIT))
        with pytest.raises(DataError, match="altered"):
            pull(source)
        assert publisher.asked == []
        pull(source, force=True)
        assert path.read_bytes() == HELLO

    def test_a_forced_pull_that_fails_leaves_the_old_file(self, publisher: Publisher) -> None:
        path = in_cache("a")
        publisher["a"] = b"jello\n"
        with pytest.raises(DataError, match="altered"):
            pull(toy(publisher.file("a", git_blob=HELLO_GIT)), force=True)
        assert path.read_bytes() == HELLO

    def test_force_leaves_a_mirror_to_itself(self, publisher: Publisher, tmp_path: Path) -> None:
        put(tmp_path / "toy", "a")
        publisher["b"] = HELLO
        source = toy(*(publisher.file(path, git_blob=HELLO_GIT) for path in "ab"))
        assert pull(source, force=True, mirrors=[tmp_path]).partial is None
        assert publisher.asked == ["b"]


class TestLocking:
    def test_a_file_without_a_hash_is_locked_by_its_first_pull(self, publisher: Publisher) -> None:
        publisher["a"] = HELLO
        found = pull(toy(publisher.file("a")))
        assert (found.unpinned, found.locked) == ((), ("a",))
        assert locks(cache_folder()) == {
            "toy/0123456789ab/a": Lock(HELLO_SHA256, 6, f"{publisher.address}/a")
        }

    def test_what_the_publisher_changed_since_is_refused(self, publisher: Publisher) -> None:
        publisher["a"] = HELLO
        source = toy(publisher.file("a"))
        path = pull(source).files["a"]
        publisher["a"] = b"jello\n"
        with pytest.raises(DataError, match="changed it since the first pull") as raised:
            pull(source, force=True)
        assert path.read_bytes() == HELLO
        assert "remove `toy/0123456789ab/a` from" in raised.value.hint
        path.unlink()
        with pytest.raises(DataError, match=f"expected sha256:{HELLO_SHA256}"):
            pull(source)

    def test_a_locked_file_that_was_altered_here_is_refused(self, publisher: Publisher) -> None:
        publisher["a"] = HELLO
        source = toy(publisher.file("a"))
        pull(source).files["a"].write_bytes(b"jello\n")
        with pytest.raises(DataError, match=f"altered: expected sha256:{HELLO_SHA256}"):
            find(source)

    def test_a_mirror_is_held_to_the_lock(self, publisher: Publisher, tmp_path: Path) -> None:
        publisher["a"] = HELLO
        source = toy(publisher.file("a"))
        pull(source)
        put(tmp_path / "toy", "a", b"jello\n")
        with pytest.raises(DataError, match="altered"):
            find(source, mirrors=[tmp_path])

    def test_who_removes_the_lock_accepts_the_new_file(
        self, publisher: Publisher, cache: Path
    ) -> None:
        publisher["a"] = HELLO
        source = toy(publisher.file("a"))
        pull(source)
        publisher["a"] = b"jello\n"
        (cache / "locks.json").unlink()
        assert find(source).unpinned == ("a",)
        assert pull(source, force=True).files["a"].read_bytes() == b"jello\n"
        assert find(source).locked == ("a",)

    def test_locks_that_cannot_be_read_are_not_taken_for_none(self, cache: Path) -> None:
        put(cache, "locks.json", b"{")
        with pytest.raises(DataError, match=r"locks in .* cannot be read"):
            find(toy(unpinned("a")))
        assert find(toy(pinned("a"))).missing == ("a",)

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            (Answer(b"<html>log in", headers={"Content-Type": "text/html"}), "gave a web page"),
            (Answer(b""), "gave an empty file"),
        ],
    )
    def test_what_is_plainly_no_data_is_not_locked(
        self, publisher: Publisher, answer: Answer, said: str
    ) -> None:
        publisher["a"] = answer
        with pytest.raises(DataError, match=said):
            pull(toy(publisher.file("a")))
        assert locks(cache_folder()) == {}
        assert left_in(cache_folder()) == []

    def test_locks_set_at_the_same_time_are_all_kept(self, cache: Path) -> None:
        def lock(number: int) -> None:
            standing_lock(cache, f"toy/{number}", Lock(HELLO_SHA256, number, "https://x"))

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lock, range(32)))
        assert len(locks(cache)) == 32

    def test_the_first_lock_stands(self, cache: Path) -> None:
        first, second = Lock(HELLO_SHA256, 6, "https://x"), Lock("0" * 64, 6, "https://x")
        assert standing_lock(cache, "toy/a", first) == first
        assert standing_lock(cache, "toy/a", second) == first


class TestReading:
    def test_a_byte_order_mark_is_no_part_of_the_first_column(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.csv", b"\xef\xbb\xbfid,text\r\n1,x\r\n")
        assert list(csv_rows(path)) == [{"id": "1", "text": "x"}]

    def test_a_cell_may_run_over_lines_and_past_the_usual_limit(self, tmp_path: Path) -> None:
        long = "x" * 200_000
        path = put(tmp_path, "a.csv", f'id,text\n1,"a, ""b""\r\nc"\n\n2,{long}\n'.encode())
        rows = list(csv_rows(path))
        assert rows == [{"id": "1", "text": 'a, "b"\r\nc'}, {"id": "2", "text": long}]

    def test_columns_can_be_named_where_the_file_does_not(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.tsv", b"what?\tB\rwhy?\tA\r")
        rows = csv_rows(path, columns=("question", "answer"), delimiter="\t")
        assert [row["answer"] for row in rows] == ["B", "A"]

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"a,b\n1,2\n1,2,3\n", "line 3: 3 cells where 2 columns"),
            (b"a,b\n1,2\n1\n", "line 3: 1 cells"),
            (b'a,b\n1,"2\n3\n', "line 3: unexpected end of data"),
            (b"a,a\n1,2\n", "line 1: a column is named twice"),
            (b"a,b\n1,2\n1,\xff\n", "line 3: not UTF-8"),
        ],
    )
    def test_a_malformed_table_is_named_with_its_line(
        self, tmp_path: Path, content: bytes, said: str
    ) -> None:
        with pytest.raises(DataError, match=rf"a\.csv, {said}"):
            list(csv_rows(put(tmp_path, "a.csv", content)))

    def test_json_lines_break_at_newlines_only(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.jsonl", '\ufeff{"t": "a\u2028b"}\r\n\n{"t": "c"}'.encode())
        assert [row["t"] for row in jsonl_rows(path)] == ["a\u2028b", "c"]

    def test_nan_in_json_lines_is_read_as_published(self, tmp_path: Path) -> None:
        (row,) = jsonl_rows(put(tmp_path, "a.jsonl", b'{"x": NaN}\n'))
        assert math.isnan(row["x"])

    @pytest.mark.parametrize("line", [b'{"t": ', b"[1]", b'{"t": "\xff"}', b"[" * 100_000])
    def test_a_malformed_json_line_is_named(self, tmp_path: Path, line: bytes) -> None:
        path = put(tmp_path, "a.jsonl", b'{"t": 1}\n' + line + b"\n")
        with pytest.raises(DataError, match=r"a\.jsonl, line 2: "):
            list(jsonl_rows(path))

    def test_a_json_file_is_one_value(self, tmp_path: Path) -> None:
        assert json_value(put(tmp_path, "a.json", b'\xef\xbb\xbf[1, {"a": null}]')) == [
            1,
            {"a": None},
        ]

    def test_a_malformed_json_file_is_named_with_its_line(self, tmp_path: Path) -> None:
        with pytest.raises(DataError, match=r"a\.json, line 3: "):
            json_value(put(tmp_path, "a.json", b'[1,\n2,\n"x\n'))

    def test_lines_come_without_their_ends(self, tmp_path: Path) -> None:
        path = put(tmp_path, "a.txt", "\ufeffone\r\n\n two \u2028\nthree".encode())
        assert list(lines(path)) == ["one", "", " two \u2028", "three"]

    def test_a_file_that_is_not_there_is_a_data_error(self, tmp_path: Path) -> None:
        for read in (lines, csv_rows, jsonl_rows):
            with pytest.raises(DataError, match="cannot be read"):
                list(read(tmp_path / "none"))


def test_the_module_loads_without_what_only_a_download_needs() -> None:
    code = "import sys, safemark.data; print(*{'aiohttp', 'asyncio', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


class TestTheRealMirror:
    def manifest(self, data: Path) -> list[dict[str, str]]:
        return list(csv_rows(data / "MANIFEST.tsv", delimiter="\t"))

    def test_every_copied_file_at_its_own_path_has_its_listed_git_id(self, data: Path) -> None:
        pins: dict[tuple[str, str, str], dict[str, tuple[str, int]]] = {}
        for row in self.manifest(data):
            path = row["upstream_path"]
            if row["status"] == "copied" and (data / row["folder"] / path).is_file():
                pinned = pins.setdefault((row["folder"], row["repo"], row["commit"]), {})
                pinned[path] = (row["git_blob"], int(row["bytes"]))
        for (folder, repo, commit), files in pins.items():
            source = Source(folder, "https://github.com", commit, "", github(repo, commit, files))
            assert find(source).partial is None
        assert sum(map(len, pins.values())) > 50

    def test_bbq_is_six_of_eleven_files(self, data: Path) -> None:
        rows = [
            row
            for row in self.manifest(data)
            if row["folder"] == "bbq" and row["upstream_path"].startswith("data/")
        ]
        pins = {row["upstream_path"]: (row["git_blob"], None) for row in rows}
        files = github("nyu-mll/BBQ", BBQ_COMMIT, pins)
        source = Source("bbq", "https://github.com/nyu-mll/BBQ", BBQ_COMMIT, "CC-BY-4.0", files)
        found = find(source)
        assert found.partial == "6 of 11 files"
        assert len(list(jsonl_rows(found.files["data/Age.jsonl"]))) == 3680

    @pytest.mark.parametrize(
        ("path", "rows"),
        [
            ("crows_pairs/data/crows_pairs_anonymized.csv", 1508),
            ("truthfulqa/TruthfulQA.csv", 790),
            ("truthfulqa/data/v1/TruthfulQA.csv", 817),
            ("xstest/xstest_prompts.csv", 450),
        ],
    )
    def test_tables_have_as_many_rows_as_their_publishers_say(
        self, data: Path, path: str, rows: int
    ) -> None:
        assert len(list(csv_rows(data / path))) == rows
