"""CBOR (RFC 8949) as far as the protocol `rpc-v2-cbor` of the SDKs needs it.

Standard library only. Moments go out as tag 1 and come in as their number.
"""

import datetime
import struct


def dumps(value) -> bytes:
    match value:
        case None:
            return b"\xf6"
        case bool():
            return b"\xf5" if value else b"\xf4"
        case int():
            return _head(0, value) if value >= 0 else _head(1, -1 - value)
        case float():
            return b"\xfb" + struct.pack(">d", value)
        case str():
            text = value.encode()
            return _head(3, len(text)) + text
        case bytes():
            return _head(2, len(value)) + value
        case datetime.datetime():
            return _head(6, 1) + dumps(value.timestamp())
        case list() | tuple():
            return _head(4, len(value)) + b"".join(dumps(item) for item in value)
        case dict():
            return _head(5, len(value)) + b"".join(dumps(key) + dumps(item) for key, item in value.items())
    raise TypeError(f"no CBOR for {type(value).__name__}")


def _head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    for more, form, most in ((24, ">B", 2**8), (25, ">H", 2**16), (26, ">I", 2**32), (27, ">Q", 2**64)):
        if number < most:
            return bytes([major << 5 | more]) + struct.pack(form, number)
    raise ValueError(f"{number} is too large for CBOR")


def loads(data: bytes):
    value, end = _item(data, 0)
    if end != len(data):
        raise ValueError("something follows the value")
    return value


BREAK = object()


def _item(data: bytes, at: int):
    if at >= len(data):
        raise ValueError("the value is cut off")
    major, more = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        return _simple(data, at, more)
    number = None if more == 31 and 2 <= major <= 5 else more
    if number is not None and more >= 24:
        if more > 27:
            raise ValueError("a reserved length")
        size = 1 << more - 24
        number, at = int.from_bytes(data[at : at + size]), at + size
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major == 6:
        return _item(data, at)
    if major in (2, 3):
        if number is None:
            parts, at = _until_break(data, at)
            return (b"" if major == 2 else "").join(parts), at
        raw = data[at : at + number]
        if len(raw) != number:
            raise ValueError("the text is cut off")
        return (raw if major == 2 else raw.decode()), at + number
    if number is None:
        items, at = _until_break(data, at)
    else:
        items = []
        for _ in range(number if major == 4 else 2 * number):
            item, at = _item(data, at)
            items.append(item)
    return (items if major == 4 else dict(zip(items[::2], items[1::2], strict=True))), at


def _until_break(data: bytes, at: int):
    items = []
    while True:
        item, at = _item(data, at)
        if item is BREAK:
            return items, at
        items.append(item)


def _simple(data: bytes, at: int, more: int):
    match more:
        case 20 | 21:
            return more == 21, at
        case 22 | 23:
            return None, at
        case 26:
            return struct.unpack(">f", data[at : at + 4])[0], at + 4
        case 27:
            return struct.unpack(">d", data[at : at + 8])[0], at + 8
        case 31:
            return BREAK, at
    raise ValueError(f"no simple value {more}")
