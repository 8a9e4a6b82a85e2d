#!/bin/sh
# ./zaffre test [--soak NAME[:COUNT]] [--filter EXPRESSION] [SUITE...]: builds everything, runs the suites, counts.
set -eu
cd "$ZAFFRE_HOME"

filter=
soak=
suites=
# A test that tells nothing for so long hangs.
hang=10m
while [ $# -gt 0 ]; do
    case $1 in
        --filter) filter=${2:?--filter needs an expression}; shift 2 ;;
        --soak) soak=${2:?--soak needs a name}; shift 2 ;;
        -*) echo "usage: zaffre test [--soak NAME[:COUNT]] [--filter EXPRESSION] [SUITE...]" >&2; exit 2 ;;
        *) suites="$suites $1"; shift ;;
    esac
done
if [ -n "$soak" ]; then
    # Tests that can run longer take their count from ZAFFRE_SOAK, and a seed to repeat from ZAFFRE_SEED.
    case $soak in *:*) ;; *) soak=$soak:200 ;; esac
    ZAFFRE_SOAK=${soak##*:}
    export ZAFFRE_SOAK
    hang=5h
    filter="${filter:+($filter)&}FullyQualifiedName~${soak%:*}"
fi
whole=no
[ -n "$filter$suites" ] || whole=yes
[ -n "$suites" ] || suites=$(cd tests && for project in */*.csproj; do printf '%s ' "${project%%/*}"; done)

results=$ZAFFRE_HOME/artifacts/test
rm -rf "$results"
mkdir -p "$results"
ZAFFRE_NEWEST_SDK=$(sh tools/sh/newest-sdk.sh)
export ZAFFRE_NEWEST_SDK
echo "newest azure-ai-ml: $(cat "$ZAFFRE_NEWEST_SDK/version")"
ZAFFRE_COMPATIBILITY=$results/compatibility.tsv
export ZAFFRE_COMPATIBILITY

# shellcheck source=tools/sh/build.sh
. tools/sh/build.sh
began=$(date +%s)
build_lock
if ! dotnet build Zaffre.slnx -c Release --nologo -v q -nodeReuse:false >"$results/build.log" 2>&1 9>&- </dev/null; then
    grep -E 'error|warning' "$results/build.log" | sort -u | head -n 50 >&2
    echo "zaffre: the build failed; all of it is in $results/build.log" >&2
    exit 1
fi
exec 9>&-
build_fresh || build_binary
setup_npm
ZAFFRE_ONNXRUNTIME=$(sh tools/sh/onnxruntime.sh)
export ZAFFRE_ONNXRUNTIME
ZAFFRE_BIN=$zaffre_bin
export ZAFFRE_BIN
echo "build  $(($(date +%s) - began)) s"

# The lanes run side by side: the clients wait for each other most of the time. Crash tests have the machine for themselves.
lane() {
    for suite in $suites; do
        case $suite in Clients | Crash) [ "$1" = "$suite" ] || continue ;; *) [ "$1" = Others ] || continue ;; esac
        began=$(date +%s)
        # A shell starts what runs in the background deaf to interrupts; some tests send them.
        env --default-signal=INT,QUIT dotnet test "tests/$suite" -c Release --no-build --nologo -v q --results-directory "$results/$suite" --logger trx \
            --blame-hang-timeout $hang --blame-hang-dump-type none ${filter:+--filter "$filter"} </dev/null >"$results/$suite.log" 2>&1 \
            || echo "$suite" >>"$results/broken"
        echo "$suite $(($(date +%s) - began))" >>"$results/times"
        grep -vE '^(Test run for|VSTest version|A total of|Starting test|Results File|Attachments|  .*Sequence_.*xml|No test matches|$)' "$results/$suite.log" || true
    done
}
lane Others &
others=$!
trap 'kill "$others" 2>/dev/null; exit 130' INT TERM
lane Clients
wait
lane Crash

status=0
/usr/bin/python3 tools/report.py suites "$results" ${filter:+--filtered} || status=1
[ ! -e "$results/broken" ] || status=1
if [ "$whole" = yes ] && [ "$status" = 0 ]; then
    /usr/bin/python3 tools/report.py compatibility "$ZAFFRE_COMPATIBILITY" docs/compatibility.md
fi
/usr/bin/python3 tools/report.py total "$results"
exit $status
