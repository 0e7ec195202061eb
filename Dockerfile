# The image of all programs, for x86-64 and arm64, from the repository's root:
#   docker build --tag localhost/pod-certificate-signers:0.1.0 .
# A machine without Docker takes `cargo xtask image`, which fills the image in the same way.
ARG RUST=1.95
FROM rust:${RUST}-bookworm AS build
WORKDIR /src
COPY . .
RUN cargo build --release --locked --package signer-manager --package signerctl --package mtls-demo
RUN hack/image/rootfs /rootfs target/release/signer-manager target/release/signerctl target/release/mtls-demo

FROM scratch
COPY --from=build /rootfs /
USER 65532:65532
