//! How the server stands: its certificate, and whom it trusts.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use pod_credentials::{Certificate, Credentials, Status, TrustBundle};

use crate::{
    handlers::Served,
    renewal,
    report::{Report, Section},
    times::{from_now, rough, utc},
};

/// How it stands at one moment.
pub(crate) struct Situation<'a> {
    served: &'a Served,
    credentials: Status<Credentials>,
    trust: Option<(Status<TrustBundle>, &'a Path)>,
    now: SystemTime,
}

impl<'a> Situation<'a> {
    pub(crate) fn of(served: &'a Served, now: SystemTime) -> Self {
        let trust = served.trust.as_ref().map(|(bundle, file)| (bundle.status(), file.as_path()));
        Self { served, credentials: served.credentials.status(), trust, now }
    }

    /// Why clients can't be served, if so. A problem with a file while the last good one still serves is
    /// none.
    pub(crate) fn unready(&self) -> Option<String> {
        let problem = |problem: &Option<pod_credentials::LoadError>| {
            problem.as_ref().map_or_else(|| "nothing has been loaded yet".to_owned(), ToString::to_string)
        };
        let certificate = match &self.credentials.current {
            None => Some(problem(&self.credentials.problem)),
            Some(current) if current.leaf().not_after < self.now => Some(format!(
                "the certificate has expired at {}, and no newer one has come: {}",
                utc(current.leaf().not_after),
                problem(&self.credentials.problem)
            )),
            Some(_) => None,
        };
        let trust = || {
            let (status, _) = self.trust.as_ref()?;
            status.current.is_none().then(|| problem(&status.problem))
        };
        certificate.or_else(trust)
    }

    pub(crate) fn report(&self) -> Report {
        let up = self.now.duration_since(self.served.started).unwrap_or(Duration::ZERO);
        let mut sections = vec![self.certificate()];
        if let Some(current) = &self.credentials.current {
            sections.extend(current.chain().iter().skip(1).enumerate().map(|(index, issuer)| {
                let heading = format!("Chain, certificate {}", index + 2);
                Section { heading, problem: None, rows: self.certificate_rows(issuer) }
            }));
        }
        sections.extend(self.trust.as_ref().map(|(status, file)| self.trust_bundle(status, file)));
        Report { title: format!("mtls-demo server, up {}", rough(up)), unready: self.unready(), sections }
    }

    fn certificate(&self) -> Section {
        let Status { current, problem, renewals, since, .. } = &self.credentials;
        let mut rows = Vec::new();
        if let Some(current) = current {
            rows = self.certificate_rows(current.leaf());
            rows.push(("renewal", renewal::expected(current.leaf(), self.now)));
            rows.push(("renewed", times(*renewals)));
            rows.extend(
                since
                    .map(|since| ("in use", format!("since {} ({})", utc(since), from_now(since, self.now)))),
            );
            rows.push(("chain", chain(current.chain().len())));
        }
        let heading = format!("Certificate {}", self.served.credentials_file.display());
        Section { heading, problem: problem.as_ref().map(ToString::to_string), rows }
    }

    fn certificate_rows(&self, certificate: &Certificate) -> Vec<(&'static str, String)> {
        let or_none = |text: String| if text.is_empty() { "none".to_owned() } else { text };
        let lifetime = certificate.not_after.duration_since(certificate.not_before).unwrap_or(Duration::ZERO);
        vec![
            ("names", or_none(certificate.names().join(", "))),
            ("subject", or_none(certificate.subject.clone())),
            ("issuer", or_none(certificate.issuer.clone())),
            ("serial", certificate.serial.clone()),
            ("valid from", format!("{}, for {}", utc(certificate.not_before), rough(lifetime))),
            (
                "valid until",
                format!("{} ({})", utc(certificate.not_after), from_now(certificate.not_after, self.now)),
            ),
        ]
    }

    fn trust_bundle(&self, status: &Status<TrustBundle>, file: &Path) -> Section {
        let mut rows = Vec::new();
        for anchor in status.current.iter().flat_map(|bundle| bundle.anchors()) {
            let subject = if anchor.subject.is_empty() { "without a subject" } else { &anchor.subject };
            let end = format!("{subject}, serial {}, until {}", anchor.serial, utc(anchor.not_after));
            rows.push(("anchor", end));
        }
        rows.push(("changed", times(status.renewals)));
        let heading = format!("Trust bundle for clients {}", file.display());
        Section { heading, problem: status.problem.as_ref().map(ToString::to_string), rows }
    }
}

fn chain(certificates: usize) -> String {
    match certificates {
        1 => "this certificate alone: its issuer is the trust anchor".into(),
        more => format!("{more} certificates, this one first"),
    }
}

fn times(number: u64) -> String {
    match number {
        0 => "not since start".into(),
        1 => "once since start".into(),
        2 => "twice since start".into(),
        many => format!("{many} times since start"),
    }
}
