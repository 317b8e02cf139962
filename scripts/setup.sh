#!/usr/bin/env bash
# Installs what is missing to build and run Groundcrew on Debian or Ubuntu. Says nothing and needs no network when all is
# there. Starts no service: the fleet's own tools start private servers.
set -euo pipefail

# What a Debian with nothing but Swift, git, make and apt lacks.
packages=(
    # to compile: the C side of Swift's toolchain, and the headers of libpq, hiredis and zlib
    gcc g++ libc6-dev pkg-config libpq-dev libhiredis-dev zlib1g-dev
    # to run: the servers, and what starts them (setpriv, flock, setsid come with util-linux)
    postgresql redis-server util-linux
    # to reach providers over TLS, to know time zones, to run scripts/
    ca-certificates tzdata python3
)

say() { printf '%s\n' "setup: $*" >&2; }

lacks_programs() {
    local program
    for program in pkg-config redis-server setpriv flock python3; do
        command -v "$program" >/dev/null || { say "the program $program is missing"; return 0; }
    done
    pkg-config --exists libpq || { say "the headers of libpq are missing"; return 0; }
    return 1
}

if ! command -v swift >/dev/null; then
    say "Swift is missing. Install Swift 6.3 (https://www.swift.org/install/linux) and put its usr/bin on PATH."
    exit 1
fi

if ! command -v dpkg-query >/dev/null; then
    lacks_programs || exit 0
    say "This system has no apt. Install PostgreSQL 15 or newer, Redis 7, hiredis and libpq with its own package manager."
    exit 1
fi

installed=" $(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${packages[@]}" 2>/dev/null |
    sed -n 's/^installed //p' | tr '\n' ' ' || true)"
missing=()
for package in "${packages[@]}"; do
    [[ $installed == *" $package "* ]] || missing+=("$package")
done
# Another package may bring the same thing (pkgconf brings pkg-config, PGDG brings postgresql-16).
if [[ " ${missing[*]} " == *" postgresql "* ]] && compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null; then
    for index in "${!missing[@]}"; do [[ ${missing[$index]} == postgresql ]] && unset "missing[$index]"; done
fi
((${#missing[@]})) || exit 0

as_root=()
if ((EUID != 0)); then
    if ! command -v sudo >/dev/null; then
        say "Missing: ${missing[*]}. There is no sudo here: run as root  apt-get install ${missing[*]}"
        exit 1
    fi
    as_root=(sudo)
fi

say "Installing ${missing[*]}"
# A policy of 101 forbids the packages to start their servers; one that is already there is respected.
guard=/usr/sbin/policy-rc.d
if [[ ! -e $guard ]]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
    "${as_root[@]}" chmod 755 "$guard"
    trap '"${as_root[@]}" rm -f "$guard"' EXIT
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
"${apt[@]}" update >/dev/null
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
say "Done."
