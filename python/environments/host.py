"""Prints, as JSON, the version of this Python, and of every package its version and what it requires: by extra, `""` for what it always requires."""

from __future__ import annotations

import json
import platform
import re
from importlib import import_module, metadata


def reader():
    """The class that reads requirements with their markers, from whoever has it; None when nobody does."""
    for module in ("packaging.requirements", "pip._vendor.packaging.requirements", "setuptools._vendor.packaging.requirements", "pkg_resources.extern.packaging.requirements"):
        try:
            return import_module(module).Requirement
        except Exception:  # noqa: BLE001 - whatever keeps one from being imported, the next may do
            continue
    return None


def read(requirement, text: str, extra: str) -> str | None:
    """`name` or `name[extra,...]` when the requirement holds here for that extra, else None."""
    if requirement is None:
        parts = re.match(r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[([^\]]*)\])?[^;]*(?:;(.*))?$", text)
        return parts[1] if parts and "extra" not in (parts[3] or "") and extra == "" else None
    try:
        parsed = requirement(text)
        # Without its extra it would be required anyway, and was told.
        if parsed.marker is not None and (not parsed.marker.evaluate({"extra": extra}) or (extra != "" and parsed.marker.evaluate({"extra": ""}))):
            return None
        if parsed.marker is None and extra != "":
            return None
        return parsed.name + (f"[{','.join(sorted(parsed.extras))}]" if parsed.extras else "")
    except Exception:  # noqa: BLE001 - a requirement that nobody can read requires nothing
        return None


def main() -> None:
    requirement = reader()
    packages = {}
    for distribution in metadata.distributions():
        name = distribution.metadata["Name"]
        if not name or name in packages:
            continue
        texts = distribution.requires or []
        extras = ["", *(distribution.metadata.get_all("Provides-Extra") or [])] if texts else []
        requires = {extra: found for extra in extras if (found := [one for text in texts if (one := read(requirement, text, extra))])}
        packages[name] = {"version": distribution.version, "requires": requires}
    print(json.dumps({"python": platform.python_version(), "packages": packages}))


main()
