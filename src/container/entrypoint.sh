#!/bin/sh
# Runs a subcommand of rewarm in the container: `entrypoint.sh reproduce --scale small`. Deno takes this shell's place,
# so that signals reach it and its exit code is the container's.
set -eu

root=$(cd "$(dirname "$0")/../.." && pwd)

# What the process may do, by subcommand: at least what its task in deno.json may. None may start programs.
case "${1-}" in
  # Engines load native libraries, and these look at the machine and at variables of their own.
  reproduce | retrain | replay | attest | doctor | kernels | sample | evaluate)
    permissions="--allow-read --allow-write --allow-env --deny-env=HF_TOKEN --allow-sys --allow-ffi"
    ;;
  # Trains nothing, so that it needs no native library.
  conclude)
    permissions="--allow-read --allow-write --allow-env --deny-env=HF_TOKEN --allow-sys"
    ;;
  keygen | bundle | import | export | tensorboard | timestamp)
    permissions="--allow-read --allow-write"
    ;;
  # Slurm's programs are not in the image: jobs of Slurm are shown, and written down for where they are.
  launch)
    permissions="--quiet --allow-read --allow-write --allow-sys"
    ;;
  # The hub and where it keeps large files.
  data)
    permissions="--allow-read --allow-write --allow-env=HF_TOKEN --allow-sys=statfs"
    permissions="$permissions --allow-net=huggingface.co,*.huggingface.co,*.hf.co"
    ;;
  *)
    permissions="--allow-read --allow-sys=cpus"
    ;;
esac

# shellcheck disable=SC2016 # the remedy is a command to copy
# Said before hours of work rather than after them, and with the remedy that only a container has.
if [ "${1-}" = reproduce ]; then
  for folder in out .cache; do
    if [ -d "$folder" ] && [ ! -w "$folder" ]; then
      owner=$(stat -c "user %u and group %g" "$folder")
      echo "error: \"$PWD/$folder\" belongs to $owner, and this container runs as user $(id -u): start it with" \
        '--user "$(id -u):$(id -g)", or give the folder to that user [PERMISSION_DENIED]' >&2
      exit 2
    fi
  done
fi

# The permissions are words, and their stars are no patterns of file names.
set -f
# shellcheck disable=SC2086
exec deno run --config "$root/deno.json" --cached-only --frozen --no-prompt $permissions "$root/src/cli/main.ts" "$@"
