//! `signerctl audit find`.

use std::{io, path::PathBuf};

use clap::Args;
use serde_json::Value;

use super::{each_record, names, records::Record};
use crate::{
    error::Error,
    observed::shown as sanitized,
    terminal::{Look, Output, Tone},
    text::table::fields,
};

#[derive(Args)]
pub(crate) struct Find {
    /// Files of --audit-log-path, or logs in JSON; - is standard input.
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    #[command(flatten)]
    wanted: Wanted,
    /// How to show them; json: their lines.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

/// As records have them (docs/monitoring.md).
const OUTCOMES: [&str; 6] = ["Issued", "Denied", "Pending", "LeftAlone", "Unconfirmed", "DenyRulesChanged"];

/// What a record must have; all that is given.
#[derive(Args, Default)]
struct Wanted {
    /// The certificate's serial number, in hexadecimal, as openssl prints it.
    #[arg(long, value_name = "HEX", value_parser = hexadecimal)]
    serial: Option<String>,
    /// The pod that asked.
    #[arg(long, value_name = "NAMESPACE/NAME", value_parser = pod)]
    pod: Option<(String, String)>,
    /// A name in the certificate: DNS name, URI, IP address or common name.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The public key: the SHA-256 of its SubjectPublicKeyInfo, in hexadecimal.
    #[arg(long, value_name = "HEX", value_parser = sha256)]
    key: Option<String>,
    /// What became of the request.
    #[arg(long, value_name = "OUTCOME", ignore_case = true, value_parser = OUTCOMES)]
    outcome: Option<String>,
}

impl Find {
    pub(crate) fn run(self, look: Look) -> Result<(), Error> {
        self.write_to(&mut io::stdout().lock(), look)
    }

    fn write_to(&self, output: &mut impl io::Write, look: Look) -> Result<(), Error> {
        let (mut found, mut count, mut unwritten) = (false, 0, None);
        each_record(&self.files, |line, record| {
            count += 1;
            if unwritten.is_some() || !self.wanted.fits(&record) {
                return;
            }
            found = true;
            let text = match self.output {
                Output::Json => format!("{line}\n"),
                Output::Text => shown(&record, look),
            };
            // at once: a log may be followed
            unwritten = output.write_all(text.as_bytes()).and_then(|()| output.flush()).err();
        })?;
        match unwritten {
            // whoever closes the pipe has read enough
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Output(error)),
            None if !found => Err(Error::NothingFound { files: names(&self.files), count }),
            _ => Ok(()),
        }
    }
}

impl Wanted {
    fn fits(&self, record: &Record) -> bool {
        fn is(wanted: &Option<String>, value: &str) -> bool {
            wanted.as_ref().is_none_or(|wanted| wanted == value && !value.is_empty())
        }
        let is_name = |wanted: &String| record.names().any(|name| name.eq_ignore_ascii_case(wanted));
        is(&self.serial, &digits(&record.serial))
            && is(&self.key, &digits(&record.spki_sha256))
            && self
                .pod
                .as_ref()
                .is_none_or(|(namespace, name)| (namespace, name) == (&record.namespace, &record.pod))
            && self.name.as_ref().is_none_or(is_name)
            && self.outcome.as_ref().is_none_or(|outcome| record.outcome.eq_ignore_ascii_case(outcome))
    }
}

fn shown(record: &Record, look: Look) -> String {
    let tone = match record.outcome.as_str() {
        "Issued" => Tone::Good,
        "Denied" => Tone::Bad,
        _ => Tone::Ending,
    };
    let (time, outcome) = (record.timestamp.split('.').next().unwrap_or_default(), &record.outcome);
    let time = time.trim_end_matches('Z').replace('T', " ");
    let head = format!(
        "{}Z  {}  {}",
        sanitized(&time),
        look.paint(tone, sanitized(outcome)),
        sanitized(&record.signer)
    );
    let text = head.trim_end().to_owned() + "\n";
    let pod = format!("{}/{} (UID {})", record.namespace, record.pod, record.pod_uid);
    let account = format!("{}, node {}, request {}", record.service_account, record.node, record.request);
    let names: Vec<&str> = record.names().collect();
    let list = [
        ("pod", pod, !record.pod.is_empty()),
        ("account", account, !record.pod.is_empty()),
        ("why", format!("{}: {}", record.reason, record.message), !record.reason.is_empty()),
        ("names", names.join(" "), !names.is_empty()),
        ("usages", record.usages.clone(), !record.usages.is_empty()),
        ("serial", record.serial.clone(), !record.serial.is_empty()),
        ("valid", format!("{} to {}", record.not_before, record.not_after), !record.not_after.is_empty()),
        ("CA", format!("{}, SHA-256 {}", record.ca, record.ca_sha256), !record.ca.is_empty()),
        (
            "key",
            format!("{}, SHA-256 {}", record.key_type, record.spki_sha256),
            !record.spki_sha256.is_empty(),
        ),
    ];
    let there = list.into_iter().filter(|(_, _, is_there)| *is_there).map(|(name, value, _)| (name, value));
    let further = record.further.iter().map(|(name, value)| (name.clone(), plain(value)));
    let all: Vec<(String, String)> = there
        .map(|(name, value)| (name.to_owned(), value))
        .chain(further)
        .map(|(name, value)| (sanitized(&name), sanitized(&value)))
        .collect();
    let all: Vec<(&str, String)> = all.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
    text + &fields(&all, look)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

/// Hexadecimal digits in one form, whatever the tool that printed them: lowercase, without colons and zeros in
/// front.
fn digits(text: &str) -> String {
    text.replace(':', "").to_lowercase().trim_start_matches('0').to_owned()
}

fn hexadecimal(text: &str) -> Result<String, String> {
    let number = text.trim().trim_start_matches("serial=").trim_start_matches("0x");
    if number.is_empty() || !number.chars().all(|c| c.is_ascii_hexdigit() || c == ':') {
        return Err("write hexadecimal digits, with or without colons: 8f:01:a0, 8F01A0".into());
    }
    match digits(number) {
        digits if digits.is_empty() => Err("write a number that isn't 0".into()),
        digits => Ok(digits),
    }
}

fn sha256(text: &str) -> Result<String, String> {
    let bytes = text.replace(':', "").len();
    if bytes != 64 {
        return Err("a SHA-256 has 64 hexadecimal digits".into());
    }
    hexadecimal(text)
}

fn pod(text: &str) -> Result<(String, String), String> {
    match text.split_once('/') {
        Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() && !name.contains('/') => {
            Ok((namespace.to_owned(), name.to_owned()))
        }
        _ => Err("write the namespace too: shop/web-0".into()),
    }
}

#[cfg(test)]
mod tests;
