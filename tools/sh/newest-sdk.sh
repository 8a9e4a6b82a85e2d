#!/bin/sh
# newest-sdk.sh: the newest azure-ai-ml that Debian has, beside the machine's own, for the client tests. Prints the folder.
# Packages of Debian's unstable suite are downloaded, checked by apt and unpacked, never installed; what they share with the machine
# (requests, cryptography, yaml, ...) is linked from its own packages. Kept in the user's cache, so that a second clone downloads nothing.
# FOLDER/sdk and FOLDER/system are the two entries of sys.path for `/usr/bin/python3 -S`; FOLDER/python runs a script that way.
set -eu

packages='python3-azure python3-azure-storage python3-pydash python3-msal python3-msal-extensions python3-typing-extensions
    python3-marshmallow python3-isodate python3-jwt python3-strictyaml python3-tqdm python3-deprecated
    python3-opentelemetry-api python3-opentelemetry-sdk python3-opentelemetry-semantic-conventions'
shared='requests urllib3 certifi chardet idna charset_normalizer cryptography cffi _cffi_backend* yaml _yaml* oauthlib requests_oauthlib six.py
    dateutil psutil colorama msrest msrestazure attr attrs jsonschema pyrsistent* adal portalocker packaging jinja2 markupsafe wrapt'

root=${XDG_CACHE_HOME:-$HOME/.cache}/zaffre/newest-sdk
mkdir -p "$root"
exec 9>"$root/lock"
flock 9
if [ -e "$root/ready/version" ]; then
    echo "$root/ready"
    exit 0
fi

work=$root/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/parts" "$work/packages" "$work/folder/system"
# Debian's own mirror of this machine, whatever it is, with another suite.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    grep -v '^[[:space:]]*#' | grep -oE '(https?|file)://[^[:space:]]+' | grep -E '/debian/?$' | head -n 1)
[ -n "$mirror" ] || { echo "zaffre: this machine's apt names no Debian mirror; the newest SDK cannot be fetched" >&2; exit 1; }
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror unstable main" >"$work/sources.list"
apt() {
    "$@" -qq -o "Dir::State::Lists=$work/lists" -o "Dir::Etc::SourceList=$work/sources.list" -o "Dir::Etc::SourceParts=$work/parts" \
        -o "Dir::Cache=$work/cache" -o Dir::State::status=/dev/null -o APT::Sandbox::User=root -o APT::Architecture=amd64
}
apt_get() { subject=$1; shift; apt apt-get "$subject" "$@"; }
apt_get update >"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
# One word per package.
# shellcheck disable=SC2086
(cd "$work/packages" && apt_get download $packages) >>"$work/log" 2>&1 || { tail -n 5 "$work/log" >&2; exit 1; }
for package in "$work"/packages/*.deb; do
    dpkg -x "$package" "$work/unpacked"
done
mv "$work/unpacked/usr/lib/python3/dist-packages" "$work/folder/sdk"
for name in $shared; do
    for found in /usr/lib/python3/dist-packages/$name; do
        [ ! -e "$found" ] || ln -s "$found" "$work/folder/system/"
    done
done
cat >"$work/folder/python" <<'RUN'
#!/bin/sh
# The system's Python with the newest SDK and nothing else of the system's packages: python SCRIPT ARGUMENT...
here=$(cd "$(dirname "$0")" && pwd -P)
exec /usr/bin/python3 -S -W ignore -c '
import os, runpy, sys
here, script, *arguments = sys.argv[1:]
sys.path[:1] = [here + "/sdk", here + "/system", os.path.dirname(os.path.abspath(script))]
sys.argv = [script, *arguments]
runpy.run_path(script, run_name="__main__")
' "$here" "$@"
RUN
chmod +x "$work/folder/python"
echo 'from azure.ai.ml._version import VERSION; print(VERSION)' >"$work/version.py"
PYTHONPATH='' "$work/folder/python" "$work/version.py" >"$work/folder/version" 2>>"$work/log" || { tail -n 5 "$work/log" >&2; exit 1; }
rm -rf "$root/ready"
mv "$work/folder" "$root/ready"
rm -rf "$work"
echo "$root/ready"
