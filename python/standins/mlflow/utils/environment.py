"""Environments of models, by the name that scripts import."""

import platform
from typing import Any, Dict, List, Optional


def _mlflow_conda_env(
    path: Optional[str] = None, additional_conda_deps: Optional[List[str]] = None, additional_pip_deps: Optional[List[str]] = None,
    additional_conda_channels: Optional[List[str]] = None, install_mlflow: bool = True,
) -> Optional[Dict[str, Any]]:
    """A conda environment with these packages; written to ``path`` when one is given."""
    pip = (["mlflow>=2.17"] if install_mlflow else []) + list(additional_pip_deps or [])
    found = {
        "name": "mlflow-env", "channels": ["conda-forge"] + list(additional_conda_channels or []),
        "dependencies": ["python=" + platform.python_version()] + list(additional_conda_deps or []) + ["pip"] + ([{"pip": pip}] if pip else []),
    }
    if path is None:
        return found
    from .. import _yaml

    with open(path, "w", encoding="utf-8") as stream:
        stream.write(_yaml.dump(found))
    return None
