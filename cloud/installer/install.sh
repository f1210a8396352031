#!/bin/sh
# Installs the Tandem edge agent on this machine:
#
#     curl -fsSL @CLOUD_URL@/install.sh | sudo sh -s -- --enroll CODE
#
# Running it again upgrades in place and keeps the edge's identity. Nothing is left behind when it fails.
set -eu

CLOUD_URL='@CLOUD_URL@'
MANIFEST_SHA256='@MANIFEST_SHA256@'
SERVICE_USER=tandem-edge
UNIT=/etc/systemd/system/tandem-edge.service
PYTHONS='python3.13 python3.12 python3.11 python3'

usage() {
    cat <<'TEXT'
install.sh [--enroll CODE] [--prefix FOLDER] [--no-service] [--cloud URL]
install.sh --uninstall [--keep-state] [--prefix FOLDER]

  --enroll CODE    the one-time code from the portal; needed unless this machine is enrolled already
  --prefix FOLDER  install there (default: /opt/tandem-edge); with another folder, state and settings are kept in it
  --no-service     install and enroll only; start nothing
  --cloud URL      fetch from there (default: where this script came from)
  --uninstall      stop and remove the agent, its user and all it kept
  --keep-state     with --uninstall: leave identity, configuration and events where they are
TEXT
}

say() { printf '%s\n' "$*"; }
fail() { printf 'tandem-edge install: %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" -eq 0 ]; }
systemd_runs() { [ -d /run/systemd/system ] && have systemctl; }

# What this run has made, newest first; removed again when it fails.
made=
undo() {
    status=$?
    trap - EXIT
    if [ "$status" -ne 0 ]; then
        for path in $made; do
            case $path in
            user:*) userdel "${path#user:}" >/dev/null 2>&1 || true ;;
            *) rm -rf "$path" ;;
            esac
        done
    fi
    [ -z "${scratch:-}" ] || rm -rf "$scratch"
    exit "$status"
}
will_make() { [ -e "$1" ] || made="$1 $made"; }

fetch() { # URL FILE
    if have curl; then
        curl -fsSL --retry 2 -o "$2" "$1" </dev/null
    elif have wget; then
        wget -q -O "$2" "$1" </dev/null
    else
        "$python" -c 'import sys, urllib.request as u; open(sys.argv[2], "wb").write(u.urlopen(sys.argv[1]).read())' \
            "$1" "$2" </dev/null
    fi || fail "$1 cannot be fetched. Is the cloud reachable from here?"
}

digest() { sha256sum "$1" | cut -d ' ' -f 1; }

find_python() {
    for candidate in $PYTHONS; do
        have "$candidate" || continue
        python_version=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])' </dev/null) || continue
        case $python_version in
        3.11 | 3.12 | 3.13)
            python=$(command -v "$candidate")
            return
            ;;
        esac
    done
    fail "Python 3.11, 3.12 or 3.13 is needed and was not found. On Debian or Ubuntu: apt-get install python3"
}

check_machine() {
    [ "$(uname -s)" = Linux ] || fail "this agent runs on Linux only"
    [ "$(uname -m)" = x86_64 ] || fail "this agent is built for x86_64; this machine is $(uname -m)"
    have sha256sum || fail "sha256sum is needed (package coreutils)"
    have tar || fail "tar is needed (package tar)"
    find_python
    "$python" -c 'import venv' </dev/null 2>/dev/null ||
        fail "$python comes without its venv module. On Debian or Ubuntu: apt-get install python3"
}

check_rights() {
    is_root && return
    if [ "$own_prefix" -eq 1 ] && [ "$service" -eq 0 ]; then
        will_make "$prefix"
        mkdir -p "$prefix" 2>/dev/null || fail "$prefix cannot be written by $(id -un)"
        return
    fi
    cat >&2 <<TEXT
tandem-edge install: this needs root, and runs as $(id -un). Without root it cannot
  - create the user $SERVICE_USER that the agent runs as,
  - write to $prefix and /var/lib/tandem-edge,
  - install a systemd service,
  - let the agent use ports below 1024 (TFTP is 69).
Run it again with sudo:
  curl -fsSL $CLOUD_URL/install.sh | sudo sh -s -- --enroll CODE
or, to try it without root, install into a folder of your own and start it yourself:
  curl -fsSL $CLOUD_URL/install.sh | sh -s -- --enroll CODE --prefix "\$HOME/tandem-edge" --no-service
TEXT
    exit 1
}

# How to run something as the user that the agent runs as, and how to leave it the right to ports below 1024.
AS_AGENT="setpriv --reuid $SERVICE_USER --regid $SERVICE_USER --init-groups --no-new-privs"
LOW_PORTS='--inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service'

make_user() {
    is_root || return 0
    have setpriv || fail "setpriv is needed (package util-linux)"
    id "$SERVICE_USER" >/dev/null 2>&1 && return
    have useradd || fail "useradd is needed to create the user $SERVICE_USER (package passwd)"
    useradd --system --user-group --no-create-home --home-dir "$state" --shell /usr/sbin/nologin "$SERVICE_USER" ||
        fail "the user $SERVICE_USER cannot be created"
    made="user:$SERVICE_USER $made"
}

fetch_bundle() {
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/tandem-edge.XXXXXX")
    fetch "$CLOUD_URL/agent/manifest.txt" "$scratch/manifest.txt"
    [ "$(digest "$scratch/manifest.txt")" = "$MANIFEST_SHA256" ] ||
        fail "the cloud's bundle is not the one that this script was made for; fetch install.sh again"
    while read -r sum for_python name; do
        [ "$for_python" = "$python_version" ] && break
        sum=
    done <"$scratch/manifest.txt"
    [ -n "$sum" ] || fail "the cloud has no bundle for Python $python_version"
    fetch "$CLOUD_URL/agent/$name" "$scratch/bundle.tar.gz"
    [ "$(digest "$scratch/bundle.tar.gz")" = "$sum" ] || fail "$name was damaged on its way; run this again"
    release="$prefix/releases/$(printf %.16s "$sum")-$python_version"
}

# A release is complete or not there: it is made aside and gets its name at the end.
install_release() {
    will_make "$prefix"
    mkdir -p "$prefix/releases"
    chmod 755 "$prefix" "$prefix/releases"
    if [ -x "$release/bin/tandem-edge" ]; then
        say "This release is installed already."
        return
    fi
    rm -rf "$release"
    made="$release $made"
    mkdir "$scratch/bundle"
    tar -xzf "$scratch/bundle.tar.gz" -C "$scratch/bundle"
    "$python" -m venv --without-pip "$release" </dev/null || fail "$python cannot make an environment in $release"
    "$release/bin/python" "$scratch/bundle/pip.whl/pip" --isolated --disable-pip-version-check --quiet install \
        --no-index --no-cache-dir --find-links "$scratch/bundle/wheels" --root-user-action=ignore tandem \
        </dev/null || fail "the agent's packages cannot be installed"
    cp "$scratch/bundle/tandem-edge.service" "$scratch/bundle/supervise.sh" "$release/"
    chmod 755 "$release/supervise.sh"
    "$release/bin/tandem-edge" version >/dev/null </dev/null || fail "the installed agent does not start"
}

write_settings() {
    will_make "$config"
    mkdir -p "$config"
    chmod 755 "$config"
    [ -e "$config/edge.toml" ] && return
    will_make "$config/edge.toml"
    {
        say "# Settings of this machine's edge agent; every setting is described in"
        say "# $prefix/current/lib/python$python_version/site-packages/edge_agent/edge.example.toml"
        say "state_dir = \"$state\""
        is_root || printf '\n[provisioning]\n# Port 69 needs root.\ntftp_port = 6969\n'
    } >"$config/edge.toml"
    chmod 644 "$config/edge.toml"
}

make_state() {
    will_make "$state"
    mkdir -p "$state"
    chmod 700 "$state"
    ! is_root || chown "$SERVICE_USER:$SERVICE_USER" "$state"
}

enroll() {
    if [ -e "$state/identity.json" ]; then
        say "This machine is enrolled already; its identity is kept."
        return
    fi
    # The code goes by standard input, where no list of processes shows it.
    as_agent=
    ! is_root || as_agent=$AS_AGENT
    # shellcheck disable=SC2086 # words on purpose
    printf '%s\n' "$code" | $as_agent "$release/bin/tandem-edge" enroll --settings "$config/edge.toml" - ||
        fail "this machine was not enrolled, and nothing was installed"
}

switch_release() {
    old=$(readlink "$prefix/current" 2>/dev/null || true)
    ln -sfn "$release" "$prefix/.current.new"
    mv -T "$prefix/.current.new" "$prefix/current"
    made=
    for one in "$prefix"/releases/*; do
        [ "$one" = "$release" ] || [ "$one" = "$old" ] || rm -rf "$one"
    done
}

install_service() {
    sed -e "s|@PREFIX@|$prefix|g; s|@STATE_DIR@|$state|g; s|@USER@|$SERVICE_USER|g; s|@CONFIG@|$config|g" \
        "$release/tandem-edge.service" >"$UNIT.new"
    mv "$UNIT.new" "$UNIT"
    systemctl daemon-reload
    systemctl enable --quiet tandem-edge
    systemctl restart tandem-edge ||
        fail "the agent is installed but did not start; see: journalctl -u tandem-edge"
    say "The agent runs as the service tandem-edge. See: $prefix/current/bin/tandem-edge status"
}

run_in_foreground() {
    say "No systemd runs here: the agent runs in the foreground, supervised. Ctrl-C stops it."
    rm -rf "$scratch"
    trap - EXIT
    trap '' HUP
    as_agent=
    ! is_root || as_agent="$AS_AGENT $LOW_PORTS"
    # shellcheck disable=SC2086 # words on purpose
    exec $as_agent "$prefix/current/supervise.sh" \
        "$prefix/current/bin/tandem-edge" run --settings "$config/edge.toml" </dev/null
}

uninstall() {
    is_root || [ "$own_prefix" -eq 1 ] || fail "removing the agent needs root: run it again with sudo"
    if [ -e "$UNIT" ] && grep -qF "ExecStart=$prefix/current/" "$UNIT"; then
        is_root || fail "removing the service needs root: run it again with sudo"
        ! systemd_runs || systemctl disable --now --quiet tandem-edge || true
        rm -f "$UNIT"
        ! systemd_runs || systemctl daemon-reload
    fi
    agent=$prefix/current/bin/tandem-edge
    if [ -x "$agent" ] && "$agent" status --state-dir "$state" >/dev/null 2>&1 </dev/null; then
        fail "the agent is running in the foreground; stop it first"
    fi
    rm -rf "$prefix/releases" "$prefix/current"
    if [ "$keep_state" -eq 0 ]; then
        rm -rf "$state" "$config"
        ! is_root || [ -e "$UNIT" ] || userdel "$SERVICE_USER" >/dev/null 2>&1 || true
        say "The agent and everything it kept are removed."
    else
        say "The agent is removed; its state stays in $state."
    fi
    [ ! -d "$prefix" ] || rmdir "$prefix" 2>/dev/null || true
}

main() {
    prefix=/opt/tandem-edge own_prefix=0 service=1 code='' uninstalling=0 keep_state=0
    while [ $# -gt 0 ]; do
        case $1 in
        --enroll | --prefix | --cloud)
            [ $# -ge 2 ] || fail "$1 needs a value"
            case $1 in
            --enroll) code=$2 ;;
            --prefix) prefix=${2%/} own_prefix=1 ;;
            --cloud) CLOUD_URL=${2%/} ;;
            esac
            shift
            ;;
        --no-service) service=0 ;;
        --uninstall) uninstalling=1 ;;
        --keep-state) keep_state=1 ;;
        -h | --help)
            usage
            exit 0
            ;;
        *)
            usage >&2
            fail "unknown option $1"
            ;;
        esac
        shift
    done
    case $prefix in
    /*) ;;
    *) prefix="$(pwd)/$prefix" ;;
    esac
    case $prefix in
    *[!A-Za-z0-9_./+-]* | / | */..* | */./*) fail "--prefix must be a plain folder name without spaces: $prefix" ;;
    esac
    state=/var/lib/tandem-edge config=/etc/tandem-edge
    [ "$own_prefix" -eq 0 ] || { state=$prefix/state config=$prefix/etc; }
    if [ "$uninstalling" -eq 1 ]; then
        uninstall
        return
    fi
    umask 022
    trap undo EXIT
    trap 'exit 130' INT TERM
    check_rights
    [ -n "$code" ] || [ -e "$state/identity.json" ] ||
        fail "this machine is not enrolled yet: give --enroll CODE, with the code from the portal"
    check_machine
    fetch_bundle
    make_user
    install_release
    write_settings
    make_state
    enroll
    switch_release
    say "Tandem edge agent $("$release/bin/tandem-edge" version </dev/null) is installed in $prefix."
    if [ "$service" -eq 0 ]; then
        say "Start it with: $prefix/current/bin/tandem-edge run --settings $config/edge.toml"
    elif is_root && systemd_runs; then
        install_service
    else
        run_in_foreground
    fi
}

# Everything is in functions, so that a script that was cut off on its way does nothing.
main "$@"
