"""Images and figures as artifacts."""

import importlib
import os
import posixpath
import re
import struct
import tempfile
import uuid
import zlib
from typing import Any, Dict, Optional

from ._api import now
from .exceptions import invalid, missing


class Image:
    """An image of numpy (rows, columns, channels), PIL, or of a list of rows."""

    def __init__(self, image: Any) -> None:
        self.image = image

    def to_array(self) -> Any:
        """The image as a numpy array."""
        numpy = importlib.import_module("numpy")

        return numpy.array(self.image)

    def to_pil(self) -> Any:
        """The image as PIL's."""
        return _pil(self.image)

    def to_list(self) -> Any:
        """The image as nested lists."""
        return self.to_array().tolist()

    def save(self, path: str) -> None:
        """Writes a file of the kind that its name says."""
        with open(path, "wb") as stream:
            stream.write(_encoded(self.image, path))


def log_image(
    client: Any, run_id: str, image: Any, artifact_file: Optional[str], key: Optional[str], step: Optional[int], timestamp: Optional[int],
) -> None:
    """By file name, or by key and step under ``images/`` as MLflow's interface looks for them."""
    if artifact_file is not None and any(given is not None for given in (key, step, timestamp)):
        raise invalid("The `artifact_file` parameter cannot be used in conjunction with `key`, `step`, or `timestamp` parameters. Please ensure that `artifact_file` is specified alone.")
    if artifact_file is None and key is None:
        raise invalid("Invalid arguments: Please specify exactly one of `artifact_file` or `key`. Use `key` to log dynamic image charts or `artifact_file` for saving static images.")
    image = image.image if isinstance(image, Image) else image
    if artifact_file is not None:
        client.put_bytes(run_id, _encoded(image, artifact_file), artifact_file)
        return
    if not re.match(r"^[a-zA-Z0-9_\-./ ]+$", str(key)):
        raise invalid("The `key` of an image may have letters, digits, '_', '-', '.', '/' and spaces only, not '{}'.".format(key))
    name = "images/{}%step%{}%timestamp%{}%{}".format(str(key).replace("/", "#"), step or 0, timestamp or now(), "i" + str(uuid.uuid4())[1:])
    client.put_bytes(run_id, _encoded(image, name + ".png"), name + ".png")
    if _has_pil():
        client.put_bytes(run_id, _encoded(image, "compressed.webp"), name + "%compressed.webp")
    client.set_tag(run_id, "mlflow.loggedImages", True, synchronous=True)


def log_figure(client: Any, run_id: str, figure: Any, artifact_file: str, save_kwargs: Optional[Dict[str, Any]]) -> None:
    """By what the figure can do: ``savefig`` (matplotlib), ``write_html`` and ``write_image`` (plotly)."""
    options = save_kwargs or {}
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, posixpath.basename(artifact_file))
        if hasattr(figure, "savefig"):
            figure.savefig(path, **options)
        elif hasattr(figure, "write_html") and path.endswith(".html"):
            figure.write_html(path, **dict({"include_plotlyjs": "cdn", "auto_open": False}, **options))
        elif hasattr(figure, "write_image") and path.endswith((".png", ".jpeg", ".webp", ".svg", ".pdf")):
            figure.write_image(path, **options)
        elif hasattr(figure, "write_html"):
            raise invalid("Unsupported file extension for a plotly figure: '{}'".format(os.path.splitext(path)[1]))
        else:
            raise invalid("Unsupported figure object type: '{}'. log_figure takes figures of matplotlib and plotly.".format(type(figure)))
        client.log_artifact(run_id, path, posixpath.dirname(artifact_file) or None)


def _encoded(image: Any, name: str) -> bytes:
    if name.lower().endswith(".png") and not hasattr(image, "save"):
        return _png(image)
    import io

    held = io.BytesIO()
    extension = os.path.splitext(name)[1].lower().lstrip(".")
    picture = _pil(image)
    if extension in ("jpg", "jpeg") and picture.mode not in ("RGB", "L"):
        picture = picture.convert("RGB")
    picture.save(held, format={"jpg": "JPEG", "tif": "TIFF"}.get(extension, extension.upper()) or "PNG")
    return held.getvalue()


def _pil(image: Any) -> Any:
    if hasattr(image, "save"):
        return image
    try:
        from PIL import Image as pil
    except ImportError as error:
        raise missing("PIL", "An image of this kind") from error
    array = _bytes_of(image)
    return pil.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def _bytes_of(image: Any) -> Any:
    """A (rows, columns, channels) array of bytes. Floats count from 0 to 1, as the real mlflow takes them."""
    numpy = importlib.import_module("numpy")

    array = numpy.asarray(image.to_numpy() if hasattr(image, "to_numpy") else image)
    if array.ndim == 2:
        array = array[:, :, None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4):
        raise invalid("`image` must be a 2D or 3D array with 1, 3 or 4 channels but got an array of shape {}".format(array.shape))
    if array.dtype.kind == "f":
        if array.size and (numpy.isnan(array).any() or array.min() < 0 or array.max() > 1):
            raise invalid("Float image values must be between 0 and 1.")
        array = (array * 255).astype("uint8")
    elif array.dtype.kind == "b":
        array = array.astype("uint8") * 255
    elif array.dtype.kind in "iu":
        if array.size and (array.min() < 0 or array.max() > 255):
            raise invalid("Integer image values must be between 0 and 255.")
        array = array.astype("uint8")
    else:
        raise invalid("Invalid array data type: '{}'. An image is of booleans, integers or floats.".format(array.dtype))
    return array


def _png(image: Any) -> bytes:
    array = _bytes_of(image)
    rows, columns, channels = array.shape
    raw = b"".join(b"\0" + array[row].tobytes() for row in range(rows))

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", columns, rows, 8, {1: 0, 3: 2, 4: 6}[channels], 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


def _has_pil() -> bool:
    try:
        import PIL  # noqa: F401
    except ImportError:
        return False
    return True
