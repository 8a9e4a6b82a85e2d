"""As much YAML as MLmodel and environment files use: written by hand, read by PyYAML when it is there, else by hand."""

import json
import re
from typing import Any, Dict, List, Tuple

_ESCAPES = re.compile(r"\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_WORDS = ("null", "true", "false", "yes", "no", "on", "off", "~", "nan", "inf")


def dump(value: Any) -> str:
    """Block YAML of dictionaries, lists and scalars; strings that YAML could read otherwise are quoted as JSON."""
    if isinstance(value, (dict, list)):
        return _block(value, 0) if value else json.dumps(value) + "\n"
    return _scalar(value) + "\n"


def load(text: str) -> Any:
    """What a document holds. Anchors, tags and flow collections over several lines need PyYAML."""
    try:
        import yaml
    except ImportError:
        return read(text)
    return yaml.safe_load(text)


def read(text: str) -> Any:
    """The same without PyYAML."""
    lines = _logical(text)
    return _read_block(lines, 0, lines[0][0])[0] if lines else None


def _block(value: Any, indent: int) -> str:
    pad = "  " * indent
    if isinstance(value, dict):
        return "".join("{}{}:{}".format(pad, _scalar(str(k)), _under(v, indent + 1)) for k, v in value.items())
    lines = []
    for item in value:
        if isinstance(item, (dict, list)) and item:
            lines.append(pad + "- " + _block(item, indent + 1).lstrip(" "))
        else:
            lines.append("{}-{}".format(pad, _under(item, indent + 1)))
    return "".join(lines)


def _under(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)):
        return "\n" + _block(value, indent) if value else " {}\n".format(json.dumps(value))
    return " {}\n".format(_scalar(value))


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, (bool, int, float)):
        return json.dumps(value)
    text = str(value)
    plain = text and text[0].isalpha() and all(c.isalnum() and c.isascii() or c in "._-/=+ " for c in text) and text.lower() not in _WORDS and text == text.strip()
    return text if plain else json.dumps(text)


def _logical(text: str) -> List[Tuple[int, str]]:
    """Lines without comments, each with its indentation; a quoted scalar over several lines is one of them."""
    found: List[Tuple[int, str]] = []
    opened = ""
    for line in text.splitlines():
        bare = line.strip()
        if opened:
            before, mine = found[-1]
            # Line breaks within quotes are folded: one is a space, each blank line is a break; a backslash at the end is no break.
            joined = mine[:-1] if opened == '"' and mine.endswith("\\") else mine + ("\n" if not bare else "" if mine.endswith("\n") else " ")
            found[-1] = (before, joined + bare)
            opened = "" if _closes(found[-1][1], opened) else opened
            continue
        if not bare or bare.startswith("#") or bare in ("---", "..."):
            continue
        found.append((len(line) - len(line.lstrip()), bare))
        value = _value_of(bare)
        if value[:1] in ("'", '"') and not _closes(bare, value[0]):
            opened = value[0]
    return found


def _value_of(line: str) -> str:
    while line.startswith("- "):
        line = line[2:].lstrip()
    if line[:1] in ("'", '"'):
        return line
    head, colon, tail = line.partition(": ")
    return tail.strip() if colon else line


def _closes(line: str, quote: str) -> bool:
    value = _value_of(line)
    inner = value[1:]
    inner = inner.replace("''", "") if quote == "'" else inner.replace("\\\\", "").replace('\\"', "")
    return quote in inner


def _read_block(lines: List[Tuple[int, str]], at: int, indent: int) -> Tuple[Any, int]:
    if lines[at][1] == "-" or lines[at][1].startswith("- "):
        return _read_list(lines, at, indent)
    found: Dict[str, Any] = {}
    while at < len(lines) and lines[at][0] == indent and not lines[at][1].startswith("- "):
        key, value = _split(lines[at][1])
        at += 1
        if value:
            found[key] = _read_scalar(value)
        elif at < len(lines) and (lines[at][0] > indent or (lines[at][0] == indent and lines[at][1].startswith("- "))):
            found[key], at = _read_block(lines, at, lines[at][0])
        else:
            found[key] = None
    return found, at


def _read_list(lines: List[Tuple[int, str]], at: int, indent: int) -> Tuple[List[Any], int]:
    found: List[Any] = []
    while at < len(lines) and lines[at][0] == indent and (lines[at][1] == "-" or lines[at][1].startswith("- ")):
        rest = lines[at][1][1:].lstrip()
        inner = indent + len(lines[at][1]) - len(rest)
        if not rest:
            item, at = _read_block(lines, at + 1, lines[at + 1][0])
        elif rest.startswith("- ") or (rest[:1] not in "'\"[{" and (": " in rest or rest.endswith(":"))):
            lines[at] = (inner, rest)
            item, at = _read_block(lines, at, inner)
        else:
            item, at = _read_scalar(rest), at + 1
        found.append(item)
    return found, at


def _split(line: str) -> Tuple[str, str]:
    if line[:1] in ("'", '"'):
        end = line.index(line[0], 1)
        return line[1:end], line[end + 1 :].lstrip(":").strip()
    key, _, value = line.partition(":") if line.endswith(":") and ": " not in line else line.partition(": ")
    return key.strip(), value.strip()


def _read_scalar(text: str) -> Any:
    if text[0] == '"':
        return _ESCAPES.sub(_unescaped, text[1:-1])
    if text[0] == "'":
        return text[1:-1].replace("''", "'")
    if text.lower() in ("null", "~"):
        return None
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if text[0] in "[{":
        return _read_flow(text)
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def _unescaped(match: Any) -> str:
    code = match.group(1)
    if code[0] in "xuU":
        return chr(int(code[1:], 16))
    return {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "0": "\0", "a": "\a", "v": "\v", "e": "\x1b", "N": "\x85", "_": "\xa0"}.get(code, code)


def _read_flow(text: str) -> Any:
    """A collection on one line."""
    try:
        return json.loads(text)
    except ValueError:
        inner = text[1:-1].strip()
        items = [item.strip() for item in _top_level(inner)] if inner else []
        if text[0] == "[":
            return [_read_scalar(item) for item in items]
        return {key: _read_scalar(value) if value else None for key, value in map(_split, items)}


def _top_level(text: str) -> List[str]:
    depth, start, found = 0, 0, []
    for index, char in enumerate(text):
        depth += (char in "[{") - (char in "]}")
        if char == "," and depth == 0:
            found.append(text[start:index])
            start = index + 1
    return found + [text[start:]]
