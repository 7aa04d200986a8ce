"""What somebody who means harm would write, and how it gets into a sound document.

Everything is chosen by the `Random` that is given: hypothesis has one that it can shrink, and a seeded one is fast.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from random import Random
from typing import Any

NAMES = (
    *("", ".", "..", "/", "../x", "../../etc/passwd", "/etc/passwd", "a/../../x", "a//b", "./a", "a/.", "a/", "~root"),
    *("C:\\x", "C:/x", "c:x", "\\\\host\\x", "a\\..\\..\\x", "con", "a:b", "-rf", "--help", ".git/config"),
    *("a\0b", "a\nb", "a\rb", "\t", "\x1b[31ma", "\x7f", "\ud800", "\u202egnp.exe", "\u2028", "\x85", "\ufeff"),
    *("é", "e\u0301", "ﬁ", "İ", "ß", "SS", "٣", "Ⅳ", "a" * 300, "a/" * 90 + "a", "x" * 5000),
)
"""Of files, branches, images, whatever has a name."""
TEXTS = (
    *NAMES,
    *("::error::x", "\n::set-output name=a::b", "##[group]x", "%0A::x", "$(touch x)", "`touch x`", "${{ secrets.X }}"),
    *("{{$.inputs.parameters['x']}}", "{{$}}", "<script>", "<![foo", "[red]x[/]", "| a | b |", "a\\|b", "'", '"'),
    *("null", "~", "true", "NaN", "inf", "1e999", "-0", "9" * 5000, "1" + ":59" * 200, "2026-13-41", "0x_", "<<"),
    *("(" * 1200, "[" * 1200, "{" * 1200, "-" * 200, " " * 300, "#" * 200, "1." * 300, "!" * 50, "&a *a", "- - - -"),
    *("sha256:" + "a" * 64, "sha256:" + "A" * 64, "latest", "1.0", "v1.0", "1!1", "1.0+x", "http://[", "file:///x"),
)
_LETTERS = "".join(map(chr, (*range(256), 0x200B, 0x202E, 0x2028, 0xFEFF, 0xFFFD, 0x0660, 0x1D7D8, 0x1F600, 0x10FFFF)))
NUMBERS = (0, 1, -1, 0.5, -0.0, 1e308, 2**31, 2**53 + 1, 2**63 - 1, 2**63, 2**64, 10**30, -(10**400), True)
CONSTANTS = (float("nan"), float("inf"), float("-inf"), None)
_DEEP, _HUGE = "deep:", "huge:"
"""Marks of what Python's JSON does not write, in the place of which it is put."""


def chance(random: Random, percent: int) -> bool:
    """Whether it comes to pass, `percent` of 100 times."""
    return random.randrange(100) < percent


def edits(random: Random, most: int) -> int:
    """How many edits a document gets, up to `most`: now and then none, as what is sound is to be read too."""
    return 0 if chance(random, 8) else random.randint(min(1, most), most)


def any_value(random: Random, level: int = 0) -> Any:
    """A value of JSON that is probably not the right one."""
    kind = random.randrange(10)
    if kind < 4:
        return _text(random)
    if kind < 6:
        return random.choice((*NUMBERS, *CONSTANTS, random.randrange(-9, 1 << random.randrange(70))))
    if kind < 8 and level < 3:
        return [any_value(random, level + 1) for _ in range(random.randrange(3))]
    if kind < 9 and level < 3:
        return {random.choice(TEXTS): any_value(random, level + 1) for _ in range(random.randrange(3))}
    return random.choice((f"{_DEEP}{random.randrange(3)}", f"{_HUGE}{random.randrange(3)}", {}, []))


def _text(random: Random) -> str:
    """A hostile text, half of the time with another letter somewhere."""
    text = random.choice(TEXTS)
    at = random.randrange(len(text) + 1)
    return text if chance(random, 50) else text[:at] + random.choice(_LETTERS) + text[at:]


def changed_json(random: Random, sound: str, *, most: int = 3) -> bytes:
    """`sound` with up to `most` of its values replaced, taken away, doubled or exchanged; now and then damaged."""
    value = json.loads(sound)
    for _ in range(edits(random, most)):
        value = _changed(random, value)
    data = json.dumps(value, ensure_ascii=chance(random, 90)).encode(errors="surrogatepass")
    if b'"deep:' in data or b'"huge:' in data:
        data = _written_out(data)
    return changed_bytes(random, data) if chance(random, 5) else data


def _changed(random: Random, value: Any) -> Any:
    """`value`, one of whose parts is changed in place, unless it is the whole that is."""
    holder: Any = None
    key: Any = None
    part = value
    while isinstance(part, (dict, list)) and part and (holder is None or chance(random, 75)):
        holder, key = part, random.choice(list(part) if isinstance(part, dict) else range(len(part)))
        part = part[key]
    if holder is None or chance(random, 2):
        return any_value(random)
    kind = random.randrange(10)
    if kind < 6:
        holder[key] = any_value(random)
    elif kind < 7:
        del holder[key]
    elif kind < 8:
        holder[key] = _another(random, value)
    elif isinstance(holder, dict):
        holder[random.choice(TEXTS)] = holder.pop(key) if kind == 8 else part
    else:
        holder.insert(key, part)
    return value


def _another(random: Random, value: Any) -> Any:
    """A part of the document, for the place of another one."""
    part = value
    while isinstance(part, (dict, list)) and part and chance(random, 70):
        part = random.choice(list(part.values()) if isinstance(part, dict) else part)
    return json.loads(json.dumps(part))


def _written_out(data: bytes) -> bytes:
    for number, depth in enumerate((90, 700, 3000)):
        data = data.replace(b'"deep:%d"' % number, b"[" * depth + b"]" * depth)
    for number, digits in enumerate((30, 4000, 5000)):
        data = data.replace(b'"huge:%d"' % number, b"9" * digits)
    return data


def changed_text(random: Random, sound: str, words: Sequence[str], *, most: int = 4) -> str:
    """`sound` with up to `most` edits: `words` of its grammar or hostile ones put in, lines and pieces moved."""
    if chance(random, 2):
        return "".join(random.choice(_LETTERS) for _ in range(random.randrange(40)))
    text = sound
    for _ in range(edits(random, most)):
        at, kind = random.randrange(len(text) + 1), random.randrange(10)
        end = min(len(text), at + random.randrange(12))
        if kind < 4:
            text = text[:at] + random.choice(words) + text[at if kind % 2 else end :]
        elif kind < 6:
            text = text[:at] + random.choice(TEXTS) + text[at if kind % 2 else end :]
        elif kind < 7:
            text = text[:at] + text[end:]
        elif kind < 8:
            text = text[:at] + random.choice(words) * random.choice((2, 20, 200)) + text[at:]
        else:
            lines = text.splitlines(keepends=True) or [""]
            moved = random.choice(lines)
            lines.insert(random.randrange(len(lines)), moved)
            if kind == 8:
                lines.remove(moved)
            text = "".join(lines)
    return text


def changed_bytes(random: Random, sound: bytes, pieces: Sequence[bytes] = (b"\0", b"\xff"), *, most: int = 3) -> bytes:
    """`sound` with up to `most` edits: bytes and `pieces` written over or put in, cut off, or doubled."""
    if chance(random, 2):
        return random.randbytes(random.randrange(80))
    data = sound
    for _ in range(edits(random, most)):
        at, kind = random.randrange(len(data) + 1), random.randrange(8)
        if kind < 3:
            piece = random.choice(pieces)
            data = data[:at] + piece + data[at + (len(piece) if kind else 0) :]
        elif kind < 6:
            data = data[:at] + bytes([random.randrange(256)]) + data[at + 1 :]
        elif kind < 7:
            data = data[:at]
        else:
            data = data[:at] + data[max(0, at - random.randrange(64)) :]
    return data
