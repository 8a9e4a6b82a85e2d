#!/bin/sh
# onnxruntime.sh: ONNX Runtime's native library, of the one version that the program is bound to, out of npm's onnxruntime-node and checked by its
# SHA-256 (src/Gateway/Contracts/OnnxRuntimeLibrary.cs holds the same ones). Kept in the user's cache, where the program looks for it. Prints its path.
set -eu

version=1.30.0
case $(uname -m) in
    x86_64) processor=x64 sum=ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23 ;;
    aarch64) processor=arm64 sum=1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76 ;;
    *) echo "zaffre: ONNX Runtime is not published for $(uname -m)" >&2; exit 1 ;;
esac
folder=${XDG_CACHE_HOME:-$HOME/.cache}/zaffre/onnxruntime/$version/$processor
library=$folder/libonnxruntime.so.1
if [ ! -f "$library" ]; then
    mkdir -p "$folder"
    exec 9>"$folder/lock"
    flock 9
fi
if [ ! -f "$library" ]; then
    echo "zaffre: fetching ONNX Runtime $version (110 MB, once)" >&2
    work=$folder/work
    rm -rf "$work"
    mkdir -p "$work"
    trap 'rm -rf "$work"' EXIT
    # Its scripts are not run: they look for graphics cards.
    if ! (cd "$work" && npm pack --ignore-scripts --silent "onnxruntime-node@$version") >"$work/log" 2>&1; then
        tail -n 5 "$work/log" >&2
        echo "zaffre: ONNX Runtime cannot be fetched; ONNX models are refused until './zaffre onnxruntime' works" >&2
        exit 1
    fi
    tar -xzf "$work"/*.tgz -C "$work" "package/bin/napi-v6/linux/$processor/libonnxruntime.so.1"
    found=$work/package/bin/napi-v6/linux/$processor/libonnxruntime.so.1
    if ! echo "$sum  $found" | sha256sum -c --status; then
        echo "zaffre: what npm sent as ONNX Runtime $version is not what is pinned (its SHA-256 differs); it was thrown away" >&2
        exit 1
    fi
    chmod 644 "$found"
    mv "$found" "$library"
fi
echo "$library"
