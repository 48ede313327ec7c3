# The server and the simulated IOC in one image; see docs/how-to/run-in-a-container.md.
# EPICS's client library comes ready-made for x86-64 only.
ARG PYTHON=docker.io/library/python:3.13-slim

FROM ${PYTHON} AS build
WORKDIR /source
COPY . .
# The compiler is for the queue in pycaserver/sources/_ring.c, and stays in this stage.
RUN apt-get update && apt-get install -y --no-install-recommends gcc libc6-dev
# Installed without pip, and compiled: the final image is read, never written. npm comes and goes with the build.
RUN python -m venv --without-pip /opt/pycaserver \
 && python -m pip --python /opt/pycaserver/bin/python install --no-cache-dir '.[socketio]'

FROM ${PYTHON}
RUN python -m pip uninstall --yes --root-user-action=ignore pip \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin pycaserver
COPY --from=build /opt/pycaserver /opt/pycaserver
ENV PATH=/opt/pycaserver/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYCASERVER_SERVER_ADDRESS=0.0.0.0
USER 10001
WORKDIR /
EXPOSE 8888
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s CMD ["python", "-c", "\
import http.client, os, sys; \
server = http.client.HTTPConnection('127.0.0.1', int(os.environ.get('PYCASERVER_SERVER_PORT', 8888)), timeout=4); \
server.request('GET', '/healthz'); \
sys.exit(server.getresponse().status != 200)"]
ENTRYPOINT ["pycaserver"]
CMD ["serve"]
