#!/bin/sh
# newest-sdk.sh: the newest azure-ai-ml that Debian has (suite unstable), beside the machine's own, for the client tests. Prints the folder: a virtual
# environment whose interpreter is FOLDER/python, with the SDK's version in FOLDER/version. The packages are downloaded, checked by apt and unpacked,
# never installed; what they share with the machine (requests, cryptography, yaml, ...) is linked from its own packages, so that the two generations
# never mix. Kept in the user's cache: a second clone downloads nothing. Remove it to look for a newer one.
set -eu

oldest=1.34.0
packages='python3-azure-storage python3-pydash python3-msal python3-msal-extensions python3-typing-extensions python3-marshmallow python3-isodate
    python3-jwt python3-strictyaml python3-tqdm python3-deprecated python3-opentelemetry-api python3-opentelemetry-sdk
    python3-opentelemetry-semantic-conventions'
# Of python3-azure, 500 MB, only what the SDK and the tests import.
parts='__init__.py ai/ml common core identity mgmt/core mgmt/resource mgmt/machinelearningservices'
shared='requests urllib3 certifi chardet idna charset_normalizer cryptography cffi _cffi_backend* yaml _yaml* oauthlib requests_oauthlib six.py
    dateutil psutil colorama msrest msrestazure attr attrs jsonschema pyrsistent* _pyrsistent* pvectorc* adal portalocker packaging jinja2 markupsafe
    wrapt numpy scipy sklearn joblib threadpoolctl.py'

stop() {
    echo "zaffre: the newest azure-ai-ml cannot be had: $1" >&2
    exit 1
}

# With lists, state and cache of its own: the machine's apt does not notice.
apt() {
    apt-get -qq -o "Dir::State::Lists=$work/lists" -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/none" \
        -o "Dir::Cache=$work/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@" >>"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; stop "apt-get $1 failed"; }
}

download() {
    command -v apt-get >/dev/null 2>&1 || stop "it is unpacked from Debian packages, and this machine has no apt-get"
    # The mirror from which this machine has its own release.
    mirror=$(apt-get indextargets --format '$(CREATED_BY) $(ORIGIN) $(COMPONENT) $(REPO_URI)' |
        awk '$1 == "Packages" && $2 == "Debian" && $3 == "main" && $4 !~ /security/ { print $4; exit }')
    [ -n "$mirror" ] || stop "apt on this machine lists no Debian mirror; run apt-get update"
    echo "deb [arch=all signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$work/sources.list"
    apt update
    # One word per package.
    # shellcheck disable=SC2086
    (cd "$work/packages" && apt download python3-azure $packages)
}

unpack() {
    site=$work/folder/lib/$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')/site-packages
    mkdir -p "$site" "$work/folder/bin"
    ln -s /usr/bin/python3 "$work/folder/bin/python"
    printf '#!/bin/sh\nexec "${0%%/*}/bin/python" "$@"\n' >"$work/folder/python"
    chmod +x "$work/folder/python"
    printf 'home = /usr/bin\ninclude-system-site-packages = false\n' >"$work/folder/pyvenv.cfg"
    for package in "$work"/packages/*.deb; do
        within=./usr/lib/python3/dist-packages
        case ${package##*/} in
            python3-azure_*) within=$(for part in $parts; do echo "$within/azure/$part"; done) ;;
        esac
        # shellcheck disable=SC2086
        dpkg-deb --fsys-tarfile "$package" | tar -x -C "$site" --strip-components=5 $within
    done
    for name in $shared; do
        # Some are patterns.
        # shellcheck disable=SC2086
        for found in /usr/lib/python3/dist-packages/$name; do
            [ ! -e "$found" ] || [ -e "$site/${found##*/}" ] || ln -s "$found" "$site/"
        done
    done
}

root=${XDG_CACHE_HOME:-$HOME/.cache}/zaffre/newest-sdk
# Another recipe makes another folder: who runs from the one before is not disturbed.
ready=$root/$(sha256sum "$0" | cut -c 1-12)
mkdir -p "$root"
exec 9>"$root/lock"
flock 9
if [ ! -e "$ready/version" ]; then
    echo "zaffre: fetching the newest azure-ai-ml for the tests" >&2
    work=$root/work
    rm -rf "$work"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/none" "$work/packages"
    download
    unpack
    # The first import compiles what the later ones read.
    (cd "$work" && PYTHONDONTWRITEBYTECODE='' PYTHONPATH='' "$work/folder/python" -W ignore -c 'if True:
        import azure.ai.ml, azure.identity, azure.storage.blob
        from azure.ai.ml._version import VERSION
        print(VERSION)') >"$work/version" 2>>"$work/log" || { tail -n 5 "$work/log" >&2; stop "it does not import on this machine"; }
    found=$(cat "$work/version")
    [ "$(printf '%s\n%s\n' "$oldest" "$found" | sort -V | head -n 1)" = "$oldest" ] || stop "the mirror has $found, and the tests are of $oldest or newer"
    mv "$work/version" "$work/folder/version"
    rm -rf "$ready"
    mv "$work/folder" "$ready"
    rm -rf "$work"
fi
echo "$ready"
