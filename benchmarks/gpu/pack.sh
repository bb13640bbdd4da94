#!/usr/bin/env bash
# Makes .gpu, less than 60 MB: what benchmarks/gpu needs beside the repository on a machine without network. Run it where
# there is one, after `deno install`; take the repository and .gpu along, and run benchmarks/gpu/run.sh there.
# Set DENO to another deno than the one on the path.
set -euo pipefail
cd "$(dirname "$0")/../.."

read -ra deno <<< "${DENO:-deno}"
out=.gpu
mkdir -p "$out"

# Deno's binary. The one that runs this script may be a launcher.
binary=$("${deno[@]}" eval 'console.log(Deno.execPath())')
echo "deno      $binary"
if [ ! "$out/deno.tar.xz" -nt "$binary" ]; then
  tar --create --directory "$(dirname "$binary")" "$(basename "$binary")" | xz -6 --threads=0 > "$out/deno.tar.xz"
fi

# Packages, but those that only compile the exact engine's kernels, which are taken along compiled; of TypeScript, the
# declarations that the embedded corpus is made of.
kernels=.cache/gpu/exact_kernels
"${deno[@]}" run --quiet --allow-read --allow-write="$kernels" --allow-env=CI benchmarks/gpu/pack.ts "$kernels"
tar --create \
  --exclude='binaryen*' --exclude='assemblyscript*' --exclude='long@*' --exclude='node_modules/.bin' \
  --exclude='typescript/lib/*.js' --exclude='typescript/lib/??' --exclude='typescript/lib/??-??' \
  --exclude='typescript/lib/typescript*.d.ts' \
  node_modules "$kernels" | xz -6 --threads=0 > "$out/packages.tar.xz"

commit=$(git rev-parse HEAD)
modified=$([ -z "$(git status --porcelain)" ] && echo false || echo true)
echo "{\"commit\": \"$commit\", \"modified\": $modified}" > "$out/revision.json"

echo "commit    $commit, files differ from it: $modified"
du --apparent-size --human-readable "$out"/*.tar.xz
