# The server as an image. docs/deployment.md says how to build and run it, and what was tried.
#
# Debian's own Python, because its security updates then come with the base image's, and because any Debian 12 will do
# as the base.
ARG BASE=docker.io/library/debian:bookworm-slim

# hadolint ignore=DL3006
FROM ${BASE} AS builder

# Not pinned: Debian's stable release moves by security updates only, and takes the older versions out of its archive.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends gcc libc6-dev libmariadb-dev pkg-config python3-dev python3-pip \
        python3-venv \
    && rm -rf /var/lib/apt/lists/*

COPY requirements/base.txt requirements/mysql.txt requirements/compile.txt /requirements/
COPY script/compile-hash /script/
# Without a pip of its own: what is installed here is installed once.
RUN python3 -m venv --without-pip /opt/authproject/venv \
    && pip --python /opt/authproject/venv/bin/python install --no-cache-dir --require-hashes \
        -r /requirements/base.txt -r /requirements/mysql.txt \
    && /script/compile-hash /opt/authproject/venv

COPY manage.py /opt/authproject/
COPY authproject /opt/authproject/authproject
COPY accounts /opt/authproject/accounts
COPY content /opt/authproject/content
# /docs shows it.
COPY docs/contract.md /opt/authproject/docs/
# The root file system may be read-only, so that Python cannot keep what it compiles.
RUN python3 -m compileall -q /opt/authproject/authproject /opt/authproject/accounts /opt/authproject/content

# hadolint ignore=DL3006
FROM ${BASE}

LABEL org.opencontainers.image.title="authproject" \
    org.opencontainers.image.description="Sign-up, sign-in, and an API guarded by roles" \
    org.opencontainers.image.licenses="MIT"

# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libmariadb3 python3 tzdata \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 authproject \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin authproject

# Everything belongs to root: the server cannot change itself.
COPY --from=builder /opt/authproject /opt/authproject
WORKDIR /opt/authproject

ENV PATH=/opt/authproject/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    ENVIRONMENT=production \
    HOST=0.0.0.0 \
    PORT=8080

# In numbers, so that Kubernetes can tell that it is not root.
USER 10001:10001
EXPOSE 8080
STOPSIGNAL SIGTERM

# Whether the process answers, and not whether the database does: who restarts an unhealthy container mends the first only.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 CMD ["python3", "-m", "authproject.healthcheck"]

# `docker run IMAGE manage.py migrate` runs the migrations: one command before a new version starts, and not at the
# start of each copy, where several would run at once, and the server's account would have to be allowed to alter tables.
ENTRYPOINT ["python3"]
CMD ["-m", "authproject.serve"]
