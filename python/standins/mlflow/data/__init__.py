"""Data sets that runs read: their names, digests, sources and schemas."""

import hashlib
import json
from typing import Any, Dict, List, Optional

from ..entities import Dataset as _Entity
from ..exceptions import invalid, missing

_ROWS_OF_DIGEST = 10000


class DatasetSource:
    """Where a data set comes from: a kind (``code``, ``local``, ``http``, ...) and what says where."""

    def __init__(self, kind: str, where: Dict[str, Any]) -> None:
        self._kind, self._where = kind, where

    def _get_source_type(self) -> str:
        return self._kind

    @property
    def uri(self) -> Optional[str]:
        """Its URI, or None."""
        return self._where.get("uri") or self._where.get("url")

    def to_dict(self) -> Dict[str, Any]:
        """What says where."""
        return dict(self._where)

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self._where)

    @classmethod
    def of(cls, source: Any) -> "DatasetSource":
        """Of a path or URI; without one, the code that runs."""
        import sys

        if isinstance(source, cls):
            return source
        if source is None:
            return cls("code", {"tags": {"mlflow.source.name": sys.argv[0] if sys.argv else "", "mlflow.source.type": "LOCAL"}})
        text = str(source)
        if text.startswith(("http://", "https://")):
            return cls("http", {"url": text})
        scheme = text.split("://", 1)[0] if "://" in text else "local"
        return cls({"file": "local"}.get(scheme, scheme), {"uri": text})


class Dataset:
    """A data set with its ``name``, ``digest``, ``source``, ``schema`` and ``profile``."""

    def __init__(self, source: Any, name: Optional[str], digest: str, schema: Any, profile: Dict[str, Any]) -> None:
        self._source, self._name, self._digest = DatasetSource.of(source), name or "dataset", digest
        self._schema, self._profile = schema, profile

    @property
    def name(self) -> str:
        """Its name, ``dataset`` without one."""
        return self._name

    @property
    def digest(self) -> str:
        """What tells it from others of its name."""
        return self._digest

    @property
    def source(self) -> DatasetSource:
        """Where it comes from."""
        return self._source

    @property
    def schema(self) -> Any:
        """Its schema, or None."""
        return self._schema

    @property
    def profile(self) -> Dict[str, Any]:
        """How large it is."""
        return self._profile

    def to_dict(self) -> Dict[str, Any]:
        """What the server keeps of it."""
        return {k: v for k, v in self._to_mlflow_entity()}

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(self.to_dict())

    def _to_mlflow_entity(self) -> _Entity:
        schema = self._schema_json()
        return _Entity(
            self.name, self.digest, self._source._get_source_type(), self._source.to_json(), schema if schema and len(schema) <= 1048575 else None, json.dumps(self.profile))

    def _schema_json(self) -> Optional[str]:
        return None


class PandasDataset(Dataset):
    """A DataFrame, with the names of its ``targets`` and ``predictions``."""

    def __init__(self, df: Any, source: Any, targets: Optional[str], name: Optional[str], digest: Optional[str], predictions: Optional[str]) -> None:
        from ..models.signature import infer_schema

        for kind, column in (("targets", targets), ("predictions", predictions)):
            if column is not None and column not in df.columns:
                raise invalid("The specified pandas DataFrame does not contain the specified {} column '{}'.".format(kind, column))
        try:
            schema = infer_schema(df)
        except Exception:  # noqa: BLE001  (a column whose type has no name here must not keep the data set from being noted)
            schema = None
        super().__init__(source, name, digest or _digest_of_frame(df), schema, {"num_rows": len(df), "num_elements": int(df.size)})
        self._df, self._targets, self._predictions = df, targets, predictions

    @property
    def df(self) -> Any:
        """The DataFrame."""
        return self._df

    @property
    def targets(self) -> Optional[str]:
        """The column of targets, or None."""
        return self._targets

    @property
    def predictions(self) -> Optional[str]:
        """The column of predictions, or None."""
        return self._predictions

    def _schema_json(self) -> Optional[str]:
        return json.dumps({"mlflow_colspec": self._schema.to_dict()}) if self._schema is not None else None


class NumpyDataset(Dataset):
    """An array (or a dictionary of arrays), with ``targets``."""

    def __init__(self, features: Any, source: Any, targets: Any, name: Optional[str], digest: Optional[str]) -> None:
        from ..models.signature import infer_schema

        profile: Dict[str, Any] = {}
        schema: Dict[str, Any] = {}
        for kind, arrays in (("features", features), ("targets", targets)):
            if arrays is None:
                continue
            shapes = {k: list(v.shape) for k, v in arrays.items()} if isinstance(arrays, dict) else list(arrays.shape)
            profile[kind + "_shape"] = shapes
            profile[kind + "_size"] = sum(int(v.size) for v in arrays.values()) if isinstance(arrays, dict) else int(arrays.size)
            profile[kind + "_nbytes"] = sum(int(v.nbytes) for v in arrays.values()) if isinstance(arrays, dict) else int(arrays.nbytes)
            try:
                schema[kind] = infer_schema(arrays).to_dict()
            except Exception:  # noqa: BLE001  (as above)
                schema[kind] = None
        super().__init__(source, name, digest or _digest_of_arrays([features, targets]), schema, profile)
        self._features, self._targets = features, targets

    @property
    def features(self) -> Any:
        """The features."""
        return self._features

    @property
    def targets(self) -> Any:
        """The targets, or None."""
        return self._targets

    def _schema_json(self) -> Optional[str]:
        return json.dumps({"mlflow_tensorspec": dict({"features": None, "targets": None}, **self._schema)})


def from_pandas(
    df: Any, source: Any = None, targets: Optional[str] = None, name: Optional[str] = None, digest: Optional[str] = None, predictions: Optional[str] = None,
) -> PandasDataset:
    """A data set of a DataFrame."""
    return PandasDataset(df, source, targets, name, digest, predictions)


def from_numpy(features: Any, source: Any = None, targets: Any = None, name: Optional[str] = None, digest: Optional[str] = None) -> NumpyDataset:
    """A data set of an array or of a dictionary of arrays."""
    return NumpyDataset(features, source, targets, name, digest)


def get_source(dataset: Any) -> DatasetSource:
    """Where a data set of a run comes from."""
    entity = getattr(dataset, "dataset", dataset)
    if isinstance(entity, Dataset):
        return entity.source
    return DatasetSource(entity.source_type, json.loads(entity.source))


def __getattr__(name: str) -> Any:
    raise AttributeError("module 'mlflow.data' has no attribute '{}': this is Zaffre's small mlflow, which knows from_pandas and from_numpy.".format(name))


def _digest_of_frame(df: Any) -> str:
    try:
        import pandas
    except ImportError as error:
        raise missing("pandas", "from_pandas") from error
    parts: List[bytes] = [str(len(df)).encode(), repr([str(c) for c in df.columns]).encode()]
    head = df.head(_ROWS_OF_DIGEST)
    try:
        parts.append(pandas.util.hash_pandas_object(head, index=False).to_numpy().tobytes())
    except TypeError:
        parts.append(repr(head.to_numpy().tolist()).encode())
    return _short(parts)


def _digest_of_arrays(arrays: List[Any]) -> str:
    parts: List[bytes] = []
    for one in arrays:
        for name, value in (one.items() if isinstance(one, dict) else [("", one)]):
            if value is not None:
                flat = value.reshape(-1)[:_ROWS_OF_DIGEST]
                parts += [str(name).encode(), str(tuple(value.shape)).encode(), repr(flat.tolist()).encode() if value.dtype.kind == "O" else flat.tobytes()]
    return _short(parts)


def _short(parts: List[bytes]) -> str:
    digest = hashlib.md5(usedforsecurity=False)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()[:8]
