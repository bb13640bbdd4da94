#!/usr/bin/env bash
# Runs benchmarks/gpu/main.ts with what pack.sh made, on a machine with an NVIDIA GPU and nothing but Python with PyTorch:
#   benchmarks/gpu/run.sh [STAGE|PART…] [--output FILE] [--limit SECONDS]
# Stages: environment, correctness, sanitizer, speed, profile; --list names the parts.
set -euo pipefail
cd "$(dirname "$0")/../.."

# Unpacks an archive into a folder, with or without xz.
unpack() {
  if command -v xz > /dev/null; then tar --extract --xz --file "$1" --directory "$2"
  else python3 -c 'import sys, tarfile; tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$1" "$2"
  fi
}

for archive in deno packages; do
  if [ ! -f ".gpu/$archive.tar.xz" ]; then
    echo "error: .gpu/$archive.tar.xz is not there: make it by benchmarks/gpu/pack.sh where there is a network" >&2
    exit 2
  fi
done
# Again where the archive is newer than what was unpacked; packages that were installed in another way are left alone.
work=.cache/gpu
mkdir -p "$work/bin"
if [ ! "$work/bin/unpacked" -nt .gpu/deno.tar.xz ]; then
  unpack .gpu/deno.tar.xz "$work/bin"
  touch "$work/bin/unpacked"
fi
if [ ! -d node_modules ] || [ -f node_modules/.unpacked ] && [ ! node_modules/.unpacked -nt .gpu/packages.tar.xz ]; then
  unpack .gpu/packages.tar.xz .
  touch node_modules/.unpacked
fi
export DENO_DIR="$PWD/$work/deno_dir" DENO_NO_UPDATE_CHECK=1
exec "$work/bin/deno" run --quiet --no-prompt --allow-all --node-modules-dir=manual benchmarks/gpu/main.ts "$@"
