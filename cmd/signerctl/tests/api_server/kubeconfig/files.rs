//! Which files are read, how they are merged, and what may stand in them.

use super::{Fails, Lenient, Remedy, Row, Works, kubeconfig, world::World};

/// What `kubectl config` and Rancher leave of an empty kubeconfig.
const EMPTY: &str = "apiVersion: v1\nkind: Config\nclusters: null\nusers: null\ncontexts: null\ncurrent-context: \"\"\npreferences: {}\n";

pub(crate) fn rows(world: &World) -> Vec<Row> {
    let (user, cluster) = (world.bearer(), world.cluster());
    let good = || kubeconfig(&user, &cluster);
    let of = |name, expected| Row::of(name, &user, &cluster, expected);
    let json = format!("{{\n\t\"apiVersion\": \"v1\", \"kind\": \"Config\",\n\t{}}}\n", as_json(world));
    let utf16: Vec<u8> = format!("\u{feff}{}", good()).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let other = |entry: &str| format!("{}{entry}", good());
    vec![
        of("a service account's token", Works),
        of("a list with files that aren't there", Works).env("KUBECONFIG", "/nonexistent:kubeconfig:gone"),
        of("a list with empty and repeated entries", Works).env("KUBECONFIG", ":kubeconfig::kubeconfig:"),
        of("a list in which no file is there", Fails(&["no kubeconfig", "gone"]))
            .env("KUBECONFIG", "gone:/nonexistent"),
        of("a list whose first file is empty", Works)
            .env("KUBECONFIG", "first:kubeconfig")
            .file("first", EMPTY),
        of("a list whose first file has no byte", Works)
            .env("KUBECONFIG", "first:kubeconfig")
            .file("first", ""),
        of("a list whose second file is broken", Fails(&["second:", "neither YAML nor JSON"]))
            .env("KUBECONFIG", "kubeconfig:second")
            .file("second", "a: b: c\n  d"),
        of("the first file with a name wins", Works)
            .env("KUBECONFIG", "kubeconfig:second")
            .file("second", kubeconfig("token: s3cret", "server: 'https://127.0.0.1:1'")),
        of("the first file with a wrong user wins", Fails(&["doesn't know you"]))
            .env("KUBECONFIG", "first:kubeconfig")
            .file("first", "users: [{name: u, user: {token: s3cret}}]\n"),
        of("context, cluster and user in three files", Works)
            .env("KUBECONFIG", "one:two:three")
            .file("one", "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n")
            .file("two", format!("clusters: [{{name: c, cluster: {{{cluster}}}}}]\n"))
            .file("three", format!("users: [{{name: u, user: {{{user}}}}}]\n")),
        of("the kubeconfig at home", Works).env("KUBECONFIG", "").file("home/.kube/config", good()),
        of("no kubeconfig at all", Fails(&["no kubeconfig", "--kubeconfig PATH"])).env("KUBECONFIG", ""),
        of("a kubeconfig that is asked for", Works)
            .env("KUBECONFIG", "gone")
            .arguments(&["--kubeconfig", "kubeconfig"]),
        of("a kubeconfig that is asked for and isn't there", Fails(&["gone doesn't exist"]))
            .arguments(&["--kubeconfig", "gone"]),
        of("a context that is asked for", Works).arguments(&["--context", "other"]).file(
            "kubeconfig",
            other("")
                .replace("current-context: x", "current-context: gone")
                .replace("name: x", "name: other"),
        ),
        of("a context that is asked for and isn't there", Fails(&["no context \"gone\"; it has: x"]))
            .arguments(&["--context", "gone"]),
        Row::text(
            "a current context that isn't there",
            good().replace("current-context: x", "current-context: gone"),
            Fails(&["no context \"gone\""]),
        ),
        Row::text(
            "no current context",
            good().replace("current-context: x", "current-context: \"\""),
            Fails(&["--context", "It has: x"]),
        ),
        Row::text(
            "a context without a cluster",
            good().replace("cluster: c,", ""),
            Fails(&["context \"x\""]),
        ),
        Row::text(
            "more than 4 MiB",
            format!("{}#{}\n", good(), "x".repeat(4 * 1024 * 1024)),
            Remedy(&["larger than 4096 KiB", "correct the path"]),
        ),
        Row::text(
            "a current context that is a number",
            good().replace("name: x", "name: 1").replace("current-context: x", "current-context: 1"),
            Fails(&["`current-context` must be a text; put it in quotes"]),
        ),
        Row::text(
            "a word that YAML 1.1 takes for a boolean",
            good().replace("current-context: x", "current-context: on").replace("name: x", "name: on"),
            Lenient("kubectl wants it in quotes"),
        ),
        Row::text("an empty kubeconfig", EMPTY, Fails(&["no kubeconfig"])),
        Row::text("JSON with tabs", json, Works),
        Row::text("a byte order mark", format!("\u{feff}{}", good()), Works),
        Row::text("UTF-16", utf16, Works),
        Row::text("CRLF", good().replace('\n', "\r\n"), Works),
        Row::text("a second document", format!("{}---\nkind: Other\n", good()), Works),
        Row::text("unknown fields", format!("{}colour: blue\n", good()), Works),
        Row::text(
            "another kind",
            good().replace("kind: Config", "kind: Pod"),
            Fails(&["`kind` must be Config"]),
        ),
        Row::text("neither kind nor version", good().replace("apiVersion: v1\nkind: Config\n", ""), Works),
        Row::text(
            "two users of one name",
            other("- {name: u, user: {}}\n"),
            Fails(&["two entries with the name \"u\""]),
        ),
        Row::text(
            "an old auth provider without configuration in another user",
            other("- {name: gke, user: {auth-provider: {name: gcp, config: null}}}\n"),
            Works,
        ),
        Row::text(
            "a broken user whom nobody chose",
            other("- {name: broken, user: {token: [1]}}\n"),
            Lenient("kubectl wants the whole file right"),
        ),
        Row::text(
            "a user who isn't there",
            good().replace("user: u}", "user: gone}"),
            Fails(&["\"gone\" is in no kubeconfig"]),
        ),
        Row::text(
            "a cluster that isn't there",
            good().replace("cluster: c,", "cluster: gone,"),
            Fails(&["\"gone\" is in no kubeconfig"]),
        ),
        of("a directory in the place of a file", Fails(&["home can't be read"]))
            .env("KUBECONFIG", "home")
            .file("home/x", ""),
        Row::text(
            "anchors and merge keys of YAML",
            good()
                .replace("user: {", "user: &u {")
                .replace("users:\n", "users:\n- {name: v, user: &v {as: ''}}\n"),
            Works,
        ),
        Row::text(
            "a user made of another by a merge key",
            format!("x-base: &base {{{user}}}\n{}", kubeconfig("<<: *base", &cluster)),
            Works,
        ),
        Row::of("data with line breaks", &user, folded(&cluster), Works),
        Row::text("a directory of files that are meant relative to it", good(), Works)
            .env("KUBECONFIG", "sub/k")
            .file(
                "sub/k",
                kubeconfig(
                    "tokenFile: ../token",
                    &format!("server: '{}', certificate-authority: pki/ca.crt", world.server),
                ),
            )
            .file("token", world.token.clone())
            .file("sub/pki/ca.crt", super::pki::read(&world.pki.join("ca.crt"))),
    ]
}

/// base64 as `base64` without `-w0` writes it.
fn folded(cluster: &str) -> String {
    let (fields, data) = cluster.rsplit_once(": ").unwrap();
    let lines: Vec<&str> =
        data.as_bytes().chunks(76).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("{fields}: \"{}\\n\"", lines.join("\\n"))
}

fn as_json(world: &World) -> String {
    let ca = world.authority();
    let (_, ca) = ca.split_once(": ").unwrap();
    format!(
        "\"current-context\": \"x\",\n\t\"clusters\": [{{\"name\": \"c\", \"cluster\": {{\"server\": \"{}\", \"certificate-authority-data\": \"{ca}\"}}}}],\n\t\
         \"contexts\": [{{\"name\": \"x\", \"context\": {{\"cluster\": \"c\", \"user\": \"u\"}}}}],\n\t\"users\": [{{\"name\": \"u\", \"user\": {{\"token\": \"{}\"}}}}]\n",
        world.server, world.token
    )
}
