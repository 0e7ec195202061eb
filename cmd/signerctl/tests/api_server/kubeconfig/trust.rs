//! Which servers are believed. Those with certificates of their own pass calls on to the API server.

use std::path::Path;

use super::{
    Fails, Remedy, Row, Works,
    pki::{P256, Pair, base64, issue, openssl, read, self_signed},
    relay::{Relay, serve},
    world::World,
};

const HERE: &str = "subjectAltName=IP:127.0.0.1,DNS:localhost";
const CA: &str = "basicConstraints=critical,CA:TRUE";

pub(crate) async fn rows(world: &World) -> Vec<Row> {
    let mut rows = of_the_api_server(world);
    rows.extend(of_others(world).await);
    rows
}

fn of_the_api_server(world: &World) -> Vec<Row> {
    let (server, user) = (&world.server, world.bearer());
    let (ca, leaf) = (read(&world.pki.join("ca.crt")), read(&world.pki.join("kube-apiserver.crt")));
    let other = self_signed(world.made.path(), "stranger", CA, 30);
    let joined = String::from_utf8(ca.clone()).unwrap().trim().to_owned();
    let data = |pem: &[u8]| format!("server: '{server}', certificate-authority-data: {}", base64(pem));
    let of = |name, cluster: String, expected| Row::of(name, &user, cluster, expected);
    vec![
        of("the server's own certificate, pinned", data(&leaf), Works),
        of(
            "pinned, by another name",
            format!("{}, tls-server-name: elsewhere", data(&leaf)),
            Fails(&["isn't for elsewhere, but for localhost, ", "tls-server-name"]),
        ),
        of("several CAs in one file", data(&[read(&other.certificate), ca.clone()].concat()), Works),
        of("text around a CA", data(&[b"# the CA\n", &ca[..]].concat()), Works),
        of(
            "CRLF in a CA",
            data(String::from_utf8(ca.clone()).unwrap().replace('\n', "\r\n").as_bytes()),
            Works,
        ),
        of("a key beside a CA", data(&[read(&other.key), ca.clone()].concat()), Works),
        of(
            "an unreadable certificate beside a CA",
            data(&[b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", &ca[..]].concat()),
            Works,
        ),
        of(
            "a damaged block behind a CA",
            data(&[&ca[..], b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"].concat()),
            Remedy(&["isn't PEM, line ", "mend", "cluster \"c\" of "]),
        ),
        of(
            "two CAs without a line break between them",
            data([&joined[..], &joined[..]].concat().as_bytes()),
            Fails(&["isn't PEM, line ", "is a line break missing"]),
        ),
        of("no CA, and the system's bundle has it", format!("server: '{server}'"), Works)
            .env("SSL_CERT_FILE", world.pki.join("ca.crt").display().to_string()),
        of(
            "another CA",
            data(&read(&other.certificate)),
            Fails(&[
                "isn't vouched for by the certificate authority of cluster \"c\"",
                "certificate-authority-data",
            ]),
        ),
        of(
            "no CA",
            format!("server: '{server}'"),
            Fails(&["a CA of this system", "certificate-authority-data"]),
        ),
        of(
            "an empty CA",
            format!("server: '{server}', certificate-authority-data: '', certificate-authority: null"),
            Fails(&["a CA of this system"]),
        ),
        of("a CA that isn't PEM", data(b"hello"), Fails(&["no CERTIFICATE block"])),
        of("a CA in a file", format!("server: '{server}', certificate-authority: ca.crt"), Works)
            .file("ca.crt", ca.clone()),
        of(
            "a CA file that isn't there",
            format!("server: '{server}', certificate-authority: gone"),
            Fails(&["`certificate-authority` ", "gone doesn't exist"]),
        ),
        of(
            "a CA as data and in a file",
            format!("{}, certificate-authority: ca.crt", data(&ca)),
            Fails(&["are both given"]),
        )
        .file("ca.crt", ca.clone()),
        of("without a check", format!("server: '{server}', insecure-skip-tls-verify: true"), Works),
        of(
            "without a check, as YAML 1.1 says it",
            format!("server: '{server}', insecure-skip-tls-verify: yes"),
            Works,
        ),
        of(
            "without a check, and a CA",
            format!("{}, insecure-skip-tls-verify: true", data(&ca)),
            Fails(&["remove one of them"]),
        ),
        of(
            "with a check, said in so many words",
            format!("{}, insecure-skip-tls-verify: false", data(&ca)),
            Works,
        ),
        of(
            "another of the server's names",
            format!("{}, tls-server-name: kubernetes.default.svc", data(&ca)),
            Works,
        ),
        of(
            "a name that the server hasn't",
            format!("{}, tls-server-name: elsewhere", data(&ca)),
            Fails(&["isn't for elsewhere, but for localhost, ", "tls-server-name"]),
        ),
        of(
            "no name at all",
            format!("{}, tls-server-name: 'not a name'", data(&ca)),
            Fails(&["tls-server-name"]),
        ),
    ]
}

async fn of_others(world: &World) -> Vec<Row> {
    let made = world.made.path();
    let ca = self_signed(made, "a-ca", CA, 30);
    let by = |ca: &Pair, name, extensions: &str| {
        issue(made, name, P256, "/CN=server", (&ca.certificate, &ca.key), extensions)
    };
    let (v1, own_v1) = (version_1(made, "old-ca"), version_1(made, "old-server"));
    let constrained = self_signed(made, "no-ca", "basicConstraints=critical,CA:FALSE", 30);
    let silent = self_signed(made, "silent", "nsComment=x", 30);
    let encrypting =
        self_signed(made, "encrypting", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyEncipherment", 30);
    let own = self_signed(made, "own", &format!("{HERE}\nbasicConstraints=CA:FALSE"), 30);
    let own_ca = self_signed(made, "own-ca", &format!("{HERE}\n{CA}"), 30);
    let of_client = self_signed(made, "of-client", &format!("{HERE}\nextendedKeyUsage=clientAuth"), 30);
    let of_any = self_signed(made, "of-any", &format!("{HERE}\nextendedKeyUsage=anyExtendedKeyUsage"), 30);
    let (good, like_a_ca) = (by(&ca, "good", HERE), by(&ca, "like-a-ca", &format!("{HERE}\n{CA}")));
    let (nameless, under_v1) = (by(&ca, "nameless", "basicConstraints=CA:FALSE"), by(&v1, "under-v1", HERE));
    let (under_constrained, under_silent) =
        (by(&constrained, "under-no-ca", HERE), by(&silent, "under-silent", HERE));
    let under_encrypting = by(&encrypting, "under-encrypting", HERE);
    let (old, old_server) = (expired(made, "expired-ca", CA), expired(made, "expired-server", HERE));
    let under_old = by(&old, "under-expired", HERE);
    let mut rows = Vec::new();
    for (name, pair, anchor, expected) in [
        (
            "a CA that has expired",
            &under_old,
            &old,
            Fails(&["isn't vouched for", "CN=expired-ca isn't valid at this machine's time"]),
        ),
        ("pinned, and expired", &old_server, &old_server, Fails(&["clock says", "is valid until"])),
        ("a CA", &good, &ca, Works),
        ("pinned, of another CA", &good, &good, Works),
        ("self-signed, its own CA", &own, &own, Works),
        ("self-signed and a CA, its own CA", &own_ca, &own_ca, Works),
        ("pinned, but a client's", &of_client, &of_client, Fails(&["serverAuth"])),
        ("pinned, for any use", &of_any, &of_any, Works),
        ("pinned, of version 1 and so without a name", &own_v1, &own_v1, Fails(&["certificate"])),
        ("a CA of version 1", &under_v1, &v1, Works),
        (
            "a CA that says it is none",
            &under_constrained,
            &constrained,
            Fails(&["isn't vouched for", "isn't a CA's certificate"]),
        ),
        (
            "a CA that says nothing of it",
            &under_silent,
            &silent,
            Fails(&["isn't vouched for", "isn't a CA's certificate"]),
        ),
        (
            "a CA that mayn't sign",
            &under_encrypting,
            &encrypting,
            Fails(&["isn't vouched for", "isn't a CA's certificate"]),
        ),
        ("without a name, by CN alone", &nameless, &ca, Fails(&["tls-server-name"])),
        (
            "a server's certificate that says it is a CA",
            &like_a_ca,
            &ca,
            Remedy(&["pin it", "CA:FALSE", "cluster \"c\" of "]),
        ),
    ] {
        let port = serve(Relay::To(world.plain), Some(pair)).await;
        let anchor = base64(&read(&anchor.certificate));
        rows.push(Row::of(
            name,
            "token: t",
            format!("server: 'https://127.0.0.1:{port}', certificate-authority-data: {anchor}"),
            expected,
        ));
    }
    rows
}

/// A self-signed certificate without extensions.
fn version_1(directory: &Path, name: &str) -> Pair {
    openssl(directory, &format!("genpkey {P256} -out {name}.key"));
    openssl(directory, &format!("req -new -key {name}.key -subj /CN={name} -out {name}.csr"));
    openssl(directory, &format!("x509 -req -in {name}.csr -signkey {name}.key -days 30 -out {name}.crt"));
    Pair { certificate: directory.join(format!("{name}.crt")), key: directory.join(format!("{name}.key")) }
}

/// A self-signed certificate that was valid until yesterday.
fn expired(directory: &Path, name: &str, extensions: &str) -> Pair {
    let pair = version_1(directory, name);
    std::fs::write(directory.join(format!("{name}.ext")), extensions).unwrap();
    openssl(
        directory,
        &format!("x509 -req -in {name}.csr -signkey {name}.key -days -1 -extfile {name}.ext -out {name}.crt"),
    );
    pair
}
