# The image that rewarm runs in where there is an NVIDIA GPU: docs/container.md says how it is built and used.
# Digests, and the libraries that must be inside, are pinned in lockfiles/image.lock.yaml as well; a test holds both
# files together, and the build stops if the image is not what that file says.

FROM denoland/deno:2.9.6@sha256:2014dc167ece617ef7e7ba40631ac2234c59e75ce693e7cc2dc2602b3c87859d AS deno

FROM nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04@sha256:85fb7ac694079fff1061a0140fd5b5a641997880e12112d92589c3bbb1e8b7ca

COPY --from=deno /usr/bin/deno /tini /usr/local/bin/

# The base image leaves CUDA's folder out of the loader's path. What is compiled for a GPU goes where a volume is.
ENV LD_LIBRARY_PATH=/usr/local/cuda/lib64:/usr/local/cuda/targets/x86_64-linux/lib:/usr/local/nvidia/lib:/usr/local/nvidia/lib64 \
    DENO_DIR=/tmp/deno \
    DENO_NO_PROMPT=1 \
    DENO_NO_UPDATE_CHECK=1 \
    CUDA_CACHE_PATH=/rewarm/.cache/cuda \
    CUDA_CACHE_MAXSIZE=4294967296

# The folders that are written in are open to every user, so that "docker run --user" may name the host's.
RUN groupadd --gid 1000 rewarm \
    && useradd --uid 1000 --gid 1000 --home-dir /rewarm --no-create-home rewarm \
    && install --directory --mode=0755 /rewarm \
    && install --directory --mode=1777 /rewarm/out /rewarm/.cache /rewarm/.rewarm

WORKDIR /rewarm

# Packages before the program's own files, which change more often. They are all in node_modules afterwards.
COPY deno.json deno.lock ./
RUN deno install --frozen && rm -rf "$DENO_DIR"

# TensorFlow.js, and its native library by the one install script that may run. With "none" no script runs, and the
# engine "tensorflow" has its portable backends only.
ARG TENSORFLOW=npm:@tensorflow/tfjs-node-gpu@4.22.0
COPY lockfiles/tensorflow lockfiles/tensorflow
WORKDIR /rewarm/lockfiles/tensorflow
RUN if [ "$TENSORFLOW" = none ]; then deno install --frozen; else deno install --frozen --allow-scripts="$TENSORFLOW"; fi \
    && rm -rf "$DENO_DIR"
WORKDIR /rewarm

COPY . .

# Stops the build where a library is missing or the lockfile is another one, and writes image.json for the manifest.
ARG SOURCE=unknown
ARG REVISION=unknown
ARG IMAGE_LOCK_SHA256=b3728323b23f6676ab65b543e9d61fbd0807b2db9ad7814fd2bc64d95775477d
RUN find . -name node_modules -prune -o ! -perm -a=r -exec chmod a+rX {} + \
    && echo "$IMAGE_LOCK_SHA256  lockfiles/image.lock.yaml" | sha256sum --check \
    && deno run --cached-only --frozen -A src/container/record_image.ts \
    && rm -rf "$DENO_DIR"

LABEL org.opencontainers.image.title="rewarm" \
      org.opencontainers.image.description="Reproduces arXiv 2308.04014 bit for bit" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="$SOURCE" \
      org.opencontainers.image.revision="$REVISION" \
      org.opencontainers.image.base.name="docker.io/nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04" \
      org.opencontainers.image.base.digest="sha256:85fb7ac694079fff1061a0140fd5b5a641997880e12112d92589c3bbb1e8b7ca" \
      dev.rewarm.image-lock.sha256="$IMAGE_LOCK_SHA256"

USER 1000:1000
VOLUME ["/rewarm/out", "/rewarm/.cache"]
HEALTHCHECK --interval=30m --timeout=5m --start-period=1m --retries=2 \
    CMD ["sh", "/rewarm/src/container/entrypoint.sh", "doctor"]
ENTRYPOINT ["tini", "--", "sh", "/rewarm/src/container/entrypoint.sh"]
CMD ["help"]
