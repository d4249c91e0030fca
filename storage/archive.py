"""The form of an exported run: a zip archive of tables in JSON lines and of blobs by their sha256.

    manifest.json            format, version, and size and sha256 of every other member
    checkpoints.jsonl ...    one row a line
    blobs/SHA256             content of files, and of what was asked and answered, as it is

Reading trusts nothing of it: names, sizes and hashes are checked before a row is looked at.
"""

import hashlib
import json
import stat
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from replan.state.errors import ExportError

FORMAT = "replan export"
VERSION = 1
MANIFEST = "manifest.json"
BLOBS = "blobs/"
_CHUNK_BYTES = 1 << 20
_MOST_MEMBERS = 2_000_000
_MOST_BYTES = 50_000_000_000  # all together, uncompressed
_MOST_TABLE_BYTES = 2_000_000_000
_MOST_BLOB_BYTES = 1_000_000_000  # Postgres keeps no larger value
_MOST_MANIFEST_BYTES = 300_000_000


def _sha256(text: str) -> str:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise ValueError("not a sha256")
    return text


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("holds a zero byte")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Sha256 = Annotated[str, AfterValidator(_sha256)]


Bytes = bytes  # two rows have a field of that name


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class CheckpointRow(_Row):
    """A row of LangGraph's `checkpoints`."""

    checkpoint_ns: Text
    checkpoint_id: Text
    parent_checkpoint_id: Text | None
    checkpoint: dict[str, Any]
    metadata: dict[str, Any]


class ChannelRow(_Row):
    """A row of LangGraph's `checkpoint_blobs`."""

    checkpoint_ns: Text
    channel: Text
    version: Text
    type: Text
    blob: Bytes | None


class WriteRow(_Row):
    """A row of LangGraph's `checkpoint_writes`."""

    checkpoint_ns: Text
    checkpoint_id: Text
    task_id: Text
    task_path: Text
    idx: int
    channel: Text
    type: Text | None
    blob: Bytes


class JournalRow(_Row):
    """A row of the journal, in the order of `id`."""

    checkpoint_id: Text
    execution: Text
    step: int
    node: Text
    task: Text
    number: int
    kind: Literal["model", "tool", "check"] | Text
    role: Text
    name: Text
    request: Sha256
    response: Sha256 | None
    outcome: Literal["pending", "ok", "failed"] | Text
    usage: dict[str, Any] | None
    revision: Text
    left_revision: Text
    started: datetime
    ended: datetime | None


class RevisionRow(_Row):
    """A row of the revisions; `base` is another one of the export."""

    id: int = Field(ge=1)
    workspace: Text
    base: int | None
    created: datetime
    files: int = Field(ge=0)
    bytes: int = Field(ge=0)
    entries: Bytes
    left_out: Bytes
    ignored: list[Text]


class OutputRow(_Row):
    """A long output that a checkpoint mentions by `output:KEY`."""

    key: Annotated[str, Field(pattern="^[0-9a-f]{24}$")]
    text: Text


class Member(_Row):
    """Size in bytes and sha256 of a member."""

    sha256: Sha256
    bytes: int = Field(ge=0)


class Manifest(_Row):
    """What the archive says of itself.

    Attributes:
        saver: newest migration of LangGraph's saver that the rows fit.
        own: newest migration of the project's own tables.
    """

    format: str
    version: int
    thread_id: str
    exported: datetime
    saver: int
    own: int
    members: dict[str, Member]


TABLES: dict[str, type[_Row]] = {
    "checkpoints.jsonl": CheckpointRow,
    "channels.jsonl": ChannelRow,
    "writes.jsonl": WriteRow,
    "journal.jsonl": JournalRow,
    "revisions.jsonl": RevisionRow,
    "outputs.jsonl": OutputRow,
}
AnyRow = TypeVar("AnyRow", bound=_Row)


class Writer:
    """Writes an archive, member by member; the manifest comes last. All blocking."""

    def __init__(self, file: Path) -> None:
        self._zip = zipfile.ZipFile(file, "x", zipfile.ZIP_DEFLATED, allowZip64=True)
        self.members: dict[str, Member] = {}

    def close(self) -> None:
        """Write the archive's directory. Without a manifest it is no export."""
        self._zip.close()

    def table(self, name: str, rows: Iterable[_Row]) -> None:
        """Write a table of `TABLES`."""
        self._add(name, (f"{row.model_dump_json()}\n".encode() for row in rows))

    def blob(self, sha256: str, content: bytes) -> None:
        """Write a blob."""
        self._add(f"{BLOBS}{sha256}", [content])

    def manifest(self, **about: Any) -> Manifest:
        """Write the manifest: what is written now is all there is."""
        manifest = Manifest(format=FORMAT, version=VERSION, members=self.members, **about)
        self._zip.writestr(MANIFEST, manifest.model_dump_json(indent=1))
        return manifest

    def _add(self, name: str, parts: Iterable[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self._zip.open(name, "w", force_zip64=True) as member:
            for part in parts:
                member.write(part)
                digest.update(part)
                size += len(part)
        self.members[name] = Member(sha256=digest.hexdigest(), bytes=size)


class Reader:
    """Reads an archive that was checked. All blocking.

    Args:
        file: the archive.

    Raises:
        ExportError: it is none, was written by a newer version, or is damaged.
    """

    def __init__(self, file: Path) -> None:
        self._shown = file.name
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, OSError, ValueError) as error:
            why = "is not an export of replan"
            if isinstance(error, OSError) and error.strerror:
                why = f"cannot be read: {error.strerror}"
            raise ExportError(f"{self._shown} {why}.") from error
        try:
            self.manifest = self._manifest()
            self._check()
        except BaseException:
            self._zip.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._zip.close()

    @property
    def blobs(self) -> list[str]:
        """The sha256 of every blob."""
        return [
            name.removeprefix(BLOBS) for name in self.manifest.members if name.startswith(BLOBS)
        ]

    def table(self, kind: type[AnyRow]) -> list[AnyRow]:
        """All rows of a table.

        Raises:
            ExportError: one of them is not as it should be.
        """
        name = next(name for name, row in TABLES.items() if row is kind)
        rows = []
        with self._zip.open(name) as member:
            for number, line in enumerate(member, 1):
                try:
                    rows.append(kind.model_validate_json(line))
                except ValidationError as error:
                    first = error.errors()[0]
                    where = ".".join(map(str, first["loc"]))
                    raise self.damaged(f"{name} line {number}: {where}: {first['msg']}") from None
        return rows

    def blob(self, sha256: str) -> bytes:
        """The content of a blob."""
        return self._zip.read(f"{BLOBS}{sha256}")

    def damaged(self, why: str) -> ExportError:
        """The error for content that is not as it should be."""
        return ExportError(f"{self._shown} is damaged: {why}.", "Nothing was imported.")

    def _manifest(self) -> Manifest:
        names = {info.filename for info in self._zip.infolist()}
        if MANIFEST not in names:
            raise ExportError(f"{self._shown} is not an export of replan.")
        if self._zip.getinfo(MANIFEST).file_size > _MOST_MANIFEST_BYTES:
            raise self.damaged("its manifest is too large")
        about = self._json_object(b"".join(self._chunks(MANIFEST, _MOST_MANIFEST_BYTES)))
        if about.get("format") != FORMAT:
            raise ExportError(f"{self._shown} is not an export of replan.")
        version = about.get("version")
        if isinstance(version, int) and version > VERSION:
            raise ExportError(
                f"{self._shown} was written by a newer version of replan "
                f"(format {version}; this one reads {VERSION}).",
                "Update replan.",
            )
        try:
            return Manifest.model_validate_json(json.dumps(about))
        except ValidationError as error:
            raise self.damaged(f"its manifest: {error.errors()[0]['msg']}") from None

    def _json_object(self, data: bytes) -> dict[str, Any]:
        try:
            about = json.loads(data)
        except (ValueError, RecursionError):
            raise self.damaged("its manifest is no JSON") from None
        if not isinstance(about, dict):
            raise ExportError(f"{self._shown} is not an export of replan.")
        return about

    def _check(self) -> None:
        """Every member is one that the manifest names, of the size and hash that it names."""
        infos = self._zip.infolist()
        members = self.manifest.members
        names = [info.filename for info in infos if info.filename != MANIFEST]
        if len(infos) > _MOST_MEMBERS or len(set(names)) != len(names):
            raise self.damaged("it has too many members, or some twice")
        if set(names) != set(members) or not members.keys() >= TABLES.keys():
            raise self.damaged("its members are not those that its manifest names")
        if sum(member.bytes for member in members.values()) > _MOST_BYTES:
            raise self.damaged(f"it holds more than {_MOST_BYTES / 1e9:.0f} GB")
        for info in infos:
            if info.filename != MANIFEST:
                self._check_member(info, members[info.filename])

    def _check_member(self, info: zipfile.ZipInfo, member: Member) -> None:
        name = info.filename
        most = _MOST_TABLE_BYTES
        if name not in TABLES:
            most = _MOST_BLOB_BYTES
            if name != f"{BLOBS}{member.sha256}":
                raise self.damaged(f"{name[:80]!r} does not belong there")
        mode = info.external_attr >> 16
        if info.is_dir() or (mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode)):
            raise self.damaged(f"{name[:80]!r} is no file")
        if info.file_size != member.bytes or member.bytes > most:
            raise self.damaged(f"{name} is not of the size that it should be")
        digest = hashlib.sha256()
        for chunk in self._chunks(name, member.bytes):
            digest.update(chunk)
        if digest.hexdigest() != member.sha256:
            raise self.damaged(f"{name} is not what was exported")

    def _chunks(self, name: str, most: int) -> Iterator[bytes]:
        """A member in pieces; one that unpacks to more than `most` bytes is not read on."""
        left = most
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(_CHUNK_BYTES):
                    left -= len(chunk)
                    if left < 0:
                        raise self.damaged(f"{name} is larger than it says")
                    yield chunk
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError,
                RuntimeError) as error:  # fmt: skip
            raise self.damaged(f"{name} cannot be unpacked") from error
