//! Audit records, a line of JSON each, among whatever else a log has.

use std::{
    collections::BTreeMap,
    io::{self, BufRead, Read},
};

use serde::Deserialize;
use serde_json::Value;

/// A record as signer-manager writes it; docs/monitoring.md says what each field means.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Record {
    pub(crate) timestamp: String,
    target: String,
    pub(crate) outcome: String,
    pub(crate) signer: String,
    pub(super) namespace: String,
    pub(super) request: String,
    pub(super) pod: String,
    pub(crate) pod_uid: String,
    pub(super) service_account: String,
    pub(super) node: String,
    pub(super) key_type: String,
    pub(super) spki_sha256: String,
    pub(super) reason: String,
    pub(super) message: String,
    common_name: String,
    dns_names: String,
    uris: String,
    ip_addresses: String,
    pub(super) usages: String,
    pub(super) serial: String,
    pub(super) not_before: String,
    pub(crate) not_after: String,
    pub(super) ca: String,
    pub(crate) ca_sha256: String,
    level: String,
    /// What records of another kind have: a change of the deny rules.
    #[serde(flatten)]
    pub(super) further: BTreeMap<String, Value>,
}

impl Record {
    /// All names of the certificate, of whatever kind.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let lists = [&self.dns_names, &self.uris, &self.ip_addresses];
        let single = Some(self.common_name.as_str()).filter(|name| !name.is_empty());
        single.into_iter().chain(lists.into_iter().flat_map(|list| list.split_whitespace()))
    }
}

/// A certificate has 100 names of 255 characters at most; longer lines are skipped.
const LONGEST_LINE: u64 = 256 * 1024;

/// How many lines were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) records: usize,
    /// Lines that look like records, and can't be read: cut off, say.
    pub(crate) damaged: usize,
}

/// Reads all records, and passes each on with its line. Other lines of a log are skipped.
pub(super) fn read(mut input: impl BufRead, mut found: impl FnMut(&str, Record)) -> io::Result<Count> {
    let (mut line, mut count) = (Vec::new(), Count::default());
    loop {
        line.clear();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(count);
        }
        if !line.ends_with(b"\n") && line.len() as u64 == LONGEST_LINE {
            count.damaged += usize::from(looks_like_record(&line));
            input.skip_until(b'\n')?;
            continue;
        }
        match str::from_utf8(&line).ok().and_then(|text| serde_json::from_str::<Record>(text).ok()) {
            Some(record) if record.target == "audit" => {
                count.records += 1;
                // it was read as UTF-8
                found(str::from_utf8(&line).unwrap_or_default().trim_end(), record);
            }
            Some(_) => {}
            None => count.damaged += usize::from(looks_like_record(&line)),
        }
    }
}

/// The outcome comes early in a record, its target last.
fn looks_like_record(line: &[u8]) -> bool {
    let has = |text: &[u8]| line.windows(text.len()).any(|window| window == text);
    line.first() == Some(&b'{') && has(b"\"outcome\":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcomes(text: &[u8]) -> (Count, Vec<String>) {
        let mut outcomes = Vec::new();
        let count = read(text, |_, record| outcomes.push(record.outcome)).unwrap();
        (count, outcomes)
    }

    #[test]
    fn records_are_found_among_other_lines() {
        let log = br#"2026-11-27T10:00:00Z  INFO starting
{"timestamp":"x","level":"INFO","message":"no record","target":"signer_core::controller"}
{"timestamp":"x","target":"audit","outcome":"Issued","dns_names":"a.b c.d","further":[1]}
{"target":"audit","outcome":7}
["no object"]
{"target":"audit","outcome":"Den"#;
        assert_eq!(outcomes(log), (Count { records: 1, damaged: 2 }, vec!["Issued".to_owned()]));
    }

    #[test]
    fn a_line_without_end_and_bytes_that_are_no_text_cost_themselves_alone() {
        let mut log = vec![b'{'; 1024 * 1024];
        log.extend(b"\n\xff\xfe\n{\"target\":\"audit\",\"outcome\":\"Issued\"}");
        assert_eq!(outcomes(&log), (Count { records: 1, damaged: 0 }, vec!["Issued".to_owned()]));
    }
}
