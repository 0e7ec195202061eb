use clap::CommandFactory;

use super::*;

fn parse(line: &str) -> Result<Command, String> {
    let words = ["mtls-demo"].into_iter().chain(line.split(' '));
    Cli::try_parse_from(words).map(|cli| cli.command).map_err(|error| error.to_string())
}

#[test]
fn takes_the_options_of_the_examples() {
    Cli::command().debug_assert();
    for line in [
        "server --server-creds /run/tls/credentials.pem",
        "server --listen 0.0.0.0:8443 --server-creds c --enable-spiffe-client-support --spiffe-trust-bundle t \
             --spiffe-trust-domain example.org --allow-spiffe-id spiffe://example.org/a --allow-spiffe-id spiffe://example.org/b \
             --require-spiffe-client",
        "server --server-creds c --client-trust-bundle t --allow-client-dns a --allow-client-dns b --status-listen [::]:8080",
        "server --server-creds c --listen :8443 --enable-spiffe-client-support=true --spiffe-trust-bundle t",
        "client --fetch-url https://server.web.svc/spiffe-echo --server-trust-bundle t",
        "client --fetch-url https://a --fetch-url https://b:8443/x --server-trust-bundle t --client-cred-bundle c \
             --server-spiffe-id spiffe://a/b --poll-interval 500ms",
    ] {
        let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        parse(&line).unwrap();
    }
}

/// As Go's flags have it: a server that keeps nobody out must not come of an option that says otherwise.
#[test]
fn spiffe_clients_are_asked_for_or_not() {
    for (options, asked) in [
        ("", Ok(false)),
        ("--enable-spiffe-client-support=false", Ok(false)),
        ("--enable-spiffe-client-support=false --spiffe-trust-bundle t", Ok(false)),
        ("--enable-spiffe-client-support --spiffe-trust-bundle t", Ok(true)),
        ("--enable-spiffe-client-support=false --spiffe-trust-bundle t --require-spiffe-client", Err(())),
        (
            "--enable-spiffe-client-support=false --spiffe-trust-bundle t --allow-spiffe-id spiffe://a/b",
            Err(()),
        ),
    ] {
        let Command::Server(args) = parse(format!("server --server-creds c {options}").trim()).unwrap()
        else {
            panic!("must be a server's")
        };
        assert_eq!(args.spiffe_clients().map(|file| file.is_some()).map_err(drop), asked, "{options}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    for (line, said) in [
        ("server", "--server-creds"),
        ("server --server-creds c --enable-spiffe-client-support", "--spiffe-trust-bundle"),
        ("server --server-creds c --require-spiffe-client", "--enable-spiffe-client-support"),
        ("server --server-creds c --spiffe-trust-bundle t", "--enable-spiffe-client-support"),
        ("server --server-creds c --allow-client-dns a", "--client-trust-bundle"),
        (
            "server --server-creds c --client-trust-bundle t --enable-spiffe-client-support --spiffe-trust-bundle t",
            "cannot be used with",
        ),
        ("server --server-creds c --enable-spiffe-client-support=true", "--spiffe-trust-bundle"),
        ("server --server-creds c --listen 8443", "use a port after a colon"),
        ("client --server-trust-bundle t", "--fetch-url"),
        ("client --server-trust-bundle t --fetch-url http://a", "use an https URL"),
        ("client --server-trust-bundle t --fetch-url https://a --poll-interval 10", "a number with a unit"),
        ("client --server-trust-bundle t --fetch-url https://a --poll-interval 0s", "more than 0"),
        ("client --server-trust-bundle t --fetch-url https://a --server-spiffe-id a", "looks like spiffe://"),
    ] {
        let error = parse(line).unwrap_err();
        assert!(error.contains(said), "{line}: {error}");
    }
}
