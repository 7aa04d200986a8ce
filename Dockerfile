# The runtime: everything of the image but the package, which `kfp-release build` puts on top.
# It sees two locks and nothing else; with the same inputs its layers are the same to the byte.
# One for all images: LOCK is what an image installs, see build-args of each in pyproject.toml.

# The base image, with its digest: see build-args in pyproject.toml.
ARG BASE

FROM ${BASE}
# Another index than the public one, if build-args in pyproject.toml name it.
ARG PIP_INDEX_URL
ARG UV_DEFAULT_INDEX
ARG LOCK=requirements.lock
COPY locks/builder.lock ${LOCK} /opt/locks/
# One step, so that what is installed is written once: what a stage of its own builds is copied and packed again.
# - The certificates are those of the building machine: some companies' networks have their own.
# - Bytecode goes by content and not by time; an image's files never change, so nobody needs to compare them.
# - A private index's credentials, if there are any: kfp-release runtime --secret id=netrc,src=$HOME/.netrc
RUN --mount=type=secret,id=netrc,target=/root/.netrc \
    export SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt PIP_CERT=/etc/ssl/certs/ca-certificates.crt \
      SOURCE_DATE_EPOCH=315532800 PYC_INVALIDATION_MODE=UNCHECKED_HASH PYTHONDONTWRITEBYTECODE=1 \
 && python3 -m venv /tmp/tools \
 && /tmp/tools/bin/pip install --no-cache-dir --disable-pip-version-check --no-compile --only-binary :all: \
      --require-hashes --requirement /opt/locks/builder.lock \
 && python3 -m venv --without-pip /opt/app \
 && /tmp/tools/bin/uv pip install --python /opt/app/bin/python --no-cache --link-mode copy --compile-bytecode \
      --only-binary :all: --require-hashes --requirement /opt/locks/${LOCK} \
 && rm -r /tmp/tools
ENV PATH=/opt/app/bin:${PATH}
# A number, so that a cluster with runAsNonRoot can see that it is not root.
USER 65532:65532
