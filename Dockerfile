# The service in an image without a shell: only the program, its C library and the CA certificates.
#
#   docker build -t meta-orchestrator .
#   docker run --rm -p 127.0.0.1:8080:8080 -v meta-orchestrator:/data meta-orchestrator

FROM rust:1.95-slim-bookworm AS build
WORKDIR /src
COPY . .
# The caches outlive the build; the program has to be copied out of them.
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/src/target \
    cargo build --locked --profile dist --bin meta-orchestrator \
    && install -D target/dist/meta-orchestrator /out/meta-orchestrator \
    && mkdir /out/data

FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="meta-orchestrator" \
      org.opencontainers.image.description="Routes each AI request to the cheapest mind that is likely to be right" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /out/meta-orchestrator /usr/local/bin/meta-orchestrator
# A new named volume takes its owner from here, so that the service may write to it.
COPY --from=build --chown=65532:65532 /out/data /data
COPY LICENSE /usr/share/doc/meta-orchestrator/LICENSE

# By number, so that Kubernetes can see that it is not root; distroless calls it nonroot.
USER 65532:65532
# Everything inside a container's network may reach the service, which has no authentication:
# publish the port to the loopback address, or put something in front that authenticates.
# The allocator returns freed memory at once: less of it is held, at no cost that could be measured.
ENV MIMALLOC_PURGE_DELAY=0
ENV META_ORCHESTRATOR__SERVER__LISTEN=0.0.0.0:8080 \
    META_ORCHESTRATOR__DATA__DIR=/data
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s --retries=3 \
    CMD ["/usr/local/bin/meta-orchestrator", "probe"]
ENTRYPOINT ["/usr/local/bin/meta-orchestrator"]
CMD ["serve"]
