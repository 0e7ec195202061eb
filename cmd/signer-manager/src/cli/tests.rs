use super::*;

fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
    Command::from_arguments(["signer-manager"].iter().chain(arguments))
}

#[test]
fn runs_with_defaults() {
    Cli::command().debug_assert();
    let Command::Run(run) = parse(&["--config", "c.yaml"]).unwrap() else { panic!("must run") };
    assert_eq!((run.log_format, run.log.as_str()), (LogFormat::Text, "info"));
    assert_eq!((run.kubeconfig, run.http_bind.to_string()), (None, "[::]:8080".to_owned()));
}

#[test]
fn takes_each_option() {
    let options = [
        "--config",
        "c",
        "--kubeconfig",
        "k",
        "--log-format",
        "json",
        "--log",
        "debug",
        "--http-bind",
        "[::1]:1",
    ];
    let Command::Run(run) = parse(&options).unwrap() else { panic!("must run") };
    assert_eq!((run.log_format, run.http_bind.to_string()), (LogFormat::Json, "[::1]:1".to_owned()));
    assert_eq!((run.kubeconfig, run.log), (Some("k".into()), "debug".to_owned()));
}

#[test]
fn a_port_stands_for_all_addresses() {
    for (given, taken) in [(":1", "[::]:1"), ("0.0.0.0:1", "0.0.0.0:1"), ("[::1]:1", "[::1]:1")] {
        let Command::Run(run) = parse(&["--config", "c", "--http-bind", given]).unwrap() else {
            panic!("must run")
        };
        assert_eq!(run.http_bind.to_string(), taken);
    }
    for wrong in ["8080", ":", ":http", ":99999", "localhost:8080"] {
        let error = parse(&["--config", "c", "--http-bind", wrong]).unwrap_err().to_string();
        assert!(error.contains("use a port after a colon"), "{error}");
    }
}

#[test]
fn checks_a_configuration_without_other_options() {
    assert!(
        matches!(parse(&["check-config", "c.yaml"]), Ok(Command::CheckConfig { file }) if file.as_os_str() == "c.yaml")
    );
    for wrong in [&[][..], &["check-config"], &["--log", "info"], &["--config", "c", "check-config", "c"]] {
        assert!(parse(wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn secure_metrics_need_a_certificate_of_one_kind() {
    let parsed = |arguments: &[&str]| {
        let command = [&["signer-manager", "--config", "a.yaml"], arguments].concat();
        let Command::Run(run) = Command::from_arguments(command).map_err(|error| error.to_string())? else {
            panic!()
        };
        run.secure_metrics().map_err(|error| error.to_string())
    };
    assert!(parsed(&[]).unwrap().is_none());
    let of_signer =
        ["--metrics-auth", "--metrics-signer", "example.com/a", "--metrics-dns-name", "metrics.example.com"];
    let server = parsed(&of_signer).unwrap().unwrap();
    assert_eq!(server.bind.to_string(), "[::]:8443");
    assert!(matches!(server.certificate, ServingCertificate::Issued { .. }));
    let of_files =
        ["--metrics-auth", "--metrics-cert-file", "a", "--metrics-key-file", "b", "--metrics-bind", ":1"];
    assert!(matches!(parsed(&of_files).unwrap().unwrap().certificate, ServingCertificate::Files { .. }));
    for (arguments, expected) in [
        (&["--metrics-auth"][..], "needs a certificate"),
        (&["--metrics-bind", ":1"], "--metrics-auth"),
        (&["--audit-log-maxsize", "1"], "--audit-log-path"),
        (&["--audit-log-maxbackup", "1"], "--audit-log-path"),
        (&["--metrics-signer", "example.com/a", "--metrics-dns-name", "a.b"], "--metrics-auth"),
        (&["--metrics-auth", "--metrics-signer", "example.com/a"], "--metrics-dns-name"),
        (&["--metrics-auth", "--metrics-cert-file", "a"], "--metrics-key-file"),
        (&[&of_signer[..], &of_files[1..]].concat(), "cannot be used with"),
    ] {
        let error = parsed(arguments).unwrap_err();
        assert!(error.contains(expected), "{arguments:?}: {error}");
    }
}

#[test]
fn the_ca_injector_needs_targets_and_no_configuration() {
    let read = |arguments: &[&str]| {
        Command::from_arguments([&["signer-manager", "ca-injector"], arguments].concat())
    };
    let both = ["--target", "apiservices/v1.a.example", "--target=customresourcedefinitions/b.example"];
    let Ok(Command::CaInjector(args)) = read(&both) else { panic!("must be read") };
    let targets: Vec<_> = args.targets.iter().map(ToString::to_string).collect();
    assert_eq!(targets, ["apiservices/v1.a.example", "customresourcedefinitions/b.example"]);
    let refused = |arguments: &[&str]| read(arguments).unwrap_err().to_string();
    assert!(refused(&[]).contains("--target <KIND/NAME>"));
    assert!(
        refused(&["--target", "secrets/a"])
            .contains("\"secrets/a\" is not a valid target; write validatingweb")
    );
    assert!(refused(&["--target=apiservices/a", "--config", "x"]).contains("--config"));
}
