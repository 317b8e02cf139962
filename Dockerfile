# syntax=docker/dockerfile:1
# One image for every process of the fleet: `groundcrew api|worker|scheduler|migrate|…`.

FROM swift:6.3-bookworm AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends libcmark-gfm-dev libcmark-gfm-extensions-dev libhiredis-dev libpq-dev libxml2-dev pkg-config zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies change seldom: fetched in a layer of their own.
COPY Package.swift Package.resolve[d] ./
RUN swift package resolve
COPY Sources Sources
# The manifest names the test targets, so their folders must exist; none of them is built.
COPY Tests Tests
RUN swift build -c release --product groundcrew --static-swift-stdlib \
    && install -D -m 755 "$(swift build -c release --show-bin-path)/groundcrew" /out/groundcrew \
    && strip /out/groundcrew

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates curl libhiredis0.14 libpq5 libxml2 tzdata zlib1g \
        libcmark-gfm0.29.0.gfm.6 libcmark-gfm-extensions0.29.0.gfm.6 python3-venv \
        fonts-dejavu-core fonts-noto-core fonts-noto-cjk util-linux \
        poppler-utils poppler-data pandoc xlsx2csv catdoc bubblewrap \
    && python3 -m venv /opt/groundcrew/venv \
    && /opt/groundcrew/venv/bin/pip install --no-cache-dir typst==0.15.2 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --user-group --no-create-home --home-dir /var/lib/groundcrew groundcrew \
    && install -d -o groundcrew -g groundcrew -m 750 /var/lib/groundcrew /var/lib/groundcrew/blobs
COPY --from=build /out/groundcrew /usr/local/bin/groundcrew
COPY examples /usr/local/share/groundcrew/examples
USER groundcrew
WORKDIR /var/lib/groundcrew
EXPOSE 8080
# SIGTERM drains: no new work, what runs is finished or handed back.
STOPSIGNAL SIGTERM
ENTRYPOINT ["groundcrew"]
CMD ["--help"]
