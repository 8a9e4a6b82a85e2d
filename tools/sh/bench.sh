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
dotnet build benchmarks/Benchmarks.csproj -c Release --nologo -v q -p:RunAnalyzers=false >artifacts/bench-build.log 2>&1 || {
    cat artifacts/bench-build.log >&2
    exit 1
}
exec dotnet artifacts/bin/Benchmarks/release/Zaffre.Benchmarks.dll "${@:-core}"
