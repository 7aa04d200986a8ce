# The image of bench/baseline.sh: what changes rarely first, the sources last, as every guide has it.
ARG BASE
FROM ${BASE}
ARG PIP_CERT=/etc/ssl/certs/ca-certificates.crt
RUN python3 -m venv /opt/app
ENV PATH=/opt/app/bin:${PATH}
COPY requirements.lock /build/requirements.lock
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes \
      --requirement /build/requirements.lock
ARG VERSION
COPY . /build/src
RUN SETUPTOOLS_SCM_PRETEND_VERSION=${VERSION} pip install --no-cache-dir --disable-pip-version-check --no-deps /build/src
USER 65532:65532
