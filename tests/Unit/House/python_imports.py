"""Prints every import below the given folder that is neither Python's own nor the folder's, and every file that 3.9 cannot read.

An import that the code can do without (`try: import yaml` with `except ImportError`) is fine.
"""

import ast
import sys
from pathlib import Path


def optional(tree: ast.AST) -> set:
    """The nodes whose failing import is caught."""
    return {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.Try) and any("ImportError" in ast.unparse(handler.type) for handler in node.handlers if handler.type)
        for statement in node.body
        for inner in ast.walk(statement)
    }


root = Path(sys.argv[1])
own = {path.stem for path in root.rglob("*.py")} | {path.name for path in root.rglob("*") if path.is_dir()}
for path in sorted(root.rglob("*.py")):
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"), feature_version=(3, 9))
    except SyntaxError as error:
        print(f"{path.relative_to(root)}:{error.lineno}: {error.msg}")
        continue
    guarded = optional(tree)
    for node in ast.walk(tree):
        if node in guarded:
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
        else:
            continue
        for name in names:
            top = name.split(".")[0]
            if top not in sys.stdlib_module_names and top not in own:
                print(f"{path.relative_to(root)}:{node.lineno}: imports {top}")
