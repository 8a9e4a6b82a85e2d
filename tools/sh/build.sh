# Sourced by zaffre. Builds the program into a folder of its own and switches a link to it, so that a server that runs
# from the build before is not touched. One build at a time: the others wait and find it done.

zaffre_out=$ZAFFRE_HOME/artifacts/zaffre
zaffre_bin=$zaffre_out/current/zaffre

# True when the program is newer than everything it is made of.
build_fresh() {
    [ -x "$zaffre_bin" ] && [ -f "$zaffre_out/stamp" ] || return 1
    newer=$(cd "$ZAFFRE_HOME" && find src python examples Directory.Build.props Directory.Build.targets Directory.Packages.props global.json \
        -newer "$zaffre_out/stamp" -print -quit 2>/dev/null) || :
    [ -z "$newer" ]
}

build_lock() {
    # shellcheck source=/dev/null
    . "$ZAFFRE_HOME/tools/sh/setup.sh"
    setup_dotnet
    mkdir -p "$zaffre_out"
    exec 9>"$zaffre_out/lock"
    flock 9
}

build_binary() {
    build_lock
    if ! build_fresh; then
        build_publish
    fi
    exec 9>&-
}

build_publish() {
    echo "zaffre: building (once; later starts find it done)" >&2
    id=build-$(date +%Y%m%d%H%M%S)-$$
    # Before the build: what changes meanwhile is newer than the stamp.
    : >"$zaffre_out/stamp.new"
    log=$zaffre_out/build.log
    # ReadyToRun halves the start-up; where its compiler cannot be had, the plain build does the same slower.
    if [ "$(uname -m)" != x86_64 ] || ! build_run "$id" -p:ZaffreReadyToRun=true >"$log" 2>&1; then
        [ ! -f "$log" ] || mv "$log" "$log.readytorun"
        if ! build_run "$id" >"$log" 2>&1; then
            grep -E 'error' "$log" | sort -u | head -n 20 >&2 || true
            echo "zaffre: the build failed; all of it is in $log" >&2
            rm -rf "${zaffre_out:?}/$id"
            exit 1
        fi
    fi
    ln -sfn "$id" "$zaffre_out/current.new"
    mv -T "$zaffre_out/current.new" "$zaffre_out/current"
    mv "$zaffre_out/stamp.new" "$zaffre_out/stamp"
    # A server may still run from one of the last builds.
    (cd "$zaffre_out" && ls -d build-*/ | sort -r | tail -n +4 | xargs -r rm -rf --)
}

build_run() {
    target=$1
    shift
    # Neither lock nor input go to the compiler's lingering processes.
    dotnet publish "$ZAFFRE_HOME/src/App/App.csproj" -c Release -o "$zaffre_out/$target" --nologo -v q -nodeReuse:false \
        -p:RunAnalyzers=false "$@" 9>&- </dev/null
}
