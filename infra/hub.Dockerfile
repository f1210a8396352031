# The hub's image, which also carries the migrations. Build it from the project's root:
#   docker build --platform linux/amd64 --file infra/hub.Dockerfile --tag tandem-hub .
FROM python:3.13-slim AS build

WORKDIR /build
COPY requirements/cloud.txt ./
RUN python -m venv /opt/tandem \
    && /opt/tandem/bin/pip install --no-cache-dir --no-deps --only-binary :all: --require-hashes --requirement cloud.txt
COPY pyproject.toml ./
COPY contract contract
COPY cloud cloud
# The sources go beside the libraries as they are; nothing of the browser's part or of one machine is needed here.
RUN rm -rf cloud/portal cloud/local cloud/api cloud/functions \
    && cp -r contract cloud "$(/opt/tandem/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && /opt/tandem/bin/python -m compileall -q /opt/tandem/lib

FROM python:3.13-slim

RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin tandem
COPY --from=build /opt/tandem /opt/tandem
ENV PATH=/opt/tandem/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
USER 10001:10001
WORKDIR /
# Above 1023, for UDP and TCP alike: the load balancer maps 443 to it.
EXPOSE 8443/udp 8443/tcp
STOPSIGNAL SIGTERM
CMD ["python", "-m", "cloud.aws.hub"]
