from itertools import pairwise

import google_crc32c
from hypothesis import given
from hypothesis import strategies as st

from m3dsynth_dataset import ranges
from m3dsynth_dataset.hub import Snapshot
from m3dsynth_dataset.ranges import GAP, LARGEST, Memory, RangeFile, merged
from m3dsynth_dataset.shard_file import Piece

SNAPSHOT = Snapshot("org/m3dsynth", "0" * 40)

pieces = st.lists(st.builds(Piece, st.integers(0, 10**8), st.integers(20, 10**6)), max_size=40)


@given(pieces)
def test_requests_hold_every_piece_and_are_neither_large_nor_close(pieces):
    spans = merged(pieces)
    assert sorted(piece for span in spans for piece in span.pieces) == sorted(pieces)
    for span in spans:
        assert all(span.start <= piece.start and piece.stop <= span.stop for piece in span.pieces)
        assert span.stop - span.start <= LARGEST or len(span.pieces) == 1
    for one, following in pairwise(spans):
        assert following.start - one.stop > GAP or following.pieces[0].stop - one.start > LARGEST


def test_requests_end_where_a_gap_is_large_or_they_would_be():
    spans = merged([Piece(150 + 2 * GAP + 1, 50), Piece(0, 100), Piece(100 + GAP, 50)])
    assert [(span.start, span.stop) for span in spans] == [(0, 150 + GAP), (151 + 2 * GAP, 201 + 2 * GAP)]
    spans = merged(Piece(place * 10**6, 10**6) for place in range(20))
    assert [len(span.pieces) for span in spans] == [8, 8, 4]


def test_pieces_are_kept_up_to_a_number_of_bytes():
    memory = Memory(10)
    keys = [(SNAPSHOT, "a", Piece(place, 4)) for place in range(3)]
    for key in keys[:2]:
        memory.put(key, b"1234")
    assert memory.get(keys[0]) == b"1234"
    memory.put(keys[2], b"5678")
    assert [memory.get(key) for key in keys] == [b"1234", None, b"5678"]
    assert len(memory) == 8
    memory.put(keys[0], b"12")
    assert len(memory) == 6
    memory.put(keys[1], b"more than it can keep")
    assert len(memory) == 0


def with_checksum(data):
    return data + google_crc32c.value(data).to_bytes(4, "little")


def test_what_was_read_is_not_asked_for_again_unless_it_was_damaged(monkeypatch):
    ranges._memory.cache_clear()
    sound, damaged = with_checksum(b"a" * 100), b"b" * 104
    asked = []

    def read(self, path, start, stop):
        asked.append((start, stop))
        return (sound + damaged)[start:stop]

    monkeypatch.setattr(Snapshot, "read", read)
    file = RangeFile(SNAPSHOT, "path", 208)
    for _ in range(2):
        assert list(file.read([Piece(104, 104), Piece(0, 104)])) == [
            (damaged[:-4], damaged[-4:]),
            (sound[:-4], sound[-4:]),
        ]
    assert asked == [(0, 208), (104, 208)]
