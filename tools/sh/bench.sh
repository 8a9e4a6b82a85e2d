#!/bin/sh
# ./zaffre bench [name]: builds and runs the benchmarks against the built program.
set -eu
cd "$ZAFFRE_HOME"
dotnet build benchmarks/Benchmarks.csproj -c Release --nologo -v q -p:RunAnalyzers=false >artifacts/bench-build.log 2>&1 || {
    cat artifacts/bench-build.log >&2
    exit 1
}
exec dotnet artifacts/bin/Benchmarks/release/Zaffre.Benchmarks.dll "${@:-core}"
