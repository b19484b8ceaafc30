# The images of Rollcall, which `./dev image` builds and tests. Each contains programs, the shared
# libraries that they load, CA certificates, and the record of their packages, and nothing else: no
# shell, no package manager, no home directory.
#   rollcalld  the service; the default target
#   demo       the provider simulator and the clients, for demos and tests
# The stages that compile run on the building machine's architecture and cross-compile for others.
# Builds are reproducible with the same base image (named by its digest), the same versions of
# Debian's packages and the same commit: docs/kubernetes.md says how.
ARG BASE=docker.io/library/debian:bookworm-slim
# The building machine's, for example linux/amd64. `./dev image` names it, because Podman 4 and older
# BuildKits do not.
ARG BUILDPLATFORM

FROM --platform=${BUILDPLATFORM} ${BASE} AS build
WORKDIR /rollcall
COPY tools/packages tools/
COPY tools/lib/cross tools/lib/
ARG TARGETARCH
RUN dpkg --add-architecture ${TARGETARCH} && apt-get -q update && \
    packages=$(tools/lib/cross packages ${TARGETARCH} client build) && \
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ${packages} && \
    rm -rf /var/lib/apt/lists/*
COPY CMakeLists.txt CMakePresets.json version.h.in ./
COPY proto proto
COPY client client
COPY service service
ARG JOBS=2
# OFF disables the compiler cache.
ARG CCACHE=ccache
RUN --mount=type=cache,target=/root/.cache/ccache \
    options=$(tools/lib/cross cmake ${TARGETARCH}) && \
    cmake --preset release ${options} -DCCACHE=${CCACHE} -DROLLCALL_BUILD_TESTS=OFF >/dev/null && \
    cmake --build build/release -j ${JOBS} --target rollcalld
COPY LICENSE ./
COPY k8s/image/assemble k8s/image/
RUN k8s/image/assemble /image build/release/bin/rollcalld

FROM build AS build-demo
ARG TARGETARCH
ARG JOBS=2
RUN apt-get -q update && \
    packages=$(tools/lib/cross packages ${TARGETARCH} build-tests) && \
    DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends ${packages} && \
    rm -rf /var/lib/apt/lists/*
COPY tests tests
RUN --mount=type=cache,target=/root/.cache/ccache \
    cmake --preset release -DROLLCALL_BUILD_TESTS=ON >/dev/null && \
    cmake --build build/release -j ${JOBS} --target provider-simulator rollcall list-load
RUN cd build/release/bin && /rollcall/k8s/image/assemble /demo provider-simulator rollcall list-load

FROM scratch AS demo
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="rollcall-demo" \
      org.opencontainers.image.description="A simulated provider and clients of Rollcall, for demos and tests" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build-demo /demo /
USER 65532:65532
STOPSIGNAL SIGTERM

FROM scratch AS rollcalld
ARG VERSION
ARG REVISION
LABEL org.opencontainers.image.title="rollcalld" \
      org.opencontainers.image.description="Streams the participants of conferences and rooms over gRPC" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /image /
# A numeric user, because there is no /etc/passwd.
USER 65532:65532
EXPOSE 50051 9464
STOPSIGNAL SIGTERM
ENTRYPOINT ["/usr/bin/rollcalld"]
