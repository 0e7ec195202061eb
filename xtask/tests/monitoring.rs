//! The alerts and the dashboard of monitoring/.

use std::{collections::BTreeSet, fs, path::PathBuf, process::Command};

fn repository() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What doesn't exist never fires, and shows nothing. That the page names what is there, a test of the core
/// sees to.
#[test]
fn rules_and_dashboard_use_metrics_that_the_page_names() {
    let page = read("docs/monitoring.md");
    for file in ["rules.yaml", "tests.yaml", "dashboard.json"] {
        let text = read(&format!("monitoring/{file}"));
        let names = text.split("pod_certificate_signer_").skip(1);
        let names: BTreeSet<&str> = names.map(|rest| rest.split(is_no_name).next().unwrap()).collect();
        assert!(names.len() > 5, "{file}");
        for name in names {
            let histogram = ["_bucket", "_count"].into_iter().find_map(|suffix| name.strip_suffix(suffix));
            let name = histogram.unwrap_or(name);
            let is_named = ["`", "{"].iter().any(|end| page.contains(&format!("`{name}{end}")));
            assert!(is_named, "{file}: pod_certificate_signer_{name} isn't in docs/monitoring.md");
        }
    }
}

fn is_no_name(c: char) -> bool {
    !c.is_ascii_alphanumeric() && c != '_'
}

#[test]
fn alerts_fire_when_they_should() {
    for arguments in [["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]] {
        let ran =
            Command::new("promtool").args(arguments).current_dir(repository().join("monitoring")).output();
        let output = ran.unwrap();
        let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "promtool {}: {said}", arguments.join(" "));
    }
}

/// An alert without a test may never fire.
#[test]
fn each_alert_has_a_test() {
    let alerts = |file: &str, before: &str| -> BTreeSet<String> {
        let text = read(file);
        let named = text.lines().filter_map(|line| line.split_once(before));
        let names = named.map(|(_, rest)| rest.split([',', ' ']).next().unwrap_or_default().to_owned());
        names.collect()
    };
    let untested: Vec<String> = alerts("monitoring/rules.yaml", "- alert: ")
        .difference(&alerts("monitoring/tests.yaml", "alertname: "))
        .cloned()
        .collect();
    assert_eq!(untested, Vec::<String>::new());
}
