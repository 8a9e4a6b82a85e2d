#!/bin/sh
# ./zaffre bench [name]: builds and runs the benchmarks against the built program.
set -eu
cd "$ZAFFRE_HOME"
if [ "${1:-core}" = clients ]; then
    # shellcheck source=/dev/null
    . tools/sh/setup.sh
    setup_need clients
    ZAFFRE_NEWEST_SDK=$(sh tools/sh/newest-sdk.sh)
    export ZAFFRE_NEWEST_SDK
fi
if [ "${1:-core}" = jobs ]; then
    # A peer that cannot be had is said in the figures; the others stand.
    # shellcheck source=/dev/null
    . tools/sh/setup.sh
    peers=$(setup_missing peers)
    # One word per package.
    # shellcheck disable=SC2086
    [ -z "$peers" ] || setup_install $peers || echo "zaffre: without $peers" >&2
fi
mkdir -p artifacts
dotnet build benchmarks/Benchmarks.csproj -c Release --nologo -v q -p:RunAnalyzers=false >artifacts/bench-build.log 2>&1 || {
    cat artifacts/bench-build.log >&2
    exit 1
}
exec dotnet artifacts/bin/Benchmarks/release/Zaffre.Benchmarks.dll "${@:-core}"
