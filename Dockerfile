# One image for web, worker and migration; docker/entrypoint.sh has its commands.
FROM python:3.11-slim-bookworm AS packages
COPY requirements.txt constraints.txt /tmp/
RUN python -m venv /opt/mash \
    && /opt/mash/bin/pip install --no-cache-dir --disable-pip-version-check \
        --requirement /tmp/requirements.txt --constraint /tmp/constraints.txt

FROM python:3.11-slim-bookworm
ENV PATH=/opt/mash/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    MASH_DATA_DIR=/var/lib/mash \
    MASH_STATIC_ROOT=/opt/mash/static
RUN useradd --system --uid 10001 --home-dir /var/lib/mash --shell /usr/sbin/nologin mash \
    && install --directory --owner mash --group mash --mode 0700 /var/lib/mash
COPY --from=packages /opt/mash /opt/mash
WORKDIR /app
COPY . .
# Settings want secrets to load: they are drawn for this step and thrown away with it.
RUN MASH_DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && rm -rf /tmp/build \
    && python -m compileall -q /app
USER 10001
VOLUME /var/lib/mash
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s CMD ["python", "/app/docker/healthcheck.py"]
ENTRYPOINT ["/app/docker/entrypoint.sh"]
CMD ["web"]
