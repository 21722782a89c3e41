"""Folders and archives of ranks are one run; what is hostile or broken in them is refused by name."""

from __future__ import annotations

import gzip
import io
import random
import stat
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from simulation.errors import Cancelled, TraceError, UnknownFormat
from simulation.formats.archive import HEADER_BYTES, ArchiveLimits, kind_of, unpacked
from simulation.run import Run, read_run
from tests.simulation.traces import event, write

Pack = Callable[[Path, Mapping[str, bytes]], Path]


def trace(folder: Path, rank: int | None = None) -> bytes:
    told = {} if rank is None else {"distributedInfo": {"rank": rank, "world_size": 2}}
    return write(folder / "one.json", [event(f"op of {rank}")], **told).read_bytes()


def pack_zip(path: Path, members: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def pack_tar(path: Path, members: Mapping[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            add(archive, name, content)
    return path


def pack_tar_gz(path: Path, members: Mapping[str, bytes]) -> Path:
    path.write_bytes(gzip.compress(pack_tar(path, members).read_bytes()))
    return path


def pack_tar_zst(path: Path, members: Mapping[str, bytes]) -> Path:
    content = pack_tar(path, members).read_bytes()
    with pa.output_stream(str(path), compression="zstd") as stream:
        stream.write(content)
    return path


def pack_folder(path: Path, members: Mapping[str, bytes]) -> Path:
    for name, content in members.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def add(archive: tarfile.TarFile, name: str, content: bytes, type_: bytes = tarfile.REGTYPE, link: str = "") -> None:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(content), type_, link
    archive.addfile(info, io.BytesIO(content))


PACKS: list[Pack] = [pack_zip, pack_tar, pack_tar_gz, pack_tar_zst, pack_folder]
ARCHIVES = PACKS[:-1]


def refused(path: Path, match: str, limits: ArchiveLimits | None = None) -> TraceError:
    with pytest.raises(TraceError, match=match) as caught, unpacked([path], limits=limits or ArchiveLimits()):
        pytest.fail("it was unpacked")
    assert caught.value.file is not None and path.name in caught.value.file
    return caught.value


@pytest.mark.parametrize("pack", PACKS)
def test_all_ranks_in_it_are_one_run(tmp_path: Path, pack: Pack) -> None:
    members = {
        "job/b.json": trace(tmp_path, 1),
        "job/a.json.gz": gzip.compress(trace(tmp_path, 0)),
        "job/README.md": b"# A job",
        "job/loss.csv": b"step,loss\n1,2\n",
        "empty": b"",
    }
    run = read_run([pack(tmp_path / "the-run", members)])
    assert run.ranks == (0, 1)
    names = [table.info.file_name for table in run.traces]
    assert names == ["the-run/job/a.json.gz", "the-run/job/b.json"]
    assert sorted(run.quality.which("files_skipped")) == [
        "the-run/empty", "the-run/job/README.md", "the-run/job/loss.csv",
    ]  # fmt: skip
    assert run.quality.count("files_skipped") == 3


@pytest.mark.parametrize("pack", PACKS)
def test_a_folder_in_it_may_say_the_rank(tmp_path: Path, pack: Pack) -> None:
    run = read_run([pack(tmp_path / "run", {f"rank{rank}/trace.json": trace(tmp_path) for rank in (2, 0)})])
    assert run.ranks == (0, 2)
    assert run.quality.count("rank_from_name") == 2
    assert run.quality.which("ranks_missing") == ["1"]


@pytest.mark.parametrize("pack", PACKS)
def test_without_a_trace_it_is_refused(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "run", {"README": b"nothing", "empty": b""})
    with pytest.raises(UnknownFormat, match="run.*none of its 2 files is a trace.*README"):
        read_run([path])


def test_files_folders_and_archives_go_together(tmp_path: Path) -> None:
    lone = tmp_path / "lone.json"
    lone.write_bytes(trace(tmp_path, 2))
    folder = pack_folder(tmp_path / "folder", {"rank1.json": trace(tmp_path)})
    pack_zip(folder / "more.zip", {"rank3.json": trace(tmp_path)})
    archive = pack_tar_gz(tmp_path / "x.tgz", {"rank0.json": trace(tmp_path)})
    run = read_run([lone, folder, archive])
    assert run.ranks == (0, 1, 2, 3)
    told = [table.info.archive_sha256 != "" for table in run.traces]
    assert told == [True, False, False, True]


def test_a_file_given_by_itself_must_be_a_trace(tmp_path: Path) -> None:
    (tmp_path / "README").write_text("nothing")
    with pytest.raises(UnknownFormat, match="README"):
        read_run([tmp_path / "README"])


def test_a_broken_trace_in_it_is_not_skipped(tmp_path: Path) -> None:
    path = pack_zip(tmp_path / "run.zip", {"a.json": trace(tmp_path, 0), "b.json": b'{"traceEvents": 7}'})
    with pytest.raises(TraceError, match="b.json"):
        read_run([path])


@pytest.mark.parametrize("name", ["/etc/passwd", "../up.json", "a/../../b", "C:\\x", "..\\x", "\\x", "a/.."])
@pytest.mark.parametrize("pack", ARCHIVES)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path: Path, pack: Pack, name: str) -> None:
    refused(pack(tmp_path / "run", {"good.json": b"x", name: b"y"}), "leads elsewhere")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["run"]


@pytest.mark.parametrize(
    "type_",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, type_: bytes) -> None:
    with tarfile.open(tmp_path / "run.tar", "w") as archive:
        add(archive, "good.json", b"x")
        add(archive, "evil", b"", type_, "good.json")
    refused(tmp_path / "run.tar", "a link, a device or a sparse file: evil")


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    info = zipfile.ZipInfo("evil")
    info.external_attr = (mode | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "run.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    refused(tmp_path / "run.zip", "a link or a device: evil")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = pack_zip(tmp_path / "run.zip", {"a.json": b"x"})
    content = bytearray(path.read_bytes())
    for magic, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(magic) + flags] |= 1
    path.write_bytes(content)
    refused(path, "encrypted")


@pytest.mark.parametrize("inner", ARCHIVES)
@pytest.mark.parametrize("outer", ARCHIVES)
def test_an_archive_in_an_archive_is_refused(tmp_path: Path, outer: Pack, inner: Pack) -> None:
    within = inner(tmp_path / "inner", {"a.json": trace(tmp_path)}).read_bytes()
    refused(outer(tmp_path / "run", {"looks-like.json": within}), "another archive, looks-like.json")


@pytest.mark.parametrize("pack", PACKS)
def test_too_many_members_are_refused(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "run", {f"{number}.json": b"x" for number in range(11)})
    refused(path, "more than 10 files", ArchiveLimits(members=10))
    with unpacked([path], limits=ArchiveLimits(members=11)) as found:
        assert len(found.sources) == 11


@pytest.mark.parametrize("pack", ARCHIVES)
def test_what_unpacks_to_too_much_is_refused(tmp_path: Path, pack: Pack) -> None:
    path = pack(tmp_path / "run", {"a": bytes(3 << 20), "b": bytes(3 << 20)})
    refused(path, "limit of 5,000,000 bytes", ArchiveLimits(size_bytes=5_000_000))
    if pack is not pack_tar:
        refused(path, "more than 10 times its size", ArchiveLimits(ratio=10, ratio_from_bytes=1 << 20))


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.json")
    info.pax_headers = {"comment": "x" * (HEADER_BYTES + 1)}
    with tarfile.open(tmp_path / "run.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    refused(tmp_path / "run.tar", "a header has")


def test_headers_that_only_lead_to_headers_are_refused(tmp_path: Path) -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 512
    body = b"11 path=ab\n".ljust(512, b"\0")
    (tmp_path / "run.tar").write_bytes((info.tobuf(tarfile.USTAR_FORMAT) + body) * 5000)
    refused(tmp_path / "run.tar", "damaged tar")


def test_a_zip_with_a_huge_directory_is_refused(tmp_path: Path) -> None:
    path = pack_zip(tmp_path / "run.zip", {f"{number:0200}": b"" for number in range(5000)})
    refused(path, "its directory has")


@pytest.mark.parametrize("pack", [pack_tar, pack_tar_gz])
def test_of_a_cut_tar_what_came_is_read(tmp_path: Path, pack: Pack) -> None:
    noise = random.Random(1).randbytes(300_000)
    path = pack(tmp_path / "run", {"a.json": trace(tmp_path, 0), "b.json": trace(tmp_path, 1), "z": noise})
    path.write_bytes(path.read_bytes()[:-200_000])
    run = read_run([path])
    assert run.ranks == (0, 1)
    assert run.quality.which("truncated") == ["run"]


def test_a_tar_that_goes_on_with_no_header_is_cut(tmp_path: Path) -> None:
    path = pack_tar(tmp_path / "run.tar", {"a.json": trace(tmp_path, 0), "b.json": trace(tmp_path, 1)})
    content = bytearray(path.read_bytes())
    content[1024 + 10] ^= 1  # in the name of the second: the checksum of its header is wrong
    path.write_bytes(content)
    run = read_run([path])
    assert (run.ranks, run.quality.which("truncated")) == ((0,), ["run.tar"])


@pytest.mark.parametrize("pack", [pack_zip, pack_tar_zst])
def test_a_cut_archive_of_another_kind_is_refused(tmp_path: Path, pack: Pack) -> None:
    noise = random.Random(1).randbytes(300_000)
    path = pack(tmp_path / "run", {"a.json": trace(tmp_path, 0), "z": noise})
    path.write_bytes(path.read_bytes()[:-100_000])
    with pytest.raises(TraceError):
        read_run([path])


@pytest.mark.parametrize("pack", ARCHIVES)
def test_a_mutated_archive_is_unpacked_or_refused(tmp_path: Path, pack: Pack) -> None:
    good = pack(tmp_path / "good", {"a/rank0.json": trace(tmp_path, 0), "b/" + "n" * 120: b"x" * 700}).read_bytes()
    chance = random.Random(7)
    path = tmp_path / "run"
    for _ in range(150):
        bad = bytearray(good)
        for _ in range(chance.randrange(1, 6)):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        path.write_bytes(bad[: chance.randrange(len(bad))] if chance.random() < 0.3 else bad)
        try:
            with unpacked([path], scratch=tmp_path) as found:
                for source in found.sources:
                    assert source.path.is_relative_to(tmp_path) and source.path.is_file()
        except TraceError as error:
            assert "run" in str(error)
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == []


def test_hostile_names_make_plain_files(tmp_path: Path) -> None:
    names = ["a\nb\x1b[31m.json", "x" * 3000, "\N{RIGHT-TO-LEFT OVERRIDE}nosj.json", "-rf", "dir/ / "]
    with unpacked([pack_tar(tmp_path / "run.tar", {name: b"x" for name in names})]) as found:
        for source in found.sources:
            assert len(source.path.name.encode()) <= 255 and source.path.name.isprintable()
            assert source.name.isprintable() and len(source.name) <= 1000
            assert source.path.read_bytes() == b"x"
        assert len(found.sources) == len(names)


def test_nothing_stays_behind(tmp_path: Path) -> None:
    path = pack_tar_gz(tmp_path / "run", {"a.json": trace(tmp_path)})
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with unpacked([path], scratch) as found:
        assert found.sources[0].path.is_relative_to(scratch)
    assert list(scratch.iterdir()) == []

    def stop(stage: str, done: int, total: int) -> None:
        raise Cancelled

    with pytest.raises(Cancelled), unpacked([path], scratch, progress=stop):
        pass
    assert list(scratch.iterdir()) == []


def test_a_trace_is_no_archive(tmp_path: Path) -> None:
    plain = tmp_path / "one.json"
    plain.write_bytes(trace(tmp_path))
    packed = tmp_path / "one.json.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    assert (kind_of(plain), kind_of(packed)) == (None, None)


def test_what_is_not_there_or_empty_is_said(tmp_path: Path) -> None:
    refused(tmp_path / "missing.zip", "cannot be read")
    (tmp_path / "folder").mkdir()
    refused(tmp_path / "folder", "folder without files")
    with pytest.raises(UnknownFormat, match="b.zip"):
        read_run([pack_zip(tmp_path / "b.zip", {})])


def test_the_ranks_of_a_tar_are_one_run_on_one_clock(samples: Path) -> None:
    run: Run = read_run([samples / "param" / "dlrm_kineto.tar.gz"])
    assert run.ranks == tuple(range(8))
    offsets = [clock.offset_ns for clock in run.clocks if clock]
    assert len(offsets) == 8
    assert max(offsets) - min(offsets) <= 10_000
