# The image contains only what `taskriver serve` needs: no database servers, no build backend, no tests.
# Tags are exact, so builds are repeatable. tools/pin_images.py adds the digests.
FROM python:3.13.14-slim-trixie AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src

# The locked dependencies first, because they change rarely. This environment has no pip.
COPY requirements.lock ./
RUN python -m venv --without-pip /opt/taskriver \
    && python -m pip --python /opt/taskriver/bin/python install --require-hashes --only-binary :all: --no-compile \
        --requirement requirements.lock

# The build backend, installed with hashes. It stays in this stage.
COPY requirements-build.lock ./
RUN python -m venv /opt/tools \
    && /opt/tools/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements-build.lock

COPY pyproject.toml README.md LICENSE ./
COPY domain domain
COPY persistence persistence
COPY services services
COPY embedded embedded
COPY graphql_api graphql_api
COPY cli cli
COPY server server
COPY rest_api rest_api
COPY asgi asgi
COPY streaming streaming
COPY observability observability
COPY openid openid
COPY migrations migrations
COPY verification verification
RUN /opt/tools/bin/python -m pip wheel --no-deps --no-build-isolation --no-index --wheel-dir /dist . \
    && python -m pip --python /opt/taskriver/bin/python install --no-deps --no-index --no-compile /dist/*.whl

# Bytecode validated by hash, not by time: COPY between stages can change file times.
RUN python -m compileall -q --invalidation-mode unchecked-hash /opt/taskriver/lib


FROM python:3.13.14-slim-trixie

# The image contains the bytecode. A read-only file system cannot store more.
ENV PATH=/opt/taskriver/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8000

RUN groupadd --gid 10001 taskriver \
    && useradd --uid 10001 --gid taskriver --no-create-home --home-dir /nonexistent taskriver

COPY --from=build /opt/taskriver /opt/taskriver

USER 10001:10001
WORKDIR /opt/taskriver
EXPOSE 8000

# Liveness. Use /readyz for readiness.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import http.client, os; c = http.client.HTTPConnection('127.0.0.1', int(os.environ['PORT']), timeout=4); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]

CMD ["taskriver", "serve"]
