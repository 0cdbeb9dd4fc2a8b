"""Thrift's compact protocol with its types kept, so that tests can change a Parquet file's footer and page headers."""

from dataclasses import dataclass
from typing import Any

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)


@dataclass
class Node:
    """A value, its type, and its field number if it is a struct's."""

    kind: int
    value: Any
    field: int = 0

    def __getitem__(self, key):
        """A struct's field by number, or a list's element by index."""
        if self.kind == STRUCT:
            return next(node for node in self.value if node.field == key)
        return self.value[key]

    def __contains__(self, field):
        return any(node.field == field for node in self.value)

    def walk(self):
        """It, and everything in it."""
        yield self
        for node in self.value if isinstance(self.value, list) else ():
            yield from node.walk()


@dataclass
class _Decoder:
    data: bytes
    at: int = 0

    def take(self, count):
        self.at += count
        return self.data[self.at - count : self.at]

    def varint(self):
        value = shift = 0
        while True:
            (part,) = self.take(1)
            value |= (part & 127) << shift
            shift += 7
            if part < 128:
                return value

    def zigzag(self):
        value = self.varint()
        return (value >> 1) ^ -(value & 1)

    def value(self, kind):
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind in (LIST, SET):
            return self.list()
        if kind == STRUCT:
            return self.struct()
        return self.take(self.varint() if kind == BINARY else 8 if kind == DOUBLE else 1)

    def list(self):
        (head,) = self.take(1)
        count = head >> 4 if head >> 4 < 15 else self.varint()
        return [Node(head & 15, self.value(head & 15)) for _ in range(count)]

    def struct(self):
        found, number = [], 0
        while head := self.take(1)[0]:
            number = number + (head >> 4) if head >> 4 else self.zigzag()
            kind = head & 15
            found.append(Node(kind, None if kind in (TRUE, FALSE) else self.value(kind), number))
        return found


def decode(data):
    """The struct at the start of some bytes, and how many they are."""
    decoder = _Decoder(data)
    return Node(STRUCT, decoder.struct()), decoder.at


def encode(node):
    """The bytes of a struct."""
    out = bytearray()
    _put(out, node)
    return bytes(out)


def varint(value):
    """Seven bits a byte, as many as it takes."""
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _put(out, node):
    if node.kind in (I16, I32, I64):
        out += varint((node.value << 1) ^ (node.value >> 70))
    elif node.kind == BINARY:
        out += varint(len(node.value)) + node.value
    elif node.kind in (LIST, SET):
        kind = node.value[0].kind if node.value else STRUCT
        out += bytes([min(len(node.value), 15) << 4 | kind]) + (
            varint(len(node.value)) if len(node.value) > 14 else b""
        )
        for each in node.value:
            _put(out, each)
    elif node.kind == STRUCT:
        for each in node.value:  # the long form of a field's number, which every reader knows
            out += bytes([each.kind]) + varint((each.field << 1) ^ (each.field >> 70))
            _put(out, each)
        out.append(0)
    elif node.value is not None:
        out += node.value


def footer_of(data):
    """The footer of a Parquet file as a tree, and where it begins."""
    start = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    return decode(data[start:-8])[0], start


def with_footer(data, footer):
    """A Parquet file with another footer."""
    new = encode(footer) if isinstance(footer, Node) else footer
    return data[: footer_of(data)[1]] + new + len(new).to_bytes(4, "little") + b"PAR1"


def chunk_of(footer, name, group=0):
    """The metadata of a column's chunk."""
    chunks = footer[4][group][1]
    return next(chunk[3] for chunk in chunks.value if chunk[3][3][0].value == name.encode())


def with_page(data, name, edit, *, number=0):
    """A Parquet file with another header of one of a column's pages in its first row group; all else moves along."""
    footer, _ = footer_of(data)
    meta = chunk_of(footer, name)
    at = min(meta[field].value for field in (9, 11) if field in meta and meta[field].value)
    for _ in range(number):
        header, length = decode(data[at:])
        at += length + header[3].value
    header, length = decode(data[at:])
    edit(header)
    new = encode(header)
    grown = len(new) - length
    for group in footer[4].value:
        for chunk in group[1].value:
            for field in (9, 11):
                if field in chunk[3] and chunk[3][field].value > at:
                    chunk[3][field].value += grown
    meta[7].value += grown
    return _spliced(data, at, length, new, footer)


def _spliced(data, at, length, new, footer):
    end = footer_of(data)[1]
    encoded = encode(footer)
    return data[:at] + new + data[at + length : end] + encoded + len(encoded).to_bytes(4, "little") + b"PAR1"
