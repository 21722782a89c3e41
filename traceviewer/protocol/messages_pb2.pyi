from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ClientMessage(_message.Message):
    __slots__ = ("v", "seq", "view", "tiles_seen", "watch")
    V_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    VIEW_FIELD_NUMBER: _ClassVar[int]
    TILES_SEEN_FIELD_NUMBER: _ClassVar[int]
    WATCH_FIELD_NUMBER: _ClassVar[int]
    v: int
    seq: int
    view: View
    tiles_seen: TilesSeen
    watch: Watch
    def __init__(self, v: _Optional[int] = ..., seq: _Optional[int] = ..., view: _Optional[_Union[View, _Mapping]] = ..., tiles_seen: _Optional[_Union[TilesSeen, _Mapping]] = ..., watch: _Optional[_Union[Watch, _Mapping]] = ...) -> None: ...

class ServerMessage(_message.Message):
    __slots__ = ("v", "seq", "tiles", "job_event", "error")
    V_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    JOB_EVENT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    v: int
    seq: int
    tiles: Tiles
    job_event: JobEvent
    error: Error
    def __init__(self, v: _Optional[int] = ..., seq: _Optional[int] = ..., tiles: _Optional[_Union[Tiles, _Mapping]] = ..., job_event: _Optional[_Union[JobEvent, _Mapping]] = ..., error: _Optional[_Union[Error, _Mapping]] = ...) -> None: ...

class View(_message.Message):
    __slots__ = ("pane", "run", "needs", "aligned")
    PANE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    NEEDS_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_FIELD_NUMBER: _ClassVar[int]
    pane: int
    run: str
    needs: _containers.RepeatedCompositeFieldContainer[TileNeed]
    aligned: bool
    def __init__(self, pane: _Optional[int] = ..., run: _Optional[str] = ..., needs: _Optional[_Iterable[_Union[TileNeed, _Mapping]]] = ..., aligned: _Optional[bool] = ...) -> None: ...

class TileNeed(_message.Message):
    __slots__ = ("level", "index", "tracks")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TRACKS_FIELD_NUMBER: _ClassVar[int]
    level: int
    index: int
    tracks: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, level: _Optional[int] = ..., index: _Optional[int] = ..., tracks: _Optional[_Iterable[int]] = ...) -> None: ...

class TilesSeen(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...

class Tiles(_message.Message):
    __slots__ = ("run", "level", "index", "tiles", "pane", "aligned")
    RUN_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    TILES_FIELD_NUMBER: _ClassVar[int]
    PANE_FIELD_NUMBER: _ClassVar[int]
    ALIGNED_FIELD_NUMBER: _ClassVar[int]
    run: str
    level: int
    index: int
    tiles: _containers.RepeatedCompositeFieldContainer[Tile]
    pane: int
    aligned: bool
    def __init__(self, run: _Optional[str] = ..., level: _Optional[int] = ..., index: _Optional[int] = ..., tiles: _Optional[_Iterable[_Union[Tile, _Mapping]]] = ..., pane: _Optional[int] = ..., aligned: _Optional[bool] = ...) -> None: ...

class Tile(_message.Message):
    __slots__ = ("track", "n", "start_ns", "dur_ns", "name", "row", "count", "lane", "colour")
    TRACK_FIELD_NUMBER: _ClassVar[int]
    N_FIELD_NUMBER: _ClassVar[int]
    START_NS_FIELD_NUMBER: _ClassVar[int]
    DUR_NS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    ROW_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    COLOUR_FIELD_NUMBER: _ClassVar[int]
    track: int
    n: int
    start_ns: bytes
    dur_ns: bytes
    name: bytes
    row: bytes
    count: bytes
    lane: bytes
    colour: bytes
    def __init__(self, track: _Optional[int] = ..., n: _Optional[int] = ..., start_ns: _Optional[bytes] = ..., dur_ns: _Optional[bytes] = ..., name: _Optional[bytes] = ..., row: _Optional[bytes] = ..., count: _Optional[bytes] = ..., lane: _Optional[bytes] = ..., colour: _Optional[bytes] = ...) -> None: ...

class Watch(_message.Message):
    __slots__ = ("jobs",)
    JOBS_FIELD_NUMBER: _ClassVar[int]
    jobs: _containers.RepeatedCompositeFieldContainer[JobCursor]
    def __init__(self, jobs: _Optional[_Iterable[_Union[JobCursor, _Mapping]]] = ...) -> None: ...

class JobCursor(_message.Message):
    __slots__ = ("job", "after")
    JOB_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    job: str
    after: int
    def __init__(self, job: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...

class JobEvent(_message.Message):
    __slots__ = ("job", "number", "state", "stage", "done", "total", "message", "run")
    JOB_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RUN_FIELD_NUMBER: _ClassVar[int]
    job: str
    number: int
    state: str
    stage: str
    done: int
    total: int
    message: str
    run: str
    def __init__(self, job: _Optional[str] = ..., number: _Optional[int] = ..., state: _Optional[str] = ..., stage: _Optional[str] = ..., done: _Optional[int] = ..., total: _Optional[int] = ..., message: _Optional[str] = ..., run: _Optional[str] = ...) -> None: ...

class Error(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...
