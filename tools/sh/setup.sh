# Sourced. What the machine must have: installs what is missing when it can, else says the command to run.

# One line per thing: the file whose absence means that it is missing (a pattern is fine), and the package that brings it.
setup_table() {
    case $1 in
        server) printf '%s\n' \
            '/usr/bin/bwrap bubblewrap' \
            '/usr/bin/setpriv util-linux' \
            '/usr/bin/flock util-linux' \
            '/usr/bin/python3 python3' \
            '/usr/lib/python3*/ensurepip python3-venv' \
            '/usr/lib/*/libsqlite3.so.0 libsqlite3-0' ;;
        example) printf '%s\n' \
            '/usr/lib/python3/dist-packages/sklearn python3-sklearn' \
            '/usr/lib/python3/dist-packages/pandas python3-pandas' \
            '/usr/lib/python3/dist-packages/joblib python3-joblib' ;;
        models) printf '%s\n' \
            '/usr/lib/python3/dist-packages/xgboost python3-xgboost' \
            '/usr/lib/python3/dist-packages/cloudpickle python3-cloudpickle' \
            '/usr/lib/python3/dist-packages/matplotlib python3-matplotlib' \
            '/usr/lib/python3/dist-packages/onnx python3-onnx' ;;
        containers) printf '%s\n' \
            '/usr/bin/podman podman' ;;
        npm) printf '%s\n' \
            '/usr/bin/npm npm' ;;
        peers) printf '%s\n' \
            '/usr/bin/snakemake snakemake' \
            '/usr/bin/make make' ;;
        frameworks) printf '%s\n' \
            '/usr/lib/python3/dist-packages/torch python3-torch' \
            '/usr/lib/python3/dist-packages/mpi4py python3-mpi4py' \
            '/usr/bin/mpirun openmpi-bin' \
            '/usr/bin/Rscript r-base-core' ;;
        clients) printf '%s\n' \
            '/usr/lib/python3/dist-packages/azure/ai/ml python3-azure' \
            '/usr/lib/python3/dist-packages/azure/storage/blob python3-azure-storage' \
            '/usr/lib/python3/dist-packages/marshmallow python3-marshmallow' \
            '/usr/lib/python3/dist-packages/strictyaml python3-strictyaml' \
            '/usr/lib/python3/dist-packages/jwt python3-jwt' \
            '/usr/lib/python3/dist-packages/msal python3-msal' \
            '/usr/lib/python3/dist-packages/tqdm python3-tqdm' \
            '/usr/lib/python3/dist-packages/packaging python3-packaging' \
            '/usr/lib/python3/dist-packages/psutil python3-psutil' \
            '/usr/bin/az azure-cli' \
            '/usr/bin/node nodejs' \
            '/usr/bin/npm npm' \
            '/usr/bin/curl curl' \
            '/usr/bin/faketime faketime' \
            '/usr/lib/*/libnss_myhostname.so.2 libnss-myhostname' ;;
    esac
}

# The packages of the named sets that are missing, on one line.
setup_missing() {
    for set in "$@"; do
        setup_table "$set"
    done | while read -r file package; do
        # The pattern is meant to expand.
        # shellcheck disable=SC2086
        set -- $file
        [ -e "$1" ] || printf '%s\n' "$package"
    done | sort -u | tr '\n' ' '
}

setup_install() {
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        echo "zaffre: installing $*" >&2
        log=$(mktemp)
        if { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 update \
            && DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 --no-install-recommends install -y "$@"; } >"$log" 2>&1; then
            rm -f "$log"
            return 0
        fi
        tail -n 20 "$log" >&2
        rm -f "$log"
    fi
    return 1
}

setup_need() {
    missing=$(setup_missing "$@")
    [ -n "$missing" ] || return 0
    # One word per package.
    # shellcheck disable=SC2086
    setup_install $missing && missing=$(setup_missing "$@") && [ -z "$missing" ] && return 0
    echo "zaffre: this machine lacks packages; run:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends -y $missing" >&2
    exit 1
}

# The JavaScript clients of the tests, exactly as the lock file has them, in a folder that git ignores.
setup_npm() {
    folder=$ZAFFRE_HOME/tests/Clients/js
    [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return 0
    log=$(mktemp)
    if ! (cd "$folder" && npm ci --ignore-scripts --no-audit --no-fund) >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        echo "zaffre: the JavaScript clients cannot be installed; in $folder run: npm ci --ignore-scripts" >&2
        exit 1
    fi
    touch "$folder/node_modules/.package-lock.json"
    rm -f "$log"
}

setup_dotnet() {
    if command -v dotnet >/dev/null 2>&1 && dotnet --list-sdks 2>/dev/null | grep -q '^10\.'; then
        return 0
    fi
    if setup_install dotnet-sdk-10.0 && command -v dotnet >/dev/null 2>&1; then
        return 0
    fi
    echo "zaffre: the .NET 10 SDK is missing. Where the distribution has it, run:" >&2
    echo "  sudo apt-get update && sudo apt-get install -y dotnet-sdk-10.0" >&2
    echo "else follow https://learn.microsoft.com/dotnet/core/install/linux" >&2
    exit 1
}
