"""Reads and writes nested dictionaries and lists by a dotted path."""

import re


def _parts(path):
    return list(path) if isinstance(path, (list, tuple)) else re.findall(r"[^.\[\]]+", str(path))


def get(obj, path, default=None):
    current = obj
    for part in _parts(path):
        try:
            if isinstance(current, dict):
                current = current[part]
            elif isinstance(current, (list, tuple)):
                current = current[int(part)]
            else:
                current = getattr(current, part)
        except (KeyError, IndexError, ValueError, AttributeError, TypeError):
            return default
        if current is None:
            return default
    return current


def set_(obj, path, value):
    parts = _parts(path)
    current = obj
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        fresh = None if last else ([] if parts[index + 1].isdigit() else {})
        if isinstance(current, list):
            part = int(part)
            while len(current) <= part:
                current.append(None)
            if last:
                current[part] = value
            elif current[part] is None:
                current[part] = fresh
        elif last:
            current[part] = value
        elif current.get(part) is None:
            current[part] = fresh
        current = current[part]
    return obj


def omit(obj, *props):
    names = set()
    for prop in props:
        names.update(prop if isinstance(prop, (list, tuple, set)) else [prop])
    return {key: value for key, value in obj.items() if key not in names}
