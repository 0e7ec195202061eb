use std::{fs, path::PathBuf};

use tempfile::TempDir;

use super::*;
use crate::{
    deny::{DenyRule, DenySelector},
    health::{EndedTasks, Health},
};

/// One namespace a line; a line with a blank is wrong.
fn parse(text: &str, name: &str) -> Result<DenyRules, String> {
    let rule = |line: &str| {
        let selector = DenySelector { namespaces: Some(vec![line.into()]), ..DenySelector::default() };
        DenyRule::new(selector, None)
    };
    match text.lines().position(|line| line.contains(' ')) {
        Some(line) => Err(format!("{name}:{}: a blank", line + 1)),
        None => Ok(text.lines().map(rule).collect::<Result<_, _>>().unwrap()),
    }
}

struct Followed {
    follower: Follower,
    health: Health,
    path: PathBuf,
    _dir: TempDir,
}

fn followed() -> Followed {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deny.yaml");
    let health = Health::default();
    let unused = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        Err::<http::Response<kube::client::Body>, _>(std::io::Error::other("no cluster"))
    });
    let client = Client::new(unused, "default");
    let (mut follower, _) = Follower::new(
        DenySource::File(path.clone()),
        parse,
        client,
        Metrics::new(health.clone(), EndedTasks::default(), |_| {}),
    );
    let name: SignerName = "example.com/a".parse().unwrap();
    follower.signers = vec![(name.clone(), health.signer(&name, &[Component::DenyRules]))];
    Followed { follower, health, path, _dir: dir }
}

impl Followed {
    async fn look(&mut self) {
        let problem = self.follower.read().await.err();
        self.follower.show(problem.as_deref());
    }

    fn in_force(&self) -> Option<usize> {
        self.follower.rules.borrow().as_ref().map(|rules| rules.len())
    }

    /// Problems, warnings and notes, with the file's name for its path.
    fn shown(&self) -> [Vec<String>; 3] {
        let report = self.health.report().signers.remove(0);
        let path = self.path.display().to_string();
        [report.problems, report.warnings, report.notes]
            .map(|texts| texts.iter().map(|text| text.replace(&path, "F")).collect())
    }
}

#[tokio::test]
async fn a_file_that_is_being_written_lifts_no_rules() {
    let mut followed = followed();
    fs::write(&followed.path, "evil\nworse").unwrap();
    followed.look().await;
    assert_eq!(followed.in_force(), Some(2));
    fs::write(&followed.path, "evil").unwrap();
    followed.look().await;
    assert_eq!(followed.in_force(), Some(2), "the rest may come");
    fs::write(&followed.path, "").unwrap();
    for _ in 0..3 {
        followed.look().await;
    }
    assert_eq!(followed.in_force(), Some(2), "nobody says that they are lifted");
    let [_, warnings, _] = followed.shown();
    assert!(warnings.concat().contains("write `rules: []` to lift them"), "{warnings:?}");
    for (text, expected) in [("evil", 2), ("evil\nworse", 2), ("evil", 2), ("evil", 1)] {
        fs::write(&followed.path, text).unwrap();
        followed.look().await;
        assert_eq!(followed.in_force(), Some(expected), "{text}");
    }
}

#[tokio::test]
async fn nothing_is_in_force_until_a_document_was_read() {
    let mut followed = followed();
    followed.look().await;
    let problem = "deny rules: F doesn't exist; create it, empty if nobody is to be blocked. Nothing is issued until they have been read once";
    assert_eq!((followed.in_force(), followed.shown()), (None, [vec![problem.to_owned()], vec![], vec![]]));
    fs::write(&followed.path, "a b").unwrap();
    followed.look().await;
    assert_eq!(followed.in_force(), None);
    assert!(followed.shown()[0][0].starts_with("deny rules: F:1: a blank. Nothing is issued"));
    fs::write(&followed.path, "").unwrap();
    followed.look().await;
    assert_eq!((followed.in_force(), followed.shown()), (Some(0), [vec![], vec![], vec![]]));
}

#[tokio::test]
async fn what_is_wrong_leaves_the_last_rules_in_force() {
    let mut followed = followed();
    fs::write(&followed.path, "evil\nbad").unwrap();
    followed.look().await;
    let note = "deny: 2 rules, 0 requests blocked: namespace evil (no reason given) | namespace bad (no reason given)";
    assert_eq!(followed.shown(), [vec![], vec![], vec![note.to_owned()]]);
    for wrong in [Some("evil\nb c"), None] {
        match wrong {
            Some(text) => fs::write(&followed.path, text).unwrap(),
            None => fs::remove_file(&followed.path).unwrap(),
        }
        followed.look().await;
        let [problems, warnings, notes] = followed.shown();
        assert_eq!((followed.in_force(), problems, notes), (Some(2), vec![], vec![note.to_owned()]));
        assert!(
            warnings[0].ends_with("The rules that were read last stay in force (2 rules)"),
            "{warnings:?}"
        );
    }
    fs::write(&followed.path, "evil").unwrap();
    followed.look().await;
    followed.look().await;
    assert_eq!((followed.in_force(), &followed.shown()[1]), (Some(1), &vec![]));
}

#[tokio::test]
async fn only_other_rules_wake_requests() {
    let mut followed = followed();
    fs::write(&followed.path, "evil").unwrap();
    followed.look().await;
    let mut rules = followed.follower.rules.subscribe();
    for (text, is_news) in [("evil", false), ("evil\n", false), ("evil\nbad", true), ("bad", true)] {
        fs::write(&followed.path, text).unwrap();
        followed.look().await;
        followed.look().await;
        assert_eq!(rules.has_changed().unwrap(), is_news, "{text:?}");
        rules.mark_unchanged();
    }
}

#[tokio::test]
async fn a_rule_for_a_signer_that_isnt_there_is_told() {
    let followed = followed();
    let signers = Some(vec!["example.com/a".to_owned(), "example.com/aa".to_owned()]);
    let rule = DenyRule::new(DenySelector { signers, ..DenySelector::default() }, None).unwrap();
    followed.follower.rules.send_replace(Some(Arc::new([rule].into_iter().collect())));
    followed.follower.show(None);
    let expected = "deny rules: no signer of this configuration has the name example.com/aa; correct the name, or remove the rule";
    assert_eq!(followed.shown()[1], [expected]);
}

#[test]
fn long_lists_are_cut() {
    let texts: Vec<_> = (0..25).map(|i| i.to_string()).collect();
    assert!(listed(&texts).ends_with("| 19 | and 5 more"));
    assert_eq!(listed(&texts[..1]), "0");
}
