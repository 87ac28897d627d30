"""The parts of an HDF5 container of morphologies, laid out here instead of by HDF5's calls.

HDF5 takes 0.27 ms a cell for a group with two datasets, five times what copying their bytes takes.
What it would write is plain: the arrays, a header of fixed size for each cell in which a few
numbers differ, and tables that map names to headers (HDF5 File Format Specification 3.0:
superblock version 0, object headers version 1, old-style groups for names, compact links within a
cell). All of it is read by HDF5 1.8 and later.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

SUPERBLOCK_BYTES = 96
ALIGNMENT = 8

_UNDEFINED = 0xFFFFFFFFFFFFFFFF
_LEAF_K, _NODE_K = 64, 64
"""Half of the most names in a leaf, and of the most children of a node, of a table of names."""
_BATCH = 20_000
"""Cells whose headers are in memory at a time, 0.4 kB each."""
_FILLER = b"\0"

# Messages of object headers.
_DATASPACE, _LINK_INFO, _DATATYPE, _FILL_VALUE, _LINK = 0x01, 0x02, 0x03, 0x05, 0x06
_LAYOUT, _GROUP_INFO, _ATTRIBUTE, _SYMBOL_TABLE = 0x08, 0x0A, 0x0C, 0x11
_CONSTANT = 1
"""Flag of a message that never changes."""

_FLOAT32 = bytes.fromhex("11201f00 04000000 0000 2000 17 08 00 17 7f000000")
_INT32 = bytes.fromhex("10080000 04000000 0000 2000")
_UINT32 = bytes.fromhex("10000000 04000000 0000 2000")
_NEVER_FILLED = bytes.fromhex("02020201 00000000")
_NEITHER_DENSE_NOR_ORDERED = struct.pack("<BBQQ", 0, 0, _UNDEFINED, _UNDEFINED)

_ADDRESSES = ("points", "structure", "metadata", "points_data", "structure_data")
_NUMBERS = (*_ADDRESSES, "points_rows", "structure_rows", "points_bytes", "structure_bytes")
_MARKS = {name: 0xA5C3_0000_0000_005A + (i << 32) for i, name in enumerate(_NUMBERS)}
"""Numbers that stand in the pattern of a cell's header where each cell has its own."""


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % ALIGNMENT)


def _message(kind: int, body: bytes, flags: int = 0) -> bytes:
    body = _padded(body)
    return struct.pack("<HHB3x", kind, len(body), flags) + body


def _object(*messages: bytes, links: int = 1) -> bytes:
    """An object header with so many links to it."""
    body = b"".join(messages)
    return struct.pack("<BxHII4x", 1, len(messages), links, len(body)) + body


def _link(name: bytes, address: int) -> bytes:
    return _message(_LINK, struct.pack("<BBB", 1, 0, len(name)) + name + struct.pack("<Q", address))


def _group(*messages: bytes, links: int = 1) -> bytes:
    """The header of a group whose links, if any, are among the messages."""
    info = _message(_LINK_INFO, _NEITHER_DENSE_NOR_ORDERED), _message(_GROUP_INFO, b"\0\0")
    return _object(*info, *messages, links=links)


def _dataset(kind: bytes, name: str, columns: int) -> bytes:
    """The header of a contiguous table, with marks for its rows, its address and its bytes."""
    space = struct.pack("<BBB5xQQ", 1, 2, 0, _MARKS[f"{name}_rows"], columns)
    place = struct.pack("<BBQQ", 3, 1, _MARKS[f"{name}_data"], _MARKS[f"{name}_bytes"])
    return _object(
        _message(_DATASPACE, space),
        _message(_DATATYPE, kind, _CONSTANT),
        _message(_FILL_VALUE, _NEVER_FILLED, _CONSTANT),
        _message(_LAYOUT, place),
    )


def _attribute(name: bytes, values: Sequence[int]) -> bytes:
    name += b"\0"
    space = struct.pack("<BBB5xQ", 1, 1, 0, len(values))
    head = struct.pack("<BxHHH", 1, len(name), len(_UINT32), len(space))
    parts = (name, _UINT32, space)
    body = head + b"".join(map(_padded, parts)) + struct.pack(f"<{len(values)}I", *values)
    return _message(_ATTRIBUTE, body)


def addresses(base: int, step: int, count: int) -> npt.NDArray[np.uint64]:
    """The addresses of parts of one size, from ``base`` on."""
    return np.uint64(base) + np.uint64(step) * np.arange(count, dtype=np.uint64)


def metadata_group(attributes: Mapping[str, Sequence[int]], links: int) -> bytes:
    """The header of the group of metadata that all cells share.

    Args:
        attributes: {name: unsigned numbers}.
        links: number of the cells.
    """
    return _group(*(_attribute(n.encode(), v) for n, v in attributes.items()), links=links)


_OBJECTS = (
    _group(*(_link(name.encode(), _MARKS[name]) for name in ("metadata", "points", "structure"))),
    _dataset(_FLOAT32, "points", 4),
    _dataset(_INT32, "structure", 3),
)
_PATTERN = b"".join(_OBJECTS)
_POINTS_PLACE = len(_OBJECTS[0])
_STRUCTURE_PLACE = _POINTS_PLACE + len(_OBJECTS[1])
_HEADER = np.dtype(
    {
        "names": _NUMBERS,
        "formats": ["<u8"] * len(_NUMBERS),
        "offsets": [_PATTERN.index(struct.pack("<Q", _MARKS[name])) for name in _NUMBERS],
        "itemsize": len(_PATTERN),
    }
)
"""The numbers of a cell's header, within the pattern."""
CELL_BYTES = _HEADER.itemsize
"""Bytes of a cell's header: its group, and its two datasets."""


def cell_headers(
    tables: npt.NDArray[np.int64], base: int, metadata: int
) -> Iterator[npt.NDArray[np.uint8]]:
    """The headers of cells, in batches: CELL_BYTES each, one after the other.

    Args:
        tables: (N, 4) the address and the number of rows of each cell's points and structure.
        base: address of the first header.
        metadata: address of the group of metadata.
    """
    for first in range(0, len(tables), _BATCH):
        numbers = tables[first : first + _BATCH].astype(np.uint64)
        # Bytes between the fields would get lost in a copy of the fields.
        content = np.frombuffer(_PATTERN * len(numbers), np.uint8).copy()
        headers = content.view(_HEADER)
        starts = addresses(base + first * CELL_BYTES, CELL_BYTES, len(numbers))
        headers["points"], headers["structure"] = starts + _POINTS_PLACE, starts + _STRUCTURE_PLACE
        headers["metadata"] = metadata
        for column, (name, row_bytes) in enumerate((("points", 16), ("structure", 12))):
            address, rows = numbers[:, 2 * column], numbers[:, 2 * column + 1]
            headers[f"{name}_rows"], headers[f"{name}_bytes"] = rows, rows * row_bytes
            # A table without rows has no place.
            headers[f"{name}_data"] = np.where(rows > 0, address, np.uint64(_UNDEFINED))
        yield content


# Tables of names.

_ENTRY = np.dtype([("name", "<u8"), ("header", "<u8"), ("kind", "<u4"), ("rest", "V20")])
_LEAF = np.dtype(
    [("sign", "S4"), ("version", "u1"), ("x", "u1"), ("count", "<u2"), ("e", _ENTRY, 2 * _LEAF_K)]
)
_NODE = np.dtype(
    [
        ("sign", "S4"),
        ("type", "u1"),
        ("level", "u1"),
        ("count", "<u2"),
        ("left", "<u8"),
        ("right", "<u8"),
        ("children", [("key", "<u8"), ("address", "<u8")], 2 * _NODE_K),
        ("last", "<u8"),
    ]
)
"""A node of the tree over the leaves: the name before the first one, then children and names."""


class NameTable:
    """An old-style group: names in the order of their bytes, and the addresses that they lead to.

    Args:
        names: of the members, sorted.
        headers: (N,) uint64, their addresses.
        base: address of the first byte of :meth:`parts`.

    Attributes:
        header: address of the group's object header.
        tree, heap: addresses of its two parts, which the superblock names for the root.
        end: address behind its last byte.
    """

    def __init__(self, names: Sequence[bytes], headers: npt.NDArray[np.uint64], base: int) -> None:
        self._texts = b"".join([bytes(ALIGNMENT), *(_padded(n + _FILLER) for n in names)])
        lengths = np.array([len(n) for n in names], dtype=np.uint64)
        steps = (lengths // ALIGNMENT + 1) * ALIGNMENT
        self._offsets = ALIGNMENT + np.cumsum(steps) - steps
        self._headers = headers
        self.header = base
        self.heap = base + len(_symbol_table(0, 0))
        self._leaves = self.heap + len(_heap(0, 0)) + len(self._texts)
        n_leaves = -(-len(names) // (2 * _LEAF_K))
        nodes = self._leaves + n_leaves * _LEAF.itemsize
        self._levels = self._tree(n_leaves, nodes)
        self.end = nodes + sum(level.nbytes for level in self._levels)
        self.tree = self.end - _NODE.itemsize

    def parts(self) -> Iterator[bytes | npt.NDArray[np.void]]:
        """The bytes of the group, in pieces."""
        yield _symbol_table(self.tree, self.heap)
        yield _heap(len(self._texts), self.heap + len(_heap(0, 0)))
        yield self._texts
        for first in range(0, len(self._offsets), _BATCH // _LEAF_K * 2 * _LEAF_K):
            yield self._some_leaves(slice(first, first + _BATCH // _LEAF_K * 2 * _LEAF_K))
        yield from self._levels

    def _some_leaves(self, part: slice) -> npt.NDArray[np.void]:
        offsets, headers = self._offsets[part], self._headers[part]
        count, most = len(offsets), 2 * _LEAF_K
        leaves = np.zeros(-(-count // most), _LEAF)
        entries = np.zeros(len(leaves) * most, _ENTRY)
        entries["name"][:count], entries["header"][:count] = offsets, headers
        leaves["sign"], leaves["version"], leaves["count"] = b"SNOD", 1, most
        leaves["count"][-1] = count - most * (len(leaves) - 1)
        leaves["e"] = entries.reshape(len(leaves), most)
        return leaves

    def _tree(self, n_leaves: int, base: int) -> list[npt.NDArray[np.void]]:
        """The levels of the tree over the leaves, from the lowest to the root."""
        most = 2 * _LEAF_K
        # Of each child, the offset of its last name.
        lasts = self._offsets[np.minimum(np.arange(1, n_leaves + 1) * most, len(self._offsets)) - 1]
        children = addresses(self._leaves, _LEAF.itemsize, n_leaves)
        levels: list[npt.NDArray[np.void]] = []
        while True:
            nodes, lasts = _level(children, lasts, len(levels), base)
            levels.append(nodes)
            if len(nodes) == 1:
                return levels
            children = addresses(base, _NODE.itemsize, len(nodes))
            base += nodes.nbytes


def _level(
    children: npt.NDArray[np.uint64], lasts: npt.NDArray[np.uint64], height: int, base: int
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.uint64]]:
    """(nodes, the last name of each) over some children."""
    most, count = 2 * _NODE_K, len(children)
    nodes = np.zeros(max(1, -(-count // most)), _NODE)
    nodes["sign"], nodes["level"], nodes["count"] = b"TREE", height, most
    nodes["count"][-1] = count - most * (len(nodes) - 1)
    places = addresses(base, _NODE.itemsize, len(nodes))
    nodes["left"], nodes["right"] = _UNDEFINED, _UNDEFINED
    nodes["left"][1:], nodes["right"][:-1] = places[:-1], places[1:]
    pairs = np.zeros(len(nodes) * most, nodes["children"].dtype)
    pairs["address"][:count] = children
    pairs["key"][1:count] = lasts[: count - 1]
    ends = np.minimum(np.arange(1, len(nodes) + 1) * most, count) - 1
    if count:
        # Behind the last child stands its last name: in a node that is not full, as the next key.
        if count < len(pairs):
            pairs["key"][count] = lasts[-1]
        nodes["last"] = lasts[ends]
    nodes["children"] = pairs.reshape(len(nodes), most)
    return nodes, lasts[ends] if count else lasts


def _symbol_table(tree: int, heap: int) -> bytes:
    return _object(_message(_SYMBOL_TABLE, struct.pack("<QQ", tree, heap)))


def _heap(size: int, address: int) -> bytes:
    no_free_space = 1
    return struct.pack("<4sB3xQQQ", b"HEAP", 0, size, no_free_space, address)


def superblock(root: NameTable, end: int) -> bytes:
    """The first SUPERBLOCK_BYTES of a file.

    Args:
        root: its root group.
        end: number of bytes of the file.
    """
    signature = b"\x89HDF\r\n\x1a\n"
    sizes = struct.pack("<BBBBBBBBHHI", 0, 0, 0, 0, 0, 8, 8, 0, _LEAF_K, _NODE_K, 0)
    places = struct.pack("<QQQQ", 0, _UNDEFINED, end, _UNDEFINED)
    kept = 1  # the addresses of the two parts follow
    entry = struct.pack("<QQI4xQQ", 0, root.header, kept, root.tree, root.heap)
    return signature + sizes + places + entry
