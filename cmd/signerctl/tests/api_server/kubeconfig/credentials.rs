//! Who calls: tokens, passwords, client certificates.

use std::path::Path;

use super::{
    Fails, Remedy, Row, Works,
    pki::{P256, RSA, base64, issue, openssl, read},
    world::{World, certificate},
};

const CLIENT: &str = "extendedKeyUsage=clientAuth";
const MASTERS: &str = "/O=system:masters/CN=somebody";

pub(crate) fn rows(world: &World) -> Vec<Row> {
    let mut rows = tokens(world);
    rows.extend(certificates(world));
    rows
}

fn tokens(world: &World) -> Vec<Row> {
    let (token, admin) = (&world.token, world.admin());
    let of = |name, user: &str, expected| Row::of(name, user, world.cluster(), expected);
    vec![
        of("no credentials", "", Fails(&["system:anonymous"])),
        of(
            "a token with a line break",
            &format!("token: \"{token}\\n\""),
            Fails(&["`token` holds a line break", "user \"u\" of "]),
        ),
        of("a token that is a number", "token: 1234567890", Fails(&["`token` must be a text"])),
        of("a wrong token", "token: s3cret", Fails(&["doesn't know you"])),
        of("a token file with a line break", "tokenFile: t", Works).file("t", format!("{token}\r\n\n")),
        of("an empty token file", "tokenFile: t", Fails(&["is empty"])).file("t", ""),
        of("no token file", "tokenFile: gone", Fails(&["`tokenFile` ", "gone doesn't exist"])),
        of("the token in the file goes first", "token: s3cret, tokenFile: t", Works).file("t", token.clone()),
        of("the token counts if there is no file", &format!("token: {token}, tokenFile: gone"), Works),
        of("the token counts if the file is empty", &format!("token: {token}, tokenFile: t"), Works)
            .file("t", "\n"),
        of(
            "empty certificate fields",
            &format!(
                "token: {token}, client-certificate-data: '', client-key-data: '', username: '', as: ''"
            ),
            Works,
        ),
        of(
            "null fields",
            &format!(
                "token: {token}, client-certificate-data: null, client-key: null, exec: null, auth-provider: null, as-groups: null"
            ),
            Works,
        ),
        of("a client certificate", &admin, Works),
        of(
            "an empty token beside a client certificate",
            &format!("token: '', tokenFile: '', {admin}"),
            Works,
        ),
        of(
            "a client certificate, and a token that names somebody else",
            &format!("token: s3cret, {admin}"),
            Works,
        ),
        of("a password", "username: me, password: s3cret", Fails(&["system:anonymous"])),
        of(
            "a token and a password",
            &format!("token: {token}, username: me, password: s3cret"),
            Fails(&["keep one of them"]),
        ),
        of(
            "acting as an administrator",
            &format!("{admin}, as: somebody, as-groups: ['system:masters']"),
            Works,
        ),
        of(
            "acting as somebody without rights",
            &format!("{admin}, as: somebody, as-uid: u1, as-user-extra: {{'example.com/a%': [x]}}"),
            Fails(&["doesn't allow it", "somebody"]),
        ),
        of("acting in a group as nobody", &format!("{admin}, as-groups: [g]"), Fails(&["without `as`"])),
    ]
}

fn certificates(world: &World) -> Vec<Row> {
    let made = world.made.path();
    let (ca, ca_key) = (world.pki.join("ca.crt"), world.pki.join("ca.key"));
    let by = |name, key, extensions| issue(made, name, key, MASTERS, (&ca, &ca_key), extensions);
    let of = |name, user: &str, expected| Row::of(name, user, world.cluster(), expected);
    let mut rows = Vec::new();
    for (name, row, key) in [
        ("v1", "an RSA certificate of X.509 version 1", RSA),
        ("v1ec", "an ECDSA certificate of X.509 version 1", P256),
    ] {
        let pair = by(name, key, "");
        let text = openssl(made, &format!("x509 -in {name}.crt -noout -text"));
        assert!(text.contains("Version: 1 (0x0)"), "{text}");
        rows.push(of(row, &certificate(&pair.certificate, &pair.key), Works));
    }
    for (name, row, key) in [
        ("p384", "P-384", "-algorithm EC -pkeyopt ec_paramgen_curve:P-384"),
        ("p521", "P-521", "-algorithm EC -pkeyopt ec_paramgen_curve:P-521"),
        ("ed", "Ed25519", "-algorithm ED25519"),
    ] {
        let pair = by(name, key, CLIENT);
        rows.push(of(row, &certificate(&pair.certificate, &pair.key), Works));
    }
    let small = by("small", "-algorithm RSA -pkeyopt rsa_keygen_bits:1024", CLIENT);
    rows.push(of(
        "RSA of 1024 bits",
        &certificate(&small.certificate, &small.key),
        Remedy(&["RSA of 2048 bits", "or use a token", "user \"u\" of "]),
    ));
    let (rsa, ec) = (by("rsa", RSA, CLIENT), by("ec", P256, CLIENT));
    openssl(made, "rsa -in rsa.key -traditional -out pkcs1.key");
    openssl(made, "ec -in ec.key -out sec1.key");
    openssl(made, "pkcs8 -topk8 -in ec.key -passout pass:s3cret -out encrypted.key");
    openssl(made, "rsa -in rsa.key -traditional -aes128 -passout pass:s3cret -out old-encrypted.key");
    let with = |pair: &super::pki::Pair, key: &str| certificate(&pair.certificate, &made.join(key));
    let parameters = [
        b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n",
        &read(&made.join("sec1.key"))[..],
    ]
    .concat();
    let chain = [read(&ec.certificate), read(&ca)].concat();
    let data = |certificate: &[u8], key: &[u8]| {
        format!("client-certificate-data: {}, client-key-data: {}", base64(certificate), base64(key))
    };
    let relabelled =
        String::from_utf8(read(&made.join("pkcs1.key"))).unwrap().replace("RSA PRIVATE KEY", "PRIVATE KEY");
    rows.extend([
        of("a key in PKCS#1", &with(&rsa, "pkcs1.key"), Works),
        of("a key in SEC1", &with(&ec, "sec1.key"), Works),
        of("a key behind its parameters", &data(&read(&ec.certificate), &parameters), Works),
        of(
            "a PKCS#1 key that is called PKCS#8",
            &data(&read(&rsa.certificate), relabelled.as_bytes()),
            Works,
        ),
        of("a chain", &data(&chain, &read(&ec.key)), Works),
        of(
            "text around the certificate",
            &data(&[b"Bag Attributes: none\n", &read(&ec.certificate)[..]].concat(), &read(&ec.key)),
            Works,
        ),
        of("certificate and key in files", "client-certificate: c, client-key: k", Works)
            .file("c", read(&ec.certificate))
            .file("k", read(&ec.key)),
        of(
            "certificate in a file, key as data",
            &format!("client-certificate: c, client-key-data: {}", base64(&read(&ec.key))),
            Works,
        )
        .file("c", read(&ec.certificate)),
        of("certificate and key in one file", "client-certificate: both, client-key: both", Works)
            .file("both", [read(&ec.key), read(&ec.certificate)].concat()),
        of(
            "no certificate file",
            "client-certificate: gone, client-key: k",
            Fails(&["`client-certificate` ", "gone doesn't exist"]),
        )
        .file("k", read(&ec.key)),
        of("an encrypted key", &with(&ec, "encrypted.key"), Fails(&["is encrypted", "openssl pkey"])),
        of(
            "a key encrypted as long ago",
            &with(&rsa, "old-encrypted.key"),
            Fails(&["is encrypted", "openssl pkey"]),
        ),
        of(
            "the key of another certificate",
            &certificate(&rsa.certificate, &ec.key),
            Fails(&["doesn't belong to"]),
        ),
        of("no key", &format!("client-certificate-data: {}", base64(&chain)), Fails(&["without its key"])),
        of(
            "a key without a certificate, and a token",
            &format!("{}, client-key-data: {}", world.bearer(), base64(b"x")),
            Works,
        ),
        of("a certificate that isn't PEM", &data(b"hello", &read(&ec.key)), Fails(&["no CERTIFICATE block"])),
        of(
            "a certificate that isn't base64",
            "client-certificate-data: '!', client-key-data: '!'",
            Fails(&["isn't base64"]),
        ),
        of(
            "data and file",
            &format!("{}, client-certificate: c", with(&ec, "ec.key")),
            Fails(&["are both given"]),
        )
        .file("c", read(&ec.certificate)),
        of("a certificate of another CA", &other_ca(made), Fails(&["doesn't know you"])),
    ]);
    rows
}

fn other_ca(made: &Path) -> String {
    let ca = super::pki::self_signed(made, "other-ca", "basicConstraints=critical,CA:TRUE", 30);
    let pair = issue(made, "of-other-ca", P256, MASTERS, (&ca.certificate, &ca.key), CLIENT);
    certificate(&pair.certificate, &pair.key)
}
